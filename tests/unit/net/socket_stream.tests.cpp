// A socket as a stream: what each outcome of recv and send becomes.
#include "net/socket_stream.hpp"

#include <fcntl.h>

#include <catch2/catch.hpp>
#include <cerrno>

#include "support/stream_calls.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

int option(int fd, int level, int name) {
    int value = 0;
    socklen_t size = sizeof value;
    checked(::getsockopt(fd, level, name, &value, &size), "getsockopt");
    return value;
}

}  // namespace

TEST_CASE("a tunnel's socket does not block and does not forget a dead peer") {
    SocketPair pair = tcp_pair();
    const int fd = pair.ours.get();
    const SocketStream stream(std::move(pair.ours));
    CHECK(stream.fd() == fd);
    CHECK((::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    CHECK(option(fd, SOL_SOCKET, SO_KEEPALIVE) != 0);
}

TEST_CASE("a socket stream passes bytes as they are and counts them") {
    const bool tcp = GENERATE(false, true);
    SocketPair pair = make_pair(tcp);
    SocketStream stream(std::move(pair.ours));
    std::string got;
    CHECK(read_from(stream, got, 10).status == IoStatus::would_block);
    CHECK(stream.interest_to_read() == kReadable);
    CHECK(stream.interest_to_write() == kWritable);

    REQUIRE(send_all(pair.theirs.get(), std::string("a\0b\xFF", 4)));
    REQUIRE(wait_for(stream.fd(), POLLIN));
    CHECK(read_from(stream, got, 2).status == IoStatus::ok);
    CHECK(got == std::string("a\0", 2));
    CHECK_FALSE(stream.has_buffered_input());
    CHECK(read_from(stream, got, 100).status == IoStatus::ok);
    CHECK(got == "b\xFF");

    CHECK(write_to(stream, "hello").size == 5);
    CHECK(read_up_to(pair.theirs.get(), 5) == "hello");
    CHECK(stream.wire_bytes_read() == 4);
    CHECK(stream.wire_bytes_written() == 5);
}

TEST_CASE("after FIN every read reports the end, and writing goes on") {
    const bool tcp = GENERATE(false, true);
    SocketPair pair = make_pair(tcp);
    SocketStream stream(std::move(pair.ours));
    send_all(pair.theirs.get(), "last");
    ::shutdown(pair.theirs.get(), SHUT_WR);
    std::string got;
    REQUIRE(await([&] { return read_from(stream, got, 10).status != IoStatus::would_block; }));
    CHECK(got == "last");
    REQUIRE(await([&] { return read_from(stream, got, 10).status == IoStatus::eof; }));
    CHECK(read_from(stream, got, 10).status == IoStatus::eof);
    CHECK(write_to(stream, "still").status == IoStatus::ok);
    CHECK(read_up_to(pair.theirs.get(), 5) == "still");
}

TEST_CASE("shutdown_write() is FIN for the peer, and reading goes on") {
    const bool tcp = GENERATE(false, true);
    SocketPair pair = make_pair(tcp);
    SocketStream stream(std::move(pair.ours));
    stream.shutdown_write();
    CHECK(at_end(pair.theirs.get()));
    send_all(pair.theirs.get(), "after");
    REQUIRE(wait_for(stream.fd(), POLLIN));
    std::string got;
    CHECK(read_from(stream, got, 10).status == IoStatus::ok);
    CHECK(got == "after");
}

TEST_CASE("a connection that the peer has reset is an error with its errno") {
    SocketPair pair = tcp_pair();
    SocketStream stream(std::move(pair.ours));
    reset(pair.theirs);
    std::string got;
    IoResult outcome;
    REQUIRE(await(
        [&] { return (outcome = read_from(stream, got, 10)).status != IoStatus::would_block; }));
    CHECK(outcome.status == IoStatus::error);
    CHECK(outcome.error == ECONNRESET);
}

TEST_CASE("writing to a peer that has gone is an error and raises no signal") {
    SocketPair pair = unix_pair();
    SocketStream stream(std::move(pair.ours));
    pair.theirs.reset();
    const IoResult outcome = write_to(stream, "anyone?");
    CHECK(outcome.status == IoStatus::error);
    CHECK(outcome.error == EPIPE);
    CHECK(stream.wire_bytes_written() == 0);
}

TEST_CASE("a full socket takes a part, then would block, and loses nothing") {
    const bool tcp = GENERATE(false, true);
    SocketPair pair = make_pair(tcp);
    shrink_buffers(pair.ours.get());
    shrink_buffers(pair.theirs.get());
    SocketStream stream(std::move(pair.ours));
    std::string much;
    for (int i = 0; much.size() < 8'000'000; ++i)
        much += std::to_string(i);
    std::size_t sent = 0;
    IoResult put;
    while ((put = write_to(stream, much.substr(sent))).status == IoStatus::ok) {
        REQUIRE(put.size > 0);
        sent += put.size;
    }
    CHECK(put.status == IoStatus::would_block);
    CHECK(sent < much.size());
    CHECK(stream.wire_bytes_written() == sent);
    CHECK(read_up_to(pair.theirs.get(), sent) == much.substr(0, sent));
    REQUIRE(wait_for(stream.fd(), POLLOUT));
    CHECK(write_to(stream, "more").status == IoStatus::ok);
}

TEST_CASE("a socket stream closes its descriptor") {
    const std::size_t before = open_descriptors();
    {
        SocketPair pair = unix_pair();
        const SocketStream stream(std::move(pair.ours));
        CHECK(open_descriptors() == before + 2);
    }
    CHECK(open_descriptors() == before);
}
