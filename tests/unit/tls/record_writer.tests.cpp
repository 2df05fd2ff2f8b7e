// What a RecordWriter seals, and when it seals no more.
#include "tls/record_writer.hpp"

#include <catch2/catch.hpp>

#include "support/tls_records.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

constexpr TlsSuite kSuite = TlsSuite::aes_256_gcm_sha384;

RecordWriter writer_of(RecordCrypto& crypto, std::uint64_t sequence = 0, TlsSuite suite = kSuite) {
    return std::move(*RecordWriter::make(crypto, suite, some_secret(suite), sequence));
}

RecordReader reader_of(RecordCrypto& crypto, std::uint64_t sequence = 0) {
    return std::move(
        *RecordReader::make(crypto, kSuite, some_secret(kSuite), sequence, TlsRole::client));
}

std::string seal(RecordCrypto& crypto, RecordWriter& writer, const std::string& plain) {
    std::string wire(plain.size() + kRecordOverhead, '\0');
    wire.resize(writer.seal(crypto, bytes_of(plain), plain.size(), bytes_of(wire)));
    return wire;
}

std::string seal_key_update(RecordCrypto& crypto, RecordWriter& writer, bool request) {
    std::string wire(RecordWriter::kKeyUpdateRecord, '\0');
    wire.resize(writer.seal_key_update(crypto, request, bytes_of(wire)));
    return wire;
}

std::string seal_alert(RecordCrypto& crypto, RecordWriter& writer, Alert alert) {
    std::string wire(RecordWriter::kAlertRecord, '\0');
    wire.resize(writer.seal_alert(crypto, alert, bytes_of(wire)));
    return wire;
}

}  // namespace

TEST_CASE("a record can be sealed in place, with room for its header before it", "[tls]") {
    RecordCrypto crypto;
    for (const TlsSuite suite : kSuites) {
        for (const std::size_t size :
             {std::size_t{0}, std::size_t{1}, std::size_t{100}, kMaxRecordPlain}) {
            RecordWriter one = writer_of(crypto, 9, suite);
            RecordWriter other = writer_of(crypto, 9, suite);
            const std::string plain(size, 'p');
            std::string in_place = std::string(kRecordHeader, '\0') + plain + std::string(17, '\0');
            CHECK(one.seal(crypto, bytes_of(in_place) + kRecordHeader, size, bytes_of(in_place)) ==
                  in_place.size());
            CHECK(in_place == seal(crypto, other, plain));
        }
    }
}

TEST_CASE("more than a record's content is refused, and nothing else changes", "[tls]") {
    RecordCrypto crypto;
    RecordWriter writer = writer_of(crypto);
    CHECK(seal(crypto, writer, std::string(kMaxRecordPlain + 1, 'x')).empty());
    CHECK(writer.sequence() == 0);
    CHECK(seal(crypto, writer, "x").size() == 1 + kRecordOverhead);
    CHECK(writer.sequence() == 1);
}

TEST_CASE("a KeyUpdate is due before 2^24 records, and without it data is refused", "[tls]") {
    RecordCrypto crypto;
    RecordWriter early = writer_of(crypto, RecordWriter::kManyRecords - 1);
    CHECK_FALSE(early.needs_key_update());
    seal(crypto, early, "x");
    CHECK(early.needs_key_update());

    constexpr std::uint64_t kLast = RecordWriter::kMaxRecords - 1;
    for (const std::uint64_t number : {kLast, RecordWriter::kMaxRecords, std::uint64_t{1} << 50}) {
        RecordWriter writer = writer_of(crypto, number);
        RecordReader reader = reader_of(crypto, number);
        CHECK(writer.needs_key_update());
        std::string wire = seal(crypto, writer, "last, ");
        CHECK(wire.empty() == (number != kLast));
        CHECK(seal(crypto, writer, "too late").empty());
        CHECK(writer.can_seal());
        wire += seal_key_update(crypto, writer, false);
        CHECK(writer.sequence() == 0);
        CHECK_FALSE(writer.needs_key_update());
        wire += seal(crypto, writer, "new");
        CHECK(hear(crypto, reader, wire).plain == (number == kLast ? "last, new" : "new"));
        CHECK_FALSE(reader.key_update_requested());
    }
}

TEST_CASE("a KeyUpdate may ask for the peer's", "[tls]") {
    RecordCrypto crypto;
    RecordWriter writer = writer_of(crypto);
    RecordReader reader = reader_of(crypto);
    hear(crypto, reader, seal_key_update(crypto, writer, true));
    CHECK(reader.key_update_requested());
}

TEST_CASE("after an alert nothing is sealed any more", "[tls]") {
    RecordCrypto crypto;
    for (const Alert alert : {Alert::close_notify, Alert::bad_record_mac, Alert::user_canceled}) {
        RecordWriter writer = writer_of(crypto);
        RecordReader reader = reader_of(crypto);
        const std::string wire =
            join({seal(crypto, writer, "data"), seal_alert(crypto, writer, alert)});
        CHECK(wire.size() == 4 + kRecordOverhead + RecordWriter::kAlertRecord);
        CHECK_FALSE(writer.can_seal());
        CHECK(seal(crypto, writer, "more").empty());
        CHECK(seal_key_update(crypto, writer, false).empty());
        CHECK(seal_alert(crypto, writer, Alert::close_notify).empty());
        const Heard heard = hear(crypto, reader, wire);
        CHECK(heard.plain == "data");
        if (alert != Alert::user_canceled) {
            CHECK(heard.peer_alert == alert);
        }
    }
}

TEST_CASE("alerts have their level", "[tls]") {  // RFC 8446 6
    RecordCrypto crypto;
    for (const Alert alert : {Alert::close_notify, Alert::decode_error}) {
        RecordWriter writer = writer_of(crypto);
        RecordForge forge(crypto, kSuite);
        CHECK(seal_alert(crypto, writer, alert) ==
              forge.alert(alert, alert == Alert::close_notify ? 1 : 2));
    }
}

TEST_CASE("a record number is never used twice, and the last one is never used", "[tls]") {
    RecordCrypto crypto;
    RecordWriter writer = writer_of(crypto, UINT64_MAX);
    CHECK(seal_alert(crypto, writer, Alert::close_notify).empty());
    CHECK_FALSE(writer.can_seal());
}

TEST_CASE("a secret of another size makes no keys", "[tls]") {
    RecordCrypto crypto;
    for (const TlsSuite suite : kSuites) {
        for (std::size_t size = 0; size <= TrafficSecret::kMaxSize + 1; ++size) {
            const std::string bytes(size, 's');
            const bool fits = size == secret_size(suite);
            CHECK(RecordWriter::make(crypto, suite, {bytes_of(bytes), size}, 0).has_value() ==
                  fits);
            CHECK(RecordReader::make(crypto, suite, {bytes_of(bytes), size}, 0, TlsRole::client)
                      .has_value() == fits);
        }
    }
}
