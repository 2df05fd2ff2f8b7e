// What a RecordReader makes of records: each rule of RFC 8446 5 and 6, with its alert.
#include "tls/record_reader.hpp"

#include <catch2/catch.hpp>
#include <functional>

#include "support/tls_records.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

using Stop = RecordReader::Stop;

RecordReader reader_of(RecordCrypto& crypto, TlsRole peer = TlsRole::server,
                       TlsSuite suite = TlsSuite::aes_128_gcm_sha256, std::uint64_t sequence = 0) {
    return std::move(*RecordReader::make(crypto, suite, some_secret(suite), sequence, peer));
}

std::string plain_record(ContentType type, const std::string& body) {
    return std::string{static_cast<char>(type), 3, 3, static_cast<char>(body.size() >> 8),
                       static_cast<char>(body.size())} +
           body;
}

std::string header_alone(std::size_t body) {
    return {'\x17', 3, 3, static_cast<char>(body >> 8), static_cast<char>(body)};
}

struct Violation {
    const char* name;
    Alert alert;
    std::function<std::string(RecordForge&)> wire;
};

const Violation kViolations[] = {
    // The record itself.
    {"a plaintext alert", Alert::unexpected_message,
     [](RecordForge&) {
         return plain_record(ContentType::alert, {2, 10});
     }},
    {"a plaintext change_cipher_spec", Alert::unexpected_message,
     [](RecordForge&) { return plain_record(ContentType::change_cipher_spec, {1}); }},
    {"a plaintext handshake message", Alert::unexpected_message,
     [](RecordForge&) { return plain_record(ContentType::handshake, ticket(3)); }},
    {"another outer type, of which one byte has come", Alert::unexpected_message,
     [](RecordForge&) { return std::string("G"); }},
    {"a length over 2^14 + 256, of which only the header has come", Alert::record_overflow,
     [](RecordForge&) { return header_alone(16384 + 257); }},
    {"a record too short for a tag and a type", Alert::bad_record_mac,
     [](RecordForge&) { return header_alone(16); }},
    {"an empty record", Alert::bad_record_mac, [](RecordForge&) { return header_alone(0); }},
    {"a record with one bit changed", Alert::bad_record_mac,
     [](RecordForge& forge) {
         std::string wire = forge.data("data");
         wire[8] ^= 1;
         return wire;
     }},
    {"a record with another tag", Alert::bad_record_mac,
     [](RecordForge& forge) {
         std::string wire = forge.data("data");
         wire.back() ^= 1;
         return wire;
     }},
    {"a record whose version was changed on its way", Alert::bad_record_mac,
     [](RecordForge& forge) {
         std::string wire = forge.data("data");
         wire[2] ^= 1;
         return wire;
     }},
    {"a record that came before", Alert::bad_record_mac,
     [](RecordForge& forge) {
         const std::string wire = forge.data("data");
         return wire + wire;
     }},
    {"a content of 2^14 + 1 bytes", Alert::record_overflow,
     [](RecordForge& forge) { return forge.data(std::string(16385, 'x')); }},
    {"a record of zeros alone", Alert::unexpected_message,
     [](RecordForge& forge) { return forge.seal(std::string(5, '\0')); }},
    {"a record of one zero", Alert::unexpected_message,
     [](RecordForge& forge) { return forge.seal(std::string(1, '\0')); }},
    {"a protected change_cipher_spec", Alert::unexpected_message,
     [](RecordForge& forge) { return forge.record(ContentType::change_cipher_spec, {1}); }},
    {"an unknown content type", Alert::unexpected_message,
     [](RecordForge& forge) { return forge.record(static_cast<ContentType>(24), "x"); }},
    // Alerts.
    {"an empty alert", Alert::unexpected_message,
     [](RecordForge& forge) { return forge.record(ContentType::alert, ""); }},
    {"half an alert", Alert::decode_error,
     [](RecordForge& forge) { return forge.record(ContentType::alert, "\x01"); }},
    {"two alerts in one record", Alert::decode_error,
     [](RecordForge& forge) {
         return forge.record(ContentType::alert, std::string("\1\0\1\0", 4));
     }},
    // Handshake messages.
    {"an empty handshake record", Alert::unexpected_message,
     [](RecordForge& forge) { return forge.handshake(""); }},
    {"an empty handshake record in the middle of a message", Alert::unexpected_message,
     [](RecordForge& forge) {
         return join({forge.handshake(ticket(9).substr(0, 6)), forge.handshake("")});
     }},
    {"a CertificateRequest", Alert::unexpected_message,
     [](RecordForge& forge) { return forge.handshake(handshake_message(13, "0123")); }},
    {"a ClientHello", Alert::unexpected_message,
     [](RecordForge& forge) { return forge.handshake(handshake_message(1, "0123")); }},
    {"the first byte of a Finished", Alert::unexpected_message,
     [](RecordForge& forge) { return forge.handshake("\x14"); }},
    {"data in the middle of a ticket", Alert::unexpected_message,
     [](RecordForge& forge) {
         return join({forge.handshake(ticket(9).substr(0, 5)), forge.data("data")});
     }},
    {"data after one byte of a handshake message", Alert::unexpected_message,
     [](RecordForge& forge) {
         return join({forge.handshake(ticket(9).substr(0, 1)), forge.data("data")});
     }},
    {"empty data in the middle of a ticket", Alert::unexpected_message,
     [](RecordForge& forge) {
         return join({forge.handshake(ticket(9).substr(0, 5)), forge.data("")});
     }},
    {"an alert in the middle of a ticket", Alert::unexpected_message,
     [](RecordForge& forge) {
         return join(
             {forge.handshake(ticket(9).substr(0, 5)), forge.alert(Alert::close_notify, 1)});
     }},
    {"an empty KeyUpdate", Alert::decode_error,
     [](RecordForge& forge) { return forge.handshake(handshake_message(24, "")); }},
    {"a KeyUpdate of two bytes", Alert::decode_error,
     [](RecordForge& forge) { return forge.handshake(handshake_message(24, "\1\1")); }},
    {"a KeyUpdate that is neither requested nor not", Alert::illegal_parameter,
     [](RecordForge& forge) { return forge.handshake(handshake_message(24, "\2")); }},
    {"a KeyUpdate with a ticket behind it in its record", Alert::unexpected_message,
     [](RecordForge& forge) { return forge.handshake(handshake_message(24, "\1") + ticket(3)); }},
    {"two KeyUpdates in one record", Alert::unexpected_message,
     [](RecordForge& forge) {
         return forge.handshake(handshake_message(24, "\1") + handshake_message(24, "\1"));
     }},
    {"data under the old key after a KeyUpdate", Alert::bad_record_mac,
     [](RecordForge& forge) {
         return join({forge.handshake(handshake_message(24, "\1")), forge.data("data")});
     }},
};

}  // namespace

TEST_CASE("each violation has its alert, wherever it is cut, and nothing is read after it",
          "[tls]") {
    RecordCrypto crypto;
    for (const Violation& violation : kViolations) {
        INFO(violation.name);
        RecordForge forge(crypto, TlsSuite::aes_128_gcm_sha256);
        const std::string before = forge.data("before");
        const std::string wire = join({before, violation.wire(forge), forge.data("after")});
        for (const std::size_t step :
             {wire.size(), std::size_t{1}, std::size_t{7}, std::size_t{1000}}) {
            RecordReader reader = reader_of(crypto);
            const Heard heard = hear(crypto, reader, wire, step, step % 2 * kMaxRecordBody);
            CHECK(heard.stop == Stop::failed);
            CHECK(name_of_alert(heard.alert) == name_of_alert(violation.alert));
            CHECK(heard.peer_alert == Alert::none);
            CHECK(heard.plain.substr(0, 6) == "before");
            CHECK(heard.plain.find("after") == std::string::npos);
            CHECK(hear(crypto, reader, forge.data("later")).stop == Stop::failed);
        }
    }
}

TEST_CASE("a header that no record can have is refused before the record comes", "[tls]") {
    RecordCrypto crypto;
    for (const std::size_t body :
         {std::size_t{0}, kTagSize, kTagSize + 1, kMaxRecordBody, kMaxRecordBody + 1}) {
        RecordReader reader = reader_of(crypto);
        const bool possible = body > kTagSize && body <= kMaxRecordBody;
        const Heard heard = hear(crypto, reader, header_alone(body));
        CHECK(heard.stop == (possible ? Stop::incomplete : Stop::failed));
        CHECK(heard.alert == (possible           ? Alert::none
                              : body <= kTagSize ? Alert::bad_record_mac
                                                 : Alert::record_overflow));
    }
}

TEST_CASE("a ticket comes from servers only", "[tls]") {
    RecordCrypto crypto;
    for (const TlsRole peer : {TlsRole::client, TlsRole::server}) {
        RecordForge forge(crypto, TlsSuite::aes_128_gcm_sha256);
        RecordReader reader = reader_of(crypto, peer);
        const Heard heard =
            hear(crypto, reader, join({forge.handshake(ticket(20)), forge.data("data")}));
        CHECK(heard.plain == (peer == TlsRole::server ? "data" : ""));
        CHECK(heard.stop == (peer == TlsRole::server ? Stop::incomplete : Stop::failed));
        CHECK(heard.alert == (peer == TlsRole::server ? Alert::none : Alert::unexpected_message));
    }
}

TEST_CASE("the version of a record is ignored", "[tls]") {
    RecordCrypto crypto;
    for (const std::uint16_t version : {0x0000, 0x0300, 0x0301, 0x0304, 0xffff}) {
        RecordForge forge(crypto, TlsSuite::aes_128_gcm_sha256);
        RecordReader reader = reader_of(crypto);
        CHECK(hear(crypto, reader, forge.record(ContentType::application_data, "data", 0, version))
                  .plain == "data");
    }
}

TEST_CASE("padding is taken off, to the largest record", "[tls]") {
    RecordCrypto crypto;
    for (const TlsSuite suite : kSuites) {
        RecordForge forge(crypto, suite);
        RecordReader reader = reader_of(crypto, TlsRole::client, suite);
        std::string wire;
        std::string sent;
        for (const std::size_t size :
             {std::size_t{0}, std::size_t{1}, std::size_t{100}, kMaxRecordPlain}) {
            for (const std::size_t padding : {0, 1, 255, 239}) {
                if (size + 1 + padding + kTagSize <= kMaxRecordBody) {
                    // The content may end with zeros: the type stands between them and the padding.
                    const std::string content =
                        std::string(size / 2, 'x') + std::string(size - size / 2, '\0');
                    wire += forge.data(content, padding);
                    sent += content;
                }
            }
        }
        CHECK(hear(crypto, reader, wire).plain == sent);
    }
}

TEST_CASE("close_notify ends the session, and what comes after it is dropped", "[tls]") {
    RecordCrypto crypto;
    for (const std::uint8_t level : {0, 1, 2, 255}) {  // RFC 8446 6: the level is ignored
        RecordForge forge(crypto, TlsSuite::aes_128_gcm_sha256);
        RecordReader reader = reader_of(crypto);
        std::string wire = join({forge.data("data"), forge.alert(Alert::close_notify, level),
                                 forge.data("late"), "junk"});
        const auto result = open_over(crypto, reader, bytes_of(wire), wire.size());
        CHECK(result.stop == Stop::closed);
        CHECK(result.alert == Alert::none);
        CHECK(result.peer_alert == Alert::close_notify);
        CHECK(result.consumed == wire.size());
        CHECK(wire.substr(0, result.plain) == "data");

        std::string more = "anything at all";
        const auto again = open_over(crypto, reader, bytes_of(more), more.size());
        CHECK(again.stop == Stop::closed);
        CHECK(again.plain == 0);
        CHECK(again.consumed == more.size());
    }
}

TEST_CASE("user_canceled is ignored, every other alert is the end and gets no answer", "[tls]") {
    RecordCrypto crypto;
    for (unsigned number = 1; number <= 255; ++number) {
        const auto alert = static_cast<Alert>(number);
        RecordForge forge(crypto, TlsSuite::aes_128_gcm_sha256);
        RecordReader reader = reader_of(crypto);
        const Heard heard = hear(crypto, reader, join({forge.alert(alert, 1), forge.data("data")}));
        if (alert == Alert::user_canceled) {
            CHECK(heard.stop == Stop::incomplete);
            CHECK(heard.plain == "data");
            continue;
        }
        CHECK(heard.stop == Stop::failed);
        CHECK(heard.alert == Alert::none);
        CHECK(heard.peer_alert == alert);
        CHECK(heard.plain.empty());
    }
}
