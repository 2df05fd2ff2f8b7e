// One tunnel on a thread of its own: the same bytes and ends as in the pump, and the descriptors that stop it.
#include "tunnel/blocking_pump.hpp"

#include <fcntl.h>
#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "support/socket_tunnel.hpp"
#include "support/tls_pair.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

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
    explicit Pumped(const Policy& policy = {}, StopSignals stop = {}, bool tcp = false)
        : Pumped(stop, std::make_unique<EndBoard>(), policy, tcp) {}
    ~Pumped() {
        ends = {};
        thread_.join();
    }

    TunnelReport report() {
        REQUIRE(board_->await_reports(1));
        return board_->reports()[0];
    }

    Ends ends;

  private:
    Pumped(StopSignals stop, std::unique_ptr<EndBoard> board, const Policy& policy, bool tcp)
        : board_(std::move(board)) {
        SocketTunnel made = make_socket_tunnel(*board_, tcp, policy);
        ends = std::move(made.ends);
        tunnel_ = std::move(made.tunnel);
        thread_ = std::thread([this, stop] { run_blocking(*tunnel_, stop); });
    }

    std::unique_ptr<EndBoard> board_;
    std::unique_ptr<Tunnel> tunnel_;
    std::thread thread_;
};

StopSignals stopped_by(const Pipe& pipe) {
    StopSignals stop;
    stop.stop_fd = pipe.read.get();
    return stop;
}

Policy closing_within(DurationUs timeout) {
    Policy policy;
    policy.close_timeout = timeout;
    return policy;
}

}  // namespace

TEST_CASE("a blocking pump passes bytes and ends when its peers do", "[pump]") {
    const bool tcp = GENERATE(false, true);
    Pumped pumped({}, {}, tcp);
    CHECK(pumped.ends.echoes("hello"));
    CHECK(pumped.ends.echoes(std::string(50'000, 'x')));
    CHECK(pumped.ends.close_well());
    CHECK(pumped.report().reason == EndReason::client_close);
    CHECK(pumped.report().client.messages == 2);
}

TEST_CASE("a blocking pump ends when a peer vanishes", "[pump]") {
    const Side first = GENERATE(Side::client, Side::backend);
    Pumped pumped({}, {}, true);
    CHECK(pumped.ends.echoes("hello"));
    reset(first == Side::client ? pumped.ends.client : pumped.ends.backend);
    CHECK(at_end(pumped.ends.fd(other(first))));
    ::shutdown(pumped.ends.fd(other(first)), SHUT_WR);
    CHECK(closed_by(pumped.report().reason) == "error");
}

TEST_CASE("a blocking pump keeps time", "[pump]") {
    Policy policy = closing_within(20 * kMillisecond);
    policy.idle_timeout = 50 * kMillisecond;
    Pumped pumped(policy);
    CHECK(pumped.report().reason == EndReason::idle_timeout);
    CHECK(pumped.report().duration >= 70 * kMillisecond);
    CHECK(pumped.ends.take_close(Side::client) == 1012);
    CHECK(pumped.ends.take_close(Side::backend) == 1012);
}

TEST_CASE("one byte stops every blocking pump that waits for it, with a Close", "[pump]") {
    Pipe pipe;
    Pumped first({}, stopped_by(pipe));
    Pumped second({}, stopped_by(pipe));
    CHECK(first.ends.echoes("hello"));
    pipe.signal();
    for (Pumped* pumped : {&first, &second}) {
        CHECK(pumped->ends.take_close(Side::client) == 1012);
        CHECK(pumped->ends.take_close(Side::backend) == 1012);
        ::shutdown(pumped->ends.client.get(), SHUT_WR);
        CHECK(pumped->report().reason == EndReason::shutdown);
    }
}

TEST_CASE("a blocking pump that has been stopped does not wait for silent peers for long",
          "[pump]") {
    Pipe pipe;
    Pumped pumped(closing_within(kPatienceMs * kMillisecond * 10), stopped_by(pipe));
    CHECK(pumped.ends.echoes("hello"));
    pipe.signal();
    CHECK(pumped.report().reason == EndReason::shutdown);
    CHECK(pumped.report().duration < kPatienceMs * kMillisecond);
}

TEST_CASE("a drain signal gives a blocking pump its moment", "[pump]") {
    Pipe pipe;
    StopSignals stop;
    stop.drain_fd = pipe.read.get();
    stop.drain_plan = [](MonotonicUs now) {
        return ClosePlan::drain(now, 50 * kMillisecond, 20 * kMillisecond, 20 * kSecond);
    };
    Pumped pumped({}, stop);
    CHECK(pumped.ends.echoes("hello"));
    pipe.signal();
    CHECK(pumped.ends.take_close(Side::client) == 1012);
    CHECK(pumped.ends.take_close(Side::backend) == 1012);
    ::shutdown(pumped.ends.client.get(), SHUT_WR);
    CHECK(pumped.report().reason == EndReason::drain);
    CHECK(pumped.report().duration >= 30 * kMillisecond);
}

TEST_CASE("a stop hurries a drain", "[pump]") {
    Pipe drain, stop;
    StopSignals both = stopped_by(stop);
    both.drain_fd = drain.read.get();
    both.drain_plan = [](MonotonicUs now) {
        return ClosePlan::drain(now, 600 * kSecond, 0, kSecond);
    };
    Pumped pumped(closing_within(20 * kMillisecond), both);
    drain.signal();
    CHECK(pumped.ends.echoes("still open"));
    stop.signal();
    CHECK(pumped.ends.take_close(Side::client) == 1012);
    CHECK(pumped.report().reason == EndReason::shutdown);
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
    Tunnel tunnel(std::move(parts));
    std::thread thread([&] { run_blocking(tunnel, {}); });
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

TEST_CASE("a tunnel on a thread of its own ends with its group") {
    class Down final : public GroupWatch {
      public:
        bool ended(ClosePlan& plan) noexcept override {
            plan = ClosePlan::member_down(monotonic_now(), 0);
            return ++asked == 2;
        }
        std::atomic<int> asked{0};
    } down;
    StopSignals stop;
    stop.group = &down;
    Pumped pumped({}, stop);
    CHECK(pumped.ends.echoes("here"));
    CHECK(pumped.ends.take_close(Side::client) == 1012);
    CHECK(pumped.ends.take_close(Side::backend) == 1012);
    CHECK(down.asked == 2);
    CHECK(pumped.report().reason == EndReason::member_down);
}
