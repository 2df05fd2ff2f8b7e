// What a RecordWriter seals, a RecordReader opens.
#include <catch2/catch.hpp>

#include "support/hex.hpp"
#include "support/tls_records.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

using Stop = RecordReader::Stop;

RecordReader reader_of(RecordCrypto& crypto, TlsSuite suite, std::uint64_t sequence = 0) {
    return std::move(
        *RecordReader::make(crypto, suite, some_secret(suite), sequence, TlsRole::client));
}

}  // namespace

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

TEST_CASE("record numbers and key updates give the same bytes as another implementation", "[tls]") {
    // Made with Python's hmac and cryptography from the secrets of some_secret(): "hello" as application data, as
    // record 0x0102030405060708 of the first key, and as record 0 after two KeyUpdates.
    const char* const kWire[][2] = {
        {"170303001656a3aa04d7d2f26f994b6fa7ef166f46182aa9271c7f",
         "1703030016c03cbb8d793e03698c10b4a55f7c58b5e41463fc13e9"},
        {"1703030016fed90a8100584ffeeef9e9b03b3ee9acc3c4f8ca0eb5",
         "170303001602714da0cb061844f408226412cdc0f34070448484a2"},
        {"1703030016b34ed5830d36b894bfc7917e966399074a372fe4bd1d",
         "1703030016ea4a50fa01d3e358d65782a92ae6663178c4e69d0046"},
    };
    constexpr std::uint64_t kNumber = 0x0102030405060708;
    RecordCrypto crypto;
    for (std::size_t i = 0; i < 3; ++i) {
        RecordForge late(crypto, kSuites[i], kNumber);
        CHECK(late.data("hello") == from_hex(kWire[i][0]));
        auto reader = RecordReader::make(crypto, kSuites[i], some_secret(kSuites[i]), kNumber,
                                         TlsRole::client);
        CHECK(hear(crypto, *reader, from_hex(kWire[i][0])).plain == "hello");

        auto writer = RecordWriter::make(crypto, kSuites[i], some_secret(kSuites[i]), 0);
        std::string wire(5 + kRecordOverhead, '\0');
        REQUIRE(writer->seal_key_update(crypto, false, bytes_of(wire)) ==
                RecordWriter::kKeyUpdateRecord);
        REQUIRE(writer->seal_key_update(crypto, false, bytes_of(wire)) ==
                RecordWriter::kKeyUpdateRecord);
        REQUIRE(writer->seal(crypto, bytes_of("hello"), 5, bytes_of(wire)) == wire.size());
        CHECK(wire == from_hex(kWire[i][1]));
    }
}

TEST_CASE("many records at once are put together, and the beginning of one more stays as it is",
          "[tls]") {
    RecordCrypto crypto;
    RecordForge forge(crypto, TlsSuite::chacha20_poly1305_sha256);
    RecordReader reader = reader_of(crypto, TlsSuite::chacha20_poly1305_sha256);
    std::string wire;
    std::string sent;
    for (int i = 0; i < 500; ++i) {
        const std::string plain = "record " + std::to_string(i) + ";";
        sent += plain;
        wire += forge.data(plain);
    }
    const std::size_t whole = wire.size();
    const std::string last = forge.data("the last");
    wire += last.substr(0, last.size() - 1);
    const auto result = open_over(crypto, reader, bytes_of(wire), wire.size());
    CHECK(result.stop == Stop::incomplete);
    CHECK(result.consumed == whole);
    CHECK(wire.substr(0, result.plain) == sent);
    CHECK(wire.substr(whole) == last.substr(0, last.size() - 1));
}

TEST_CASE("record numbers go on at any number, and never wrap", "[tls]") {
    RecordCrypto crypto;
    constexpr std::uint64_t kLast = UINT64_MAX - 1;
    for (const std::uint64_t number :
         {std::uint64_t{255}, std::uint64_t{0xffffffff}, std::uint64_t{1} << 40, kLast}) {
        RecordForge forge(crypto, TlsSuite::aes_256_gcm_sha384, number);
        RecordReader reader = reader_of(crypto, TlsSuite::aes_256_gcm_sha384, number);
        const Heard heard = hear(crypto, reader, forge.data("one"));
        CHECK(heard.plain == "one");
        CHECK(reader.sequence() == number + 1);
        if (number == kLast) {
            CHECK(forge.data("two").empty());
            CHECK(hear(crypto, reader, std::string("\x17\3\3\0\x11", 5) + std::string(17, 'x'))
                      .stop == Stop::failed);
        } else {
            CHECK(hear(crypto, reader, forge.data("two")).plain == "two");
        }
    }
}

TEST_CASE("records are opened into other memory as far as there is room", "[tls]") {
    RecordCrypto crypto;
    const TlsSuite suite = TlsSuite::aes_128_gcm_sha256;
    constexpr std::size_t kBody = 100 + 1 + kTagSize;
    for (std::size_t room = 0; room <= 4 * kBody; ++room) {
        RecordForge forge(crypto, suite);
        RecordReader reader = reader_of(crypto, suite);
        std::string sent;
        std::string wire;
        for (const char c : {'a', 'b', 'c'}) {
            sent += std::string(100, c);
            wire += forge.data(std::string(100, c));
        }
        const std::string before = wire;
        std::string to(room + 1, '#');
        const auto result = reader.open(crypto, bytes_of(wire), wire.size(), bytes_of(to), room);
        // A record needs room for its body, whatever is in it.
        const std::size_t opened =
            room < kBody ? 0 : std::min<std::size_t>((room - kBody) / 100 + 1, 3);
        CHECK(result.plain == opened * 100);
        CHECK(result.consumed == opened * (kRecordHeader + kBody));
        CHECK(result.stop == (opened == 3 ? Stop::incomplete : Stop::limit));
        CHECK(to.substr(0, result.plain) == sent.substr(0, result.plain));
        CHECK(to.back() == '#');
        CHECK(wire == before);
    }
}
