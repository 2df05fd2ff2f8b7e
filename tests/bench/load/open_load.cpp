// Tunnels that are opened, closed, and replaced by the next.
#include <memory>
#include <stdexcept>
#include <unordered_map>
#include <vector>

#include "loads.hpp"
#include "result.hpp"

namespace bench {
namespace {

class OpenLoad : public Client::Listener {
  public:
    explicit OpenLoad(const LoadOptions& options)
        : options_(options),
          tls_(options.tls ? make_tls_context() : nullptr),
          message_(options.size) {
        durations_.reserve(options.count);
    }

    void work() {
        const Clock::time_point began = Clock::now();
        const auto limit = std::chrono::duration<double>(options_.seconds);
        while (closed_ < options_.count && Clock::now() - began < limit) {
            while (clients_.size() < options_.connections && begun_ < options_.count) {
                begin_one();
            }
            loop_.turn(100);
            gone_.clear();
        }
        tell(durations_, 0, Clock::now() - began);
    }

    void on_open(Client& client) override {
        durations_.add(Clock::now() - client.since);
        client.send_close();
    }
    void on_echo(Client&) override { throw std::runtime_error("an echo that nobody asked for"); }
    void on_close(Client& client) override {
        ++closed_;
        gone_.push_back(std::move(clients_.at(&client)));  // it is still being called
        clients_.erase(&client);
    }

  private:
    void begin_one() {
        ++begun_;
        auto client =
            std::make_unique<Client>(loop_, Target{options_.port, tls_.get()}, message_, *this);
        Client* const key = client.get();
        clients_.emplace(key, std::move(client));
    }

    const LoadOptions options_;
    EventLoop loop_;
    TlsContext tls_;
    const Message message_;
    std::unordered_map<Client*, std::unique_ptr<Client>> clients_;
    std::vector<std::unique_ptr<Client>> gone_;
    std::size_t begun_ = 0;
    std::size_t closed_ = 0;
    Durations durations_;
};

}  // namespace

void run_open_load(const LoadOptions& options) {
    OpenLoad load(options);
    await_go();
    load.work();
    await_end();
}

}  // namespace bench
