// Peers that send what gives nothing to pass on: how much of it one read takes, and what becomes of answers that the peer
// does not read.
#include <catch2/catch.hpp>

#include "support/stream_calls.hpp"
#include "support/tls_pair.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

constexpr std::size_t kRecord = 16 * 1024 + 1024;  // at most, on the wire

void update_keys(TlsPeer& peer, int count, int type) {
    for (int i = 0; i < count; ++i)
        must(SSL_key_update(peer.ssl.get(), type) == 1 && SSL_do_handshake(peer.ssl.get()) == 1,
             "no KeyUpdate");
}

// As much as the socket takes.
std::size_t send_what_fits(TlsPeer& peer) {
    std::size_t sent = 0;
    for (std::size_t n = 1; n > 0 && wait_for(peer.fd.get(), POLLOUT, 0); sent += n)
        n = peer.send(4096);
    return sent;
}

// Fills the socket from our end until a write is left half done.
void fill(Stream& stream) {
    const std::string much(50'000, 'x');
    while (write_to(stream, much).status == IoStatus::ok) {
    }
}

}  // namespace

TEST_CASE("one read takes no more of a flood than one record, and the next read goes on") {
    TlsPair pair(true, TLS1_3_VERSION, make_pair(true));
    const auto stream = pair.stream();
    update_keys(pair.peer, 1500, SSL_KEY_UPDATE_NOT_REQUESTED);
    pair.peer.write("behind it");
    REQUIRE(send_what_fits(pair.peer) > 2 * kRecord);
    std::string got;
    int reads = 0;
    std::uint64_t before = 0;
    IoResult outcome;
    do {
        REQUIRE(wait_for(stream->fd(), POLLIN));
        outcome = read_from(*stream, got);
        CHECK(stream->wire_bytes_read() - before <= kRecord);
        before = stream->wire_bytes_read();
        CHECK_FALSE(stream->has_buffered_input());
        ++reads;
        send_what_fits(pair.peer);
    } while (outcome.status == IoStatus::would_block && stream->interest_to_read() == kReadable);
    CHECK(got == "behind it");
    CHECK(reads > 2);
}

TEST_CASE("a flood between single bytes is limited too") {
    TlsPair pair(true, TLS1_3_VERSION, make_pair(true));
    const auto stream = pair.stream();
    for (int i = 0; i < 50; ++i) {
        update_keys(pair.peer, 30, SSL_KEY_UPDATE_NOT_REQUESTED);
        pair.peer.write("x");
    }
    REQUIRE(send_what_fits(pair.peer) > 2 * kRecord);
    REQUIRE(wait_for(stream->fd(), POLLIN));
    std::string got;
    CHECK(read_from(*stream, got).status == IoStatus::ok);
    CHECK(stream->wire_bytes_read() <= kRecord);
}

TEST_CASE("a read that gets data calls recv() again") {
    TlsPair pair(true, TLS1_3_VERSION, make_pair(true));
    const auto stream = pair.stream();
    pair.peer.say(std::string(64 * 1024, 'x'));
    std::string got;
    REQUIRE(wait_for(stream->fd(), POLLIN));
    CHECK(read_from(*stream, got).status == IoStatus::ok);
    CHECK(got.size() > kRecord);
}

TEST_CASE("while the peer does not read our answers, reading waits until the socket is writable") {
    TlsPair pair;
    shrink_buffers(pair.fd.get());
    const auto stream = pair.stream();
    std::string got;
    int updates = 0;
    do {
        update_keys(pair.peer, 1, SSL_KEY_UPDATE_REQUESTED);
        pair.peer.write("x");
        pair.peer.send();
        read_from(*stream, got);
    } while (stream->interest_to_read() == kReadable && ++updates < 10'000);
    CHECK(stream->interest_to_read() == kWritable);
    CHECK_FALSE(stream->has_buffered_input());
    CHECK_FALSE(wait_for(stream->fd(), POLLOUT, 0));  // so the poller sleeps
    pair.peer.receive();
    pair.peer.read();
    CHECK(await_read(*stream, got).status == IoStatus::ok);
}

TEST_CASE("a new key does no harm to an unfinished write") {
    TlsPair pair(GENERATE(true, false), TLS1_3_VERSION);
    shrink_buffers(pair.fd.get());
    const auto stream = pair.stream();
    fill(*stream);
    if (GENERATE(true, false))
        update_keys(pair.peer, 1, SSL_KEY_UPDATE_REQUESTED);
    else
        update_keys(pair.peer, 20, SSL_KEY_UPDATE_NOT_REQUESTED);
    pair.peer.say("as before");
    std::string got;
    CHECK(await_read(*stream, got).status == IoStatus::ok);
    CHECK(got == "as before");
    // The same bytes once more, until they are through; then others, with the new key.
    const std::string much(50'000, 'x');
    std::string heard;
    for (int written = 0; written < 3;) {
        const IoResult put = write_to(*stream, much);
        REQUIRE(put.status != IoStatus::error);
        written += put.status == IoStatus::ok ? 1 : 0;
        pair.peer.receive();
        heard += pair.peer.read();
    }
    stream->shutdown_write();
    heard += pair.peer.hear(SIZE_MAX);
    CHECK(heard.find_first_not_of('x') == std::string::npos);
    CHECK(pair.peer.got_close_notify());
}

TEST_CASE("renegotiation is refused during an unfinished write, and the stream goes on") {
    TlsPair pair(true, TLS1_2_VERSION);
    shrink_buffers(pair.fd.get());
    const auto stream = pair.stream();
    fill(*stream);
    SSL_renegotiate(pair.peer.ssl.get());
    SSL_do_handshake(pair.peer.ssl.get());
    ERR_clear_error();
    pair.peer.send();
    std::string got;
    CHECK(read_from(*stream, got).status == IoStatus::would_block);
    for (int i = 0; i < 20; ++i) {
        CHECK(write_to(*stream, std::string(50'000, 'x')).status != IoStatus::error);
        char taken[16 * 1024];
        while (::recv(pair.peer.fd.get(), taken, sizeof taken, MSG_DONTWAIT) > 0) {
        }
    }
}
