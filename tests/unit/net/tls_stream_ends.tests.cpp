// How TLS ends, well and badly; and what a TLS stream takes over from the SSL's former owner, and
// what it does not.
#include <openssl/err.h>
#include <catch2/catch.hpp>

#include "support/stream_calls.hpp"
#include "support/tls_pair.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

TlsPair any_pair(bool tcp = false) {
    const bool we_accept = GENERATE(true, false);
    const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
    return TlsPair(we_accept, version, make_pair(tcp));
}

bool g_callback_called = false;
void callback(const SSL*, int, int) {
    g_callback_called = true;
}
void message_callback(int, int, int, const void*, std::size_t, SSL*, void*) {
    g_callback_called = true;
}

}  // namespace

TEST_CASE("close_notify is an end for reading, and writing goes on") {
    TlsPair pair = any_pair();
    const auto stream = pair.any_stream();
    pair.peer.write("last words");
    pair.peer.close_notify();
    IoResult outcome;
    CHECK(drain(*stream, outcome) == "last words");
    CHECK(outcome.status == IoStatus::eof);
    std::string got;
    CHECK(read_from(*stream, got).status == IoStatus::eof);
    CHECK(write_to(*stream, "an answer").status == IoStatus::ok);
    CHECK(pair.peer.hear(9) == "an answer");
}

TEST_CASE("an end that is read together with the last bytes shows without the socket") {
    TlsPair pair = any_pair();
    const auto stream = pair.any_stream();
    const bool well = GENERATE(true, false);
    pair.peer.write("last words");
    if (well) {
        pair.peer.close_notify();
    } else {
        pair.peer.send();
        send_all(pair.peer.fd.get(), "this is certainly no TLS record");
    }
    std::string got;
    REQUIRE(await_read(*stream, got).status == IoStatus::ok);
    CHECK(got == "last words");
    CHECK(stream->has_buffered_input());  // nothing more will make the socket readable
    CHECK(read_from(*stream, got).status == (well ? IoStatus::eof : IoStatus::error));
    CHECK_FALSE(stream->has_buffered_input());
}

TEST_CASE("FIN without close_notify is an end too, and writing goes on") {
    TlsPair pair = any_pair();
    const auto stream = pair.any_stream();
    pair.peer.say("last words");
    pair.peer.fin();
    IoResult outcome;
    CHECK(drain(*stream, outcome) == "last words");
    CHECK(outcome.status == IoStatus::eof);
    std::string got;
    CHECK(read_from(*stream, got).status == IoStatus::eof);
    CHECK(write_to(*stream, "an answer").status == IoStatus::ok);
    CHECK(pair.peer.hear(9) == "an answer");
    CHECK(ERR_peek_error() == 0);
}

TEST_CASE("FIN in the middle of a record is an end") {
    TlsPair pair = any_pair();
    const auto stream = pair.any_stream();
    pair.peer.say("whole");
    pair.peer.write("cut off");
    pair.peer.send(10);
    pair.peer.fin();
    IoResult outcome;
    CHECK(drain(*stream, outcome) == "whole");
    CHECK(outcome.status == IoStatus::eof);
    CHECK_FALSE(stream->has_buffered_input());
    CHECK(ERR_peek_error() == 0);
}

TEST_CASE("shutdown_write() says close_notify and FIN, and reading goes on") {
    TlsPair pair = any_pair();
    const auto stream = pair.any_stream();
    write_to(*stream, "last words");
    stream->shutdown_write();
    CHECK(pair.peer.hear(SIZE_MAX) == "last words");
    CHECK(pair.peer.got_close_notify());
    CHECK_FALSE(pair.peer.receive());
    pair.peer.say("an answer");
    std::string got;
    CHECK(await_read(*stream, got).status == IoStatus::ok);
    CHECK(got == "an answer");
}

TEST_CASE("shutdown_write() of a full socket does not wait and leaves no error behind") {
    TlsPair pair = any_pair();
    shrink_buffers(pair.fd.get());
    const auto stream = pair.any_stream();
    const std::string much(50'000, 'x');
    while (write_to(*stream, much).status == IoStatus::ok) {
    }
    stream->shutdown_write();
    CHECK(ERR_peek_error() == 0);
    pair.peer.hear(SIZE_MAX);
    CHECK_FALSE(pair.peer.receive());
}

TEST_CASE("bytes that are no TLS are an error, not an end") {
    TlsPair pair = any_pair();
    const auto stream = pair.any_stream();
    send_all(pair.peer.fd.get(), "this is certainly no TLS record");
    IoResult outcome;
    CHECK(drain(*stream, outcome).empty());
    CHECK(outcome.status == IoStatus::error);
    CHECK(ERR_peek_error() == 0);
    stream->shutdown_write();
    CHECK(ERR_peek_error() == 0);
}

TEST_CASE("a record that was tampered with is an error") {
    TlsPair pair = any_pair();
    const auto stream = pair.any_stream();
    pair.peer.write("secret");
    pair.peer.send(7);
    send_all(pair.peer.fd.get(), std::string(60, 'x'));
    IoResult outcome;
    CHECK(drain(*stream, outcome).empty());
    CHECK(outcome.status == IoStatus::error);
    CHECK(ERR_peek_error() == 0);
}

TEST_CASE("a reset connection is an error with its errno, for reading and for writing") {
    TlsPair pair = any_pair(true);
    const auto stream = pair.any_stream();
    reset(pair.peer.fd);
    IoResult outcome;
    drain(*stream, outcome);
    CHECK(outcome.status == IoStatus::error);
    CHECK(outcome.error == ECONNRESET);
    const IoResult put = write_to(*stream, "anyone?");
    CHECK(put.status == IoStatus::error);
    CHECK(ERR_peek_error() == 0);
}

TEST_CASE("a TLS stream detaches the SSL from its former owner") {
    TlsPair pair = any_pair();
    SSL* const ssl = pair.ssl.get();
    int owner = 0;
    SSL_set_info_callback(ssl, callback);
    SSL_set_msg_callback(ssl, message_callback);
    SSL_set_app_data(ssl, &owner);
    const auto stream = pair.stream();
    CHECK(SSL_get_app_data(ssl) == nullptr);
    CHECK((SSL_get_options(ssl) & SSL_OP_NO_RENEGOTIATION) != 0);
    g_callback_called = false;
    pair.peer.say("hello");
    std::string got;
    CHECK(await_read(*stream, got).status == IoStatus::ok);
    CHECK(write_to(*stream, "hello").status == IoStatus::ok);
    stream->shutdown_write();
    CHECK_FALSE(g_callback_called);
}

TEST_CASE("an SSL that its former owner has marked as shut down is open again") {
    TlsPair pair = any_pair();
    SSL_set_shutdown(pair.ssl.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    const auto stream = pair.any_stream();
    pair.peer.say("hello");
    std::string got;
    CHECK(await_read(*stream, got).status == IoStatus::ok);
    CHECK(got == "hello");
    CHECK(write_to(*stream, "welcome").status == IoStatus::ok);
    stream->shutdown_write();
    CHECK(pair.peer.hear(SIZE_MAX) == "welcome");
    CHECK(pair.peer.got_close_notify());
}

TEST_CASE(
    "an SSL that its former owner still refers to outlives the stream, the descriptor does not") {
    const std::size_t before = open_descriptors();
    UniqueSsl former;
    {
        TlsPair pair = any_pair();
        SSL_up_ref(pair.ssl.get());
        former.reset(pair.ssl.get());
        const auto stream = pair.stream();
        write_to(*stream, "hello");
    }
    CHECK(open_descriptors() == before);
    CHECK(SSL_is_init_finished(former.get()) == 1);
}
