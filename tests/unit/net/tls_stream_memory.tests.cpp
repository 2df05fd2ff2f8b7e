// A TLS stream that OpenSSL has no memory for.
#include <cerrno>
#include <optional>

#include <catch2/catch.hpp>

#include "support/hostile_owner.hpp"
#include "support/openssl_memory.hpp"
#include "support/stream_calls.hpp"
#include "support/tls_pair.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

void check_that_it_is_an_error(TlsStream& stream) {
    std::string got;
    CHECK(stream.has_buffered_input());  // so that somebody reads, and learns of it
    for (int i = 0; i < 2; ++i) {
        const IoResult read = read_from(stream, got);
        CHECK(read.status == IoStatus::error);
        CHECK(read.error == ENOMEM);
    }
    const IoResult put = write_to(stream, "hello");
    CHECK(put.status == IoStatus::error);
    CHECK(put.error == ENOMEM);
    CHECK_FALSE(stream.has_buffered_input());
    CHECK(stream.wire_bytes_read() == 0);
    CHECK(stream.wire_bytes_written() == 0);
    stream.shutdown_write();
}

}  // namespace

TEST_CASE("a TLS stream without a neutral context is an error from the start") {
    TlsPair pair(GENERATE(true, false));
    TlsStream stream(std::move(pair.ssl), std::move(pair.fd), nullptr);
    check_that_it_is_an_error(stream);
}

TEST_CASE("a TLS stream is an error from the start, whichever allocation fails") {
    REQUIRE(openssl_memory_is_ours);
    const UniqueSslCtx neutral = make_neutral_context();
    REQUIRE(neutral);
    bool failed = true;
    int errors = 0;
    for (int succeed = 0; failed; ++succeed) {
        TlsPair pair(true, TLS1_2_VERSION);
        leave_callbacks(pair.ctx.get());
        leave_callbacks(pair.ssl.get());
        calls_to_owner.clear();
        std::optional<TlsStream> stream;
        {
            const FailingAllocation failing(succeed);
            stream.emplace(std::move(pair.ssl), std::move(pair.fd), neutral.get());
            failed = failing.has_failed();
        }
        if (stream->has_buffered_input()) {
            check_that_it_is_an_error(*stream);
            ++errors;
        } else {  // nothing failed, or nothing that was needed
            pair.peer.say("hello");
            std::string got;
            CHECK(await_read(*stream, got).status == IoStatus::ok);
            CHECK(got == "hello");
        }
        stream.reset();
        CHECK(calls_to_owner.empty());
    }
    CHECK(errors > 0);
}

TEST_CASE("there is no neutral context, whichever allocation fails") {
    REQUIRE(openssl_memory_is_ours);
    bool failed = true;
    int none = 0;
    for (int succeed = 0; failed; ++succeed) {
        const FailingAllocation failing(succeed);
        none += make_neutral_context() ? 0 : 1;
        failed = failing.has_failed();
    }
    CHECK(none > 0);
    CHECK(make_neutral_context());
}
