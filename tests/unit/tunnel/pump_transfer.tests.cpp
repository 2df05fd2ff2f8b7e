// Much at once through a pump: both ways, with readers that sleep, beside tunnels that only want to say a word.
#include <catch2/catch.hpp>
#include <thread>

#include "support/pump_rig.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

// Frames of different sizes, about `size` bytes in all.
std::string bulk(Side from, std::size_t size) {
    std::string out;
    for (std::size_t i = 0; out.size() < size; ++i)
        out +=
            frame(from, kBinary, std::string(i * 7919 % 70'000, static_cast<char>('a' + i % 26)));
    return out;
}

void expect_same(const std::string& got, const std::string& sent) {
    CHECK(got.size() == sent.size());
    CHECK((got == sent));  // not printed: it is megabytes
}

}  // namespace

TEST_CASE("megabytes pass both ways at once, byte for byte", "[pump]") {
    const bool tcp = GENERATE(false, true);
    Policy policy;
    policy.buffer_size = 4096;
    PumpRig rig;
    const Ends ends = rig.open(tcp, policy);
    const std::string up = bulk(Side::client, 6'000'000), down = bulk(Side::backend, 6'000'000);
    std::string got_up, got_down;
    bool sent_up = false, sent_down = false;
    std::thread client_writes([&] { sent_up = send_all(ends.client.get(), up); });
    std::thread backend_writes([&] { sent_down = send_all(ends.backend.get(), down); });
    std::thread client_reads([&] { got_down = read_up_to(ends.client.get(), down.size()); });
    got_up = read_up_to(ends.backend.get(), up.size());
    client_writes.join();
    backend_writes.join();
    client_reads.join();
    CHECK((sent_up && sent_down));
    expect_same(got_up, up);
    expect_same(got_down, down);
    CHECK(ends.close_well());
}

TEST_CASE("a reader that sleeps stops the writer, and gets everything when it wakes", "[pump]") {
    const Side sleeper = GENERATE(Side::client, Side::backend);
    PumpRig rig;
    Ends ends = rig.open();
    const std::string all = bulk(other(sleeper), 8'000'000);
    const int writer = ends.fd(other(sleeper));
    // Until the writer is stopped for good: not a byte more in two looks.
    std::size_t sent = 0;
    for (int quiet = 0; quiet < 2 && sent < all.size();) {
        const ssize_t n =
            ::send(writer, all.data() + sent, all.size() - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        sent += n > 0 ? static_cast<std::size_t>(n) : 0;
        pollfd slot{writer, POLLOUT, 0};
        quiet = n > 0 || ::poll(&slot, 1, 100) == 1 ? 0 : quiet + 1;
    }
    CHECK(sent < 4'000'000);
    CHECK(ends.passes(sleeper, "the other way goes on"));

    std::thread rest([&] { send_all(writer, std::string_view(all).substr(sent)); });
    const std::string got = read_up_to(ends.fd(sleeper), all.size());
    rest.join();
    expect_same(got, all);
    CHECK(ends.close_well());
}

TEST_CASE("a busy tunnel does not keep the others waiting", "[pump]") {
    PumpRig rig;
    const Ends fast = rig.open();
    const Ends calm = rig.open();
    std::atomic<bool> stop{false};
    const std::string block = frame(Side::client, kBinary, std::string(100'000, 'x'));
    std::thread writes([&] {
        while (!stop && send_all(fast.client.get(), block)) {
        }
        ::shutdown(fast.client.get(), SHUT_WR);
    });
    std::thread reads([&] {
        char chunk[64 * 1024];
        while (wait_for(fast.backend.get(), POLLIN) &&
               ::recv(fast.backend.get(), chunk, sizeof chunk, 0) > 0) {
        }
    });
    for (int i = 0; i < 100; ++i)
        CHECK(calm.echoes("a word"));
    stop = true;
    writes.join();
    reads.join();
}

TEST_CASE("a sink that takes nothing for the send timeout ends the tunnel", "[pump]") {
    PumpRig rig;
    Policy policy;
    policy.send_timeout = 50 * kMillisecond;
    policy.close_timeout = 50 * kMillisecond;
    const Ends ends = rig.open(false, policy);
    std::thread writes([&] { send_all(ends.backend.get(), bulk(Side::backend, 8'000'000)); });
    CHECK(rig.board.await_destroyed(1));
    writes.join();
    CHECK(rig.board.ended_by(EndReason::client_stalled) == 1);
}

TEST_CASE("peers that vanish in the middle of a transfer end it", "[pump]") {
    const bool reader_goes = GENERATE(true, false);
    PumpRig rig;
    Ends ends = rig.open(true);
    const std::string all = bulk(Side::client, 4'000'000);
    std::thread writes([&] {
        send_all(ends.client.get(), reader_goes ? all : all.substr(0, 1'000'000));
        if (!reader_goes)
            reset(ends.client);
    });
    read_up_to(ends.backend.get(), 200'000);
    if (reader_goes)
        reset(ends.backend);
    else
        read_to_end(ends.backend.get());
    writes.join();
    ends = {};
    CHECK(rig.board.await_destroyed(1));
    CHECK(closed_by(rig.board.reports()[0].reason) == "error");
}
