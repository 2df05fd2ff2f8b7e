// A loop of one tunnel on the calling thread: the same bytes, ends and commands as in the pump, and what stops it besides.
#include "tunnel/blocking_pump.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <atomic>
#include <catch2/catch.hpp>
#include <optional>
#include <thread>

#include "support/socket_tunnel.hpp"
#include "support/tls_pair.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

// The process may open none while this lives.
class NoDescriptors {
  public:
    NoDescriptors() {
        checked(::getrlimit(RLIMIT_NOFILE, &before_), "getrlimit");
        const rlimit none{0, before_.rlim_max};
        checked(::setrlimit(RLIMIT_NOFILE, &none), "setrlimit");
    }
    ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
    NoDescriptors(const NoDescriptors&) = delete;
    NoDescriptors& operator=(const NoDescriptors&) = delete;

  private:
    rlimit before_{};
};

struct Pipe {
    Pipe() {
        int both[2];
        checked(::pipe2(both, O_CLOEXEC), "pipe2");
        read.reset(both[0]);
        write.reset(both[1]);
    }
    void signal() { CHECK(::write(write.get(), "x", 1) == 1); }
    UniqueFd read, write;
};

// A tunnel that is being pumped on a thread; the destructor waits for its end.
class Pumped {
  public:
    explicit Pumped(const Policy& policy = {}, int stop_fd = -1, FdHandler* handler = nullptr,
                    bool tcp = false, TunnelGroup::Subscription group = {})
        : pump(stop_fd, handler), made_(make_socket_tunnel(board_, tcp, policy, {}, group)) {
        ends = std::move(made_.ends);
    }
    ~Pumped() {
        ends = {};
        thread_.join();
    }
    Pumped& begin() {
        thread_ = std::thread([this] { pump.run(std::move(made_.tunnel)); });
        return *this;
    }

    TunnelReport report() {
        REQUIRE(board_.await_reports(1));
        return board_.reports()[0];
    }
    bool is_told(unsigned code = 1012) {
        return ends.take_close(Side::client) == code && ends.take_close(Side::backend) == code;
    }

    BlockingPump pump;
    Ends ends;

  private:
    EndBoard board_;
    SocketTunnel made_;
    std::thread thread_;
};

ClosePlan stop_now() {
    return ClosePlan::stop(monotonic_now());
}

ClosePlan drain_within(DurationUs timeout) {
    return ClosePlan::drain(monotonic_now(), timeout, 20 * kMillisecond, 20 * kSecond);
}

Policy closing_within(DurationUs timeout) {
    Policy policy;
    policy.close_timeout = timeout;
    return policy;
}

}  // namespace

TEST_CASE("a blocking pump passes bytes and ends when its peers do", "[pump]") {
    const bool tcp = GENERATE(false, true);
    Pumped pumped({}, -1, nullptr, tcp);
    pumped.begin();
    CHECK(pumped.ends.echoes("hello"));
    CHECK(pumped.ends.echoes(std::string(50'000, 'x')));
    CHECK(pumped.pump.tunnels() == 1);
    CHECK(pumped.ends.close_well());
    CHECK(pumped.report().reason == EndReason::client_close);
    CHECK(pumped.report().client.messages == 2);
    CHECK(await([&] { return pumped.pump.tunnels() == 0; }));
}

TEST_CASE("a blocking pump ends when a peer vanishes", "[pump]") {
    const Side first = GENERATE(Side::client, Side::backend);
    Pumped pumped({}, -1, nullptr, true);
    pumped.begin();
    CHECK(pumped.ends.echoes("hello"));
    reset(first == Side::client ? pumped.ends.client : pumped.ends.backend);
    CHECK(at_end(pumped.ends.fd(other(first))));
    ::shutdown(pumped.ends.fd(other(first)), SHUT_WR);
    CHECK(closed_by(pumped.report().reason) == "error");
}

TEST_CASE("a blocking pump runs the timers of its tunnel", "[pump]") {
    Policy policy = closing_within(20 * kMillisecond);
    policy.idle_timeout = 50 * kMillisecond;
    Pumped pumped(policy);
    pumped.begin();
    CHECK(pumped.report().reason == EndReason::idle_timeout);
    CHECK(pumped.report().duration >= 70 * kMillisecond);
    CHECK(pumped.is_told());
}

TEST_CASE("one byte stops every blocking pump that waits for it, with a Close", "[pump]") {
    Pipe pipe;
    Pumped first({}, pipe.read.get());
    Pumped second({}, pipe.read.get());
    CHECK(first.begin().ends.echoes("hello"));
    second.begin();
    pipe.signal();
    for (Pumped* pumped : {&first, &second}) {
        CHECK(pumped->is_told());
        ::shutdown(pumped->ends.client.get(), SHUT_WR);
        CHECK(pumped->report().reason == EndReason::shutdown);
    }
}

TEST_CASE("a blocking pump that has been stopped does not wait for silent peers for long",
          "[pump]") {
    Pipe pipe;
    Pumped pumped(closing_within(kPatienceMs * kMillisecond * 10), pipe.read.get());
    CHECK(pumped.begin().ends.echoes("hello"));
    pipe.signal();
    CHECK(pumped.report().reason == EndReason::shutdown);
    CHECK(pumped.report().duration < kPatienceMs * kMillisecond);
}

TEST_CASE("a drain gives the tunnel of a blocking pump its moment", "[pump]") {
    Pumped pumped;
    CHECK(pumped.begin().ends.echoes("hello"));
    pumped.pump.close_all(drain_within(50 * kMillisecond));
    CHECK(pumped.is_told());
    ::shutdown(pumped.ends.client.get(), SHUT_WR);
    CHECK(pumped.report().reason == EndReason::drain);
    CHECK(pumped.report().duration >= 30 * kMillisecond);
}

TEST_CASE("a stop hurries a drain", "[pump]") {
    const bool by_descriptor = GENERATE(false, true);
    Pipe pipe;
    Pumped pumped(closing_within(20 * kMillisecond), pipe.read.get());
    pumped.begin().pump.close_all(drain_within(600 * kSecond));
    CHECK(pumped.ends.echoes("still open"));
    if (by_descriptor)
        pipe.signal();
    else
        pumped.pump.close_all(stop_now());
    CHECK(pumped.ends.take_close(Side::client) == 1012);
    CHECK(pumped.report().reason == EndReason::shutdown);
}

TEST_CASE("a blocking pump follows commands that came before it began", "[pump]") {
    Pumped pumped;
    pumped.pump.close_all(stop_now());
    pumped.begin();
    CHECK(pumped.is_told());
    CHECK(pumped.report().reason == EndReason::shutdown);
}

TEST_CASE(
    "a descriptor handler is called on the thread of a blocking pump, until it has no descriptor "
    "any more",
    "[pump]") {
    class Told final : public FdHandler {
      public:
        int fd() const noexcept override { return rung < 2 ? pipe.read.get() : -1; }
        void on_readable() noexcept override {
            thread = std::this_thread::get_id();
            if (++rung == 2)
                pumped->pump.close_all(stop_now());
        }
        Pipe pipe;
        Pumped* pumped = nullptr;
        std::thread::id thread;
        std::atomic<int> rung{0};
    } handler;
    Pumped pumped({}, -1, &handler);
    handler.pumped = &pumped;
    CHECK(pumped.begin().ends.echoes("hello"));
    handler.pipe.signal();
    CHECK(pumped.is_told());
    CHECK(pumped.report().reason == EndReason::shutdown);
    CHECK(handler.rung == 2);
    CHECK(handler.thread != std::this_thread::get_id());
}

TEST_CASE("a blocking pump for which the system has no descriptor left gets commands all the same",
          "[pump]") {
    Pipe pipe;
    const bool by_descriptor = GENERATE(false, true);
    EndBoard board;
    SocketTunnel made = make_socket_tunnel(board);
    std::optional<BlockingPump> pump;
    {
        const NoDescriptors none;
        pump.emplace(pipe.read.get(), nullptr);
    }
    std::thread thread([&] { pump->run(std::move(made.tunnel)); });
    CHECK(made.ends.echoes("hello"));
    if (by_descriptor)
        pipe.signal();
    else
        pump->close_all(stop_now());
    CHECK(made.ends.take_close(Side::client) == 1012);
    CHECK(made.ends.take_close(Side::backend) == 1012);
    made.ends = {};
    thread.join();
    CHECK(board.ended_by(EndReason::shutdown) == 1);
}

TEST_CASE("a blocking pump drives TLS", "[pump]") {
    EndBoard board;
    TlsPair pair;
    SocketPair client = unix_pair();
    TunnelParts parts;
    parts.client = std::make_unique<SocketStream>(std::move(client.ours));
    parts.backend = pair.stream();
    parts.terms.policy = std::make_shared<const Policy>();
    parts.observer = board.observer();
    auto tunnel = std::make_unique<Tunnel>(std::move(parts));
    BlockingPump pump(-1, nullptr);
    std::thread thread([&] { pump.run(std::move(tunnel)); });
    const std::string up = frame(Side::client, kBinary, std::string(100'000, 'u'));
    const std::string down = frame(Side::backend, kBinary, std::string(100'000, 'd'));
    bool sent = false;
    std::thread writes([&] { sent = send_all(client.theirs.get(), up); });
    CHECK((pair.peer.hear(up.size()) == up));
    writes.join();
    CHECK(sent);
    pair.peer.write(down);
    std::thread reads([&] { pair.peer.send(); });
    CHECK((read_up_to(client.theirs.get(), down.size()) == down));
    reads.join();
    client.theirs.reset();
    pair.peer.fin();
    thread.join();
    CHECK(board.reports().size() == 1);
}

TEST_CASE("a blocking pump's tunnel ends with its group", "[pump]") {
    TunnelGroup group;
    Pumped pumped({}, -1, nullptr, false, group.subscribe());
    CHECK(pumped.begin().ends.echoes("here"));
    pumped.pump.check_groups();
    CHECK(pumped.ends.echoes("still here"));
    group.drain(EndReason::member_down, monotonic_now(), 0);
    pumped.pump.check_groups();
    CHECK(pumped.is_told());
    CHECK(pumped.report().reason == EndReason::member_down);
}
