// What a RecordWriter seals, a RecordReader opens.
#include <catch2/catch.hpp>

#include "support/tls_records.hpp"

using namespace wsp;
using namespace wsp::test;

TEST_CASE("what a writer seals is what a reader opens, in all suites", "[tls]") {
    RecordCrypto crypto;
    REQUIRE(crypto.valid());
    for (const TlsSuite suite : kSuites) {
        auto writer = RecordWriter::make(crypto, suite, some_secret(suite), 3);
        auto reader = RecordReader::make(crypto, suite, some_secret(suite), 3, TlsRole::client);
        REQUIRE((writer && reader));
        std::string wire(3 * kMaxRecord, '\0');
        std::string sent;
        std::size_t size = 0;
        for (const std::size_t length : {std::size_t{5}, std::size_t{0}, kMaxRecordPlain}) {
            const std::string plain(length, 'x');
            const std::size_t sealed =
                writer->seal(crypto, bytes_of(plain), length, bytes_of(wire) + size);
            REQUIRE(sealed == length + kRecordOverhead);
            size += sealed;
            sent += plain;
        }
        wire.resize(size);
        const Heard heard = hear(crypto, *reader, wire);
        CHECK(heard.plain == sent);
        CHECK(heard.stop == RecordReader::Stop::incomplete);
    }
}
