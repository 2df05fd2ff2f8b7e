// Handshake messages after the handshake: tickets and KeyUpdates, split and joined over records, and floods of them.
#include <catch2/catch.hpp>

#include "support/tls_records.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

using Stop = RecordReader::Stop;
constexpr TlsSuite kSuite = TlsSuite::aes_128_gcm_sha256;

RecordReader reader_of(RecordCrypto& crypto, TlsSuite suite = kSuite,
                       TlsRole peer = TlsRole::server) {
    return std::move(*RecordReader::make(crypto, suite, some_secret(suite), 0, peer));
}

}  // namespace

TEST_CASE("tickets are skipped, split after every byte", "[tls]") {
    RecordCrypto crypto;
    const std::string messages = ticket(30) + ticket(0) + ticket(7);
    for (std::size_t cut = 1; cut < messages.size(); ++cut) {
        RecordForge forge(crypto, kSuite);
        RecordReader reader = reader_of(crypto);
        const std::string wire =
            join({forge.data("before, "), forge.handshake(messages.substr(0, cut)),
                  forge.handshake(messages.substr(cut)), forge.data("after")});
        const Heard heard = hear(crypto, reader, wire, cut);
        CHECK(heard.plain == "before, after");
        CHECK(heard.stop == Stop::incomplete);
        CHECK_FALSE(reader.key_update_requested());
    }
}

TEST_CASE("a ticket of one byte per record, and the largest that there can be", "[tls]") {
    RecordCrypto crypto;
    RecordForge forge(crypto, kSuite);
    RecordReader reader = reader_of(crypto);
    std::string wire;
    for (const char c : ticket(300)) {
        wire += forge.handshake(std::string(1, c));
    }
    CHECK(hear(crypto, reader, wire + forge.data("one")).plain == "one");

    constexpr std::size_t kLargest = (std::size_t{1} << 24) - 1;
    std::string left = handshake_message(4, std::string(kLargest, 't'));
    REQUIRE(left.size() == kLargest + 4);
    for (std::size_t at = 0; at < left.size(); at += kMaxRecordPlain) {
        const Heard heard = hear(crypto, reader, forge.handshake(left.substr(at, kMaxRecordPlain)));
        REQUIRE(heard.stop == Stop::incomplete);
        REQUIRE(heard.plain.empty());
    }
    CHECK(hear(crypto, reader, forge.data("two")).plain == "two");
}

TEST_CASE("a KeyUpdate changes the key, split after every byte, joined to a ticket before it",
          "[tls]") {
    RecordCrypto crypto;
    for (const TlsSuite suite : kSuites) {
        const std::string messages = ticket(3) + handshake_message(24, "\1");
        for (std::size_t cut = 1; cut <= messages.size(); ++cut) {
            RecordForge forge(crypto, suite);
            RecordReader reader = reader_of(crypto, suite);
            std::string wire =
                join({forge.data("old, "), forge.handshake(messages.substr(0, cut))});
            if (cut < messages.size()) {
                wire += forge.handshake(messages.substr(cut));
            }
            forge.update();
            const Heard heard = hear(crypto, reader, wire + forge.data("new"), 11);
            CHECK(heard.plain == "old, new");
            CHECK(reader.sequence() == 1);
            CHECK(reader.key_update_requested());
        }
    }
}

TEST_CASE("an answer to KeyUpdates is asked for once, and only when one asks", "[tls]") {
    RecordCrypto crypto;
    RecordForge forge(crypto, kSuite);
    RecordReader reader = reader_of(crypto, kSuite, TlsRole::client);
    hear(crypto, reader, join({forge.key_update(false), forge.key_update(false)}));
    CHECK_FALSE(reader.key_update_requested());
    hear(crypto, reader,
         join({forge.key_update(true), forge.key_update(false), forge.key_update(true)}));
    CHECK(reader.key_update_requested());
    hear(crypto, reader, forge.key_update(false));
    CHECK(reader.key_update_requested());
    reader.clear_key_update_requested();
    CHECK_FALSE(reader.key_update_requested());
    CHECK(hear(crypto, reader, forge.data("data")).plain == "data");
    CHECK_FALSE(reader.key_update_requested());
}

TEST_CASE("a storm of KeyUpdates does a bounded part of its work per call, and loses nothing",
          "[tls]") {
    RecordCrypto crypto;
    RecordForge forge(crypto, kSuite);
    RecordReader reader = reader_of(crypto);
    std::string wire;
    for (int i = 0; i < 1000; ++i) {
        wire += forge.key_update(i % 3 == 0);
    }
    wire += forge.data("data");
    const auto first = open_over(crypto, reader, bytes_of(wire), wire.size());
    CHECK(first.stop == Stop::limit);
    constexpr std::size_t kAtMost = RecordReader::kMaxWork / (RecordReader::kKeyUpdateWork + 1) + 1;
    CHECK(first.consumed <= kAtMost * RecordWriter::kKeyUpdateRecord);
    CHECK(first.consumed > 0);
    const Heard heard = hear(crypto, reader, wire.substr(first.consumed));
    CHECK(heard.plain == "data");
    CHECK(heard.stop == Stop::incomplete);
    CHECK(heard.calls >= 1000 / kAtMost);
}

TEST_CASE("floods of tickets, empty records and ignored alerts stop at the limit, data does not",
          "[tls]") {
    RecordCrypto crypto;
    for (const char* const kind : {"ticket", "empty", "padding", "user_canceled", "data"}) {
        INFO(kind);
        RecordForge forge(crypto, kSuite);
        RecordReader reader = reader_of(crypto);
        const std::string name = kind;
        std::string wire;
        for (int i = 0; i < 1000; ++i) {
            wire += name == "ticket"    ? forge.handshake(ticket(20))
                    : name == "empty"   ? forge.data("")
                    : name == "padding" ? forge.data("", 100)
                    : name == "data"    ? forge.data("x")
                                        : forge.alert(Alert::user_canceled, 1);
        }
        std::string first = wire;
        const auto result = open_over(crypto, reader, bytes_of(first), first.size());
        CHECK(result.stop == (name == "data" ? Stop::incomplete : Stop::limit));
        CHECK(result.consumed ==
              (name == "data" ? wire.size() : wire.size() / 1000 * RecordReader::kMaxWork));
        const Heard rest =
            hear(crypto, reader, wire.substr(result.consumed) + forge.data("the end"));
        CHECK(rest.plain == "the end");
    }
}

TEST_CASE("exactly the limit's work and no more input is no limit", "[tls]") {
    RecordCrypto crypto;
    RecordForge forge(crypto, kSuite);
    RecordReader reader = reader_of(crypto);
    std::string wire;
    for (unsigned i = 0; i < RecordReader::kMaxWork; ++i) {
        wire += forge.data("");
    }
    const auto result = open_over(crypto, reader, bytes_of(wire), wire.size());
    CHECK(result.stop == Stop::incomplete);
    CHECK(result.consumed == wire.size());
}
