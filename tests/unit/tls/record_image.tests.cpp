// Readers and writers that move to another process in the middle of everything, and images that nobody has made.
#include <catch2/catch.hpp>
#include <random>

#include "support/tls_records.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

using Stop = RecordReader::Stop;

std::optional<RecordReader> reader_of(RecordCrypto& crypto, TlsSuite suite) {
    return RecordReader::make(crypto, suite, some_secret(suite), 0, TlsRole::server);
}

template <class State>
std::string image_of(const State& state) {
    ImageWriter image;
    write_members(image, state);
    return {reinterpret_cast<const char*>(image.data()), image.size()};
}

// Tickets and KeyUpdates in pieces, data, and at last an end.
std::string story(RecordCrypto& crypto, TlsSuite suite) {
    RecordForge forge(crypto, suite);
    std::string wire = forge.data("one, ");
    for (const char c : ticket(5)) {
        wire += forge.handshake(std::string(1, c));
    }
    wire += forge.key_update(true);
    wire += forge.data("two, ");
    for (const char c : handshake_message(24, std::string(1, '\0'))) {
        wire += forge.handshake(std::string(1, c));
    }
    forge.update();
    return wire + join({forge.data("three"), forge.alert(Alert::close_notify, 1)});
}

template <class State>
void check_odd_images(RecordCrypto& crypto, const State& state) {
    const std::string image = image_of(state);
    for (std::size_t size = 0; size < image.size(); ++size) {
        ImageReader cut(image.data(), size);
        State made;
        read_members(cut, made);
        CHECK_FALSE(cut.ok());
    }
    std::mt19937 random(1);
    for (int i = 0; i < 20000; ++i) {
        std::string odd = image;
        for (unsigned changes = 1 + random() % 3; changes > 0; --changes) {
            odd[random() % odd.size()] =
                static_cast<char>(random() % 2 == 0 ? random() % 4 : random());
        }
        ImageReader reader(odd);
        State made;
        read_members(reader, made);
        if (reader.ok()) {  // whatever it is, it can be used
            if constexpr (std::is_same_v<State, RecordReader>) {
                hear(crypto, made, std::string(40, '\x17'));
            } else {
                std::uint8_t wire[RecordWriter::kKeyUpdateRecord];
                made.seal_key_update(crypto, true, wire);
            }
        }
    }
}

}  // namespace

TEST_CASE("a reader moves after every byte, and goes on", "[tls]") {
    RecordCrypto crypto;
    RecordCrypto elsewhere;
    for (const TlsSuite suite : kSuites) {
        const std::string wire = story(crypto, suite);
        for (std::size_t cut = 0; cut < wire.size(); ++cut) {
            auto reader = reader_of(crypto, suite);
            std::string held = wire.substr(0, cut);
            const auto before = open_over(crypto, *reader, bytes_of(held), held.size());
            REQUIRE(before.stop == Stop::incomplete);
            const bool requested = reader->key_update_requested();
            const std::string image = image_of(*reader);

            RecordReader moved = moved_by_image(std::move(reader));
            CHECK(image_of(moved) == image);
            CHECK(moved.key_update_requested() == requested);
            const Heard after = hear(elsewhere, moved, wire.substr(before.consumed));
            CHECK(held.substr(0, before.plain) + after.plain == "one, two, three");
            CHECK(after.stop == Stop::closed);
            CHECK(moved.key_update_requested());

            // What has ended stays so.
            RecordReader ended = moved_by_image(std::optional(std::move(moved)));
            CHECK(hear(crypto, ended, "more").stop == Stop::closed);
        }
    }
}

TEST_CASE("a reader that has failed is still that where it has moved", "[tls]") {
    RecordCrypto crypto;
    for (const char* const junk : {"junk", "\x17\3\3\xff\xff"}) {
        auto reader = reader_of(crypto, TlsSuite::aes_128_gcm_sha256);
        const Heard heard = hear(crypto, *reader, junk);
        RecordReader moved = moved_by_image(std::move(reader));
        const Heard again = hear(crypto, moved, "more");
        CHECK(again.stop == Stop::failed);
        CHECK(again.alert == heard.alert);
    }
}

TEST_CASE("a writer moves after every record, and no number is used twice", "[tls]") {
    RecordCrypto crypto;
    RecordCrypto elsewhere;
    for (const TlsSuite suite : kSuites) {
        auto writer =
            RecordWriter::make(crypto, suite, some_secret(suite), RecordWriter::kMaxRecords - 2);
        auto reader = RecordReader::make(crypto, suite, some_secret(suite),
                                         RecordWriter::kMaxRecords - 2, TlsRole::client);
        std::string wire;
        for (int i = 0; i < 4; ++i) {
            std::string record(1 + kRecordOverhead, '\0');
            record.resize(
                writer->seal(i % 2 == 0 ? crypto : elsewhere, bytes_of("x"), 1, bytes_of(record)));
            CHECK(record.empty() == (i == 2));
            wire += record;
            writer = moved_by_image(std::move(writer));
            if (i == 2) {
                CHECK(writer->needs_key_update());
                std::string update(RecordWriter::kKeyUpdateRecord, '\0');
                REQUIRE(writer->seal_key_update(crypto, false, bytes_of(update)) == update.size());
                wire += update;
                writer = moved_by_image(std::move(writer));
            }
        }
        CHECK(hear(crypto, *reader, wire).plain == "xxx");
        std::string last(RecordWriter::kAlertRecord, '\0');
        REQUIRE(writer->seal_alert(crypto, Alert::close_notify, bytes_of(last)) == last.size());
        writer = moved_by_image(std::move(writer));  // half-closed
        CHECK_FALSE(writer->can_seal());
        CHECK(writer->seal(crypto, bytes_of("x"), 1, bytes_of(wire)) == 0);
    }
}

TEST_CASE("images that are short or odd make the reader bad, or something that can be used",
          "[tls]") {
    RecordCrypto crypto;
    const TlsSuite suite = TlsSuite::aes_256_gcm_sha384;
    RecordForge forge(crypto, suite);
    auto reader = reader_of(crypto, suite);
    check_odd_images(crypto, *reader);
    hear(crypto, *reader, forge.handshake(ticket(9).substr(0, 6)));
    check_odd_images(crypto, *reader);
    hear(crypto, *reader, "junk");
    check_odd_images(crypto, *reader);
    check_odd_images(crypto, *RecordWriter::make(crypto, suite, some_secret(suite), 5));
}
