// TLS over a real connection inside this process, in both roles and both versions.
#include "net/tls_stream.hpp"

#include <catch2/catch.hpp>

#include "support/stream_calls.hpp"
#include "support/tls_pair.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

std::string numbers(std::size_t size) {
    std::string out;
    for (int i = 0; out.size() < size; ++i)
        out += std::to_string(i) + ' ';
    return out.substr(0, size);
}

int any_version() {
    return GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
}

TlsPair any_pair() {
    const bool we_accept = GENERATE(true, false);
    return TlsPair(we_accept, any_version());
}

}  // namespace

TEST_CASE("a TLS stream passes bytes both ways and counts them as they are on the wire") {
    TlsPair pair = any_pair();
    const auto stream = pair.any_stream();
    std::string got;
    CHECK(read_from(*stream, got).status == IoStatus::would_block);
    CHECK_FALSE(stream->has_buffered_input());
    const std::uint64_t read_before = stream->wire_bytes_read();
    const std::uint64_t written_before = stream->wire_bytes_written();

    pair.peer.say("hello");
    CHECK(await_read(*stream, got).status == IoStatus::ok);
    CHECK(got == "hello");
    CHECK(write_to(*stream, "welcome").size == 7);
    CHECK(pair.peer.hear(7) == "welcome");
    CHECK(stream->wire_bytes_read() > read_before + 5);
    CHECK(stream->wire_bytes_written() > written_before + 7);
}

TEST_CASE("a record that is larger than the room is read in turns, without the socket") {
    TlsPair pair = any_pair();
    const auto stream = pair.any_stream();
    const std::string sent = numbers(16 * 1024);
    pair.peer.say(sent);
    std::string all, got;
    REQUIRE(await_read(*stream, got, 100).status == IoStatus::ok);
    for (all = got; stream->has_buffered_input(); all += got)
        REQUIRE(read_from(*stream, got, 100).status == IoStatus::ok);
    CHECK(all == sent);
    CHECK(read_from(*stream, got).status == IoStatus::would_block);
}

TEST_CASE("one read takes as many records as there is room for") {
    TlsPair pair = any_pair();
    const auto stream = pair.any_stream();
    std::string sent;
    for (int i = 0; i < 50; ++i) {
        pair.peer.write(std::to_string(i) + ' ');
        sent += std::to_string(i) + ' ';
    }
    pair.peer.send();
    std::string got;
    REQUIRE(await_read(*stream, got).status == IoStatus::ok);
    CHECK(got == sent);
    CHECK_FALSE(stream->has_buffered_input());
}

TEST_CASE("records cut anywhere come out whole, and nothing spins while one is incomplete") {
    TlsPair pair = any_pair();
    const auto stream = pair.any_stream();
    std::string all, got;
    for (int i = 0; i < 4; ++i)
        pair.peer.write("some words ");
    while (pair.peer.send(1) == 1) {
        REQUIRE(wait_for(stream->fd(), POLLIN));
        if (read_from(*stream, got).status == IoStatus::ok)
            all += got;
        CHECK_FALSE(stream->has_buffered_input());
    }
    CHECK(all == "some words some words some words some words ");
}

TEST_CASE("a whole record behind which another begins is read at once") {
    TlsPair pair = any_pair();
    const auto stream = pair.any_stream();
    pair.peer.write("whole");
    pair.peer.send();
    pair.peer.write(numbers(1000));
    pair.peer.send(500);
    std::string got;
    REQUIRE(await_read(*stream, got).status == IoStatus::ok);
    CHECK(got == "whole");
    CHECK(read_from(*stream, got).status == IoStatus::would_block);
    CHECK_FALSE(stream->has_buffered_input());
    pair.peer.send();
    REQUIRE(await_read(*stream, got).status == IoStatus::ok);
    CHECK(got == numbers(1000));
}

TEST_CASE(
    "a write that a full socket refused can be repeated from other memory and with more bytes") {
    TlsPair pair = any_pair();
    shrink_buffers(pair.fd.get());
    const auto stream = pair.any_stream();
    const std::string sent = numbers(3'000'000);
    std::size_t at = 0;
    std::string got;
    while (at < sent.size()) {
        // A copy in other memory each time, and longer than the one before.
        const std::string piece = sent.substr(at, 40'000 + at / 10);
        const IoResult put = write_to(*stream, piece);
        REQUIRE(put.status != IoStatus::error);
        at += put.size;
        if (put.status == IoStatus::would_block) {
            CHECK(stream->interest_to_write() == kWritable);
            pair.peer.receive();
            got += pair.peer.read();
        }
    }
    got += pair.peer.hear(sent.size() - got.size());
    CHECK(got == sent);
}

TEST_CASE("a write that would block does not hide input that is buffered") {
    TlsPair pair = any_pair();
    shrink_buffers(pair.fd.get());
    const auto stream = pair.any_stream();
    pair.peer.say("0123456789");
    std::string got;
    REQUIRE(await_read(*stream, got, 4).status == IoStatus::ok);
    REQUIRE(stream->has_buffered_input());
    const std::string much = numbers(100'000);
    while (write_to(*stream, much).status == IoStatus::ok) {
    }
    CHECK(stream->has_buffered_input());
    REQUIRE(read_from(*stream, got).status == IoStatus::ok);
    CHECK(got == "456789");
}

TEST_CASE("a new key in the middle of TLS 1.3 goes unnoticed") {
    TlsPair pair;
    const auto stream = pair.any_stream();
    pair.peer.write("before ");
    REQUIRE(SSL_key_update(pair.peer.ssl.get(), SSL_KEY_UPDATE_REQUESTED) == 1);
    pair.peer.write("after");
    pair.peer.send();
    std::string all, got;
    while (all.size() < 12 && await_read(*stream, got).status == IoStatus::ok)
        all += got;
    CHECK(all == "before after");
    CHECK(write_to(*stream, "answer").status == IoStatus::ok);
    CHECK(pair.peer.hear(6) == "answer");
}

TEST_CASE("a peer that asks for renegotiation is refused, and the stream goes on") {
    TlsPair pair(true, TLS1_2_VERSION);
    const auto stream = pair.stream();
    SSL_renegotiate(pair.peer.ssl.get());
    SSL_do_handshake(pair.peer.ssl.get());
    ERR_clear_error();
    pair.peer.send();
    REQUIRE(wait_for(stream->fd(), POLLIN));
    std::string got;
    CHECK(read_from(*stream, got).status == IoStatus::would_block);
    CHECK(write_to(*stream, "as before").status == IoStatus::ok);
}
