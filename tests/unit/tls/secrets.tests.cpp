// Who holds a secret: one at a time, and nobody after its end. And the numbers of the tables.
#include <catch2/catch.hpp>
#include <new>
#include <type_traits>

#include "support/tls_records.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

template <class T>
constexpr bool kMovesOnly =
    std::is_nothrow_move_constructible_v<T>&& std::is_nothrow_move_assignable_v<T> &&
    !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T>;
static_assert(kMovesOnly<TrafficSecret> && kMovesOnly<RecordKeys> && kMovesOnly<RecordReader> &&
              kMovesOnly<RecordWriter>);
// A tunnel has one of each.
static_assert(sizeof(RecordReader) <= 128 && sizeof(RecordWriter) <= 112);

constexpr TlsSuite kSuite = TlsSuite::aes_256_gcm_sha384;

// An object in memory that can be looked at when it is gone.
template <class T>
class Watched {
  public:
    explicit Watched(T&& object) : object_(new (memory_) T(std::move(object))) {}
    T& operator*() { return *object_; }
    void destroy() { object_->~T(); }
    // Some eight bytes of the secret, or of what is derived from it, which the test has seen there before.
    bool holds(const std::string& piece) const {
        const std::string all(reinterpret_cast<const char*>(memory_), sizeof memory_);
        return all.find(piece) != std::string::npos;
    }
    std::string piece(std::size_t at) const {
        return {reinterpret_cast<const char*>(memory_) + at, 8};
    }
    // Every piece of eight bytes that has no zero: those of secret, key and IV.
    std::vector<std::string> pieces() const {
        std::vector<std::string> found;
        for (std::size_t at = 0; at + 8 <= sizeof memory_; ++at) {
            if (piece(at).find('\0') == std::string::npos) {
                found.push_back(piece(at));
            }
        }
        return found;
    }
    bool holds_any(const std::vector<std::string>& wanted) const {
        return std::any_of(wanted.begin(), wanted.end(),
                           [this](const auto& one) { return holds(one); });
    }

  private:
    alignas(T) unsigned char memory_[sizeof(T)] = {};
    T* object_;
};

template <class T>
void check_wiped(T&& first, T&& second) {
    Watched<T> watched(std::move(first));
    const auto pieces = watched.pieces();
    REQUIRE(pieces.size() > 24);  // of a secret of 32 bytes at least
    {
        Watched<T> taken(std::move(*watched));
        CHECK(taken.holds_any(pieces));
        CHECK_FALSE(watched.holds_any(pieces));  // moved from

        *taken = std::move(second);
        CHECK_FALSE(taken.holds_any(pieces));  // overwritten
        const auto others = taken.pieces();
        REQUIRE(others.size() > 24);
        taken.destroy();
        CHECK_FALSE(taken.holds_any(others));  // destroyed
    }
    watched.destroy();
}

}  // namespace

TEST_CASE("secrets are gone where they were moved from, replaced or destroyed", "[tls]") {
    RecordCrypto crypto;
    check_wiped(some_secret(kSuite, 1), some_secret(kSuite, 99));
    check_wiped(std::move(*RecordWriter::make(crypto, kSuite, some_secret(kSuite, 1), 5)),
                std::move(*RecordWriter::make(crypto, kSuite, some_secret(kSuite, 99), 5)));
    check_wiped(
        std::move(*RecordReader::make(crypto, kSuite, some_secret(kSuite, 1), 5, TlsRole::client)),
        std::move(
            *RecordReader::make(crypto, kSuite, some_secret(kSuite, 99), 5, TlsRole::client)));
}

TEST_CASE("a KeyUpdate leaves nothing of the secret before it", "[tls]") {
    RecordCrypto crypto;
    Watched<RecordWriter> writer(
        std::move(*RecordWriter::make(crypto, kSuite, some_secret(kSuite), 5)));
    const auto pieces = writer.pieces();
    std::uint8_t wire[RecordWriter::kKeyUpdateRecord];
    REQUIRE((*writer).seal_key_update(crypto, false, wire) == sizeof wire);
    CHECK_FALSE(writer.holds_any(pieces));
    writer.destroy();
}

TEST_CASE("the end of a session leaves nothing of its secrets", "[tls]") {
    RecordCrypto crypto;
    RecordForge forge(crypto, kSuite);
    for (const std::string& end : {forge.alert(Alert::close_notify, 1), std::string("junk")}) {
        Watched<RecordReader> reader(std::move(
            *RecordReader::make(crypto, kSuite, some_secret(kSuite), 0, TlsRole::client)));
        const auto pieces = reader.pieces();
        hear(crypto, *reader, end);
        CHECK_FALSE(reader.holds_any(pieces));
        reader.destroy();
    }
    Watched<RecordWriter> writer(
        std::move(*RecordWriter::make(crypto, kSuite, some_secret(kSuite), 0)));
    const auto pieces = writer.pieces();
    std::uint8_t wire[RecordWriter::kAlertRecord];
    (*writer).seal_alert(crypto, Alert::close_notify, wire);
    CHECK_FALSE(writer.holds_any(pieces));
    writer.destroy();
}

TEST_CASE("what was moved from seals and opens nothing, its successor goes on", "[tls]") {
    RecordCrypto crypto;
    auto writer = *RecordWriter::make(crypto, kSuite, some_secret(kSuite), 7);
    auto reader = *RecordReader::make(crypto, kSuite, some_secret(kSuite), 7, TlsRole::client);
    RecordWriter next_writer = std::move(writer);
    RecordReader next_reader = std::move(reader);
    std::string wire(1 + kRecordOverhead, '\0');
    // NOLINTBEGIN(bugprone-use-after-move): that is the test
    CHECK_FALSE(writer.can_seal());
    CHECK(writer.seal(crypto, bytes_of("x"), 1, bytes_of(wire)) == 0);
    CHECK(writer.seal_key_update(crypto, false, bytes_of(wire)) == 0);
    CHECK(writer.seal_alert(crypto, Alert::close_notify, bytes_of(wire)) == 0);
    REQUIRE(next_writer.seal(crypto, bytes_of("x"), 1, bytes_of(wire)) == wire.size());
    const Heard lost = hear(crypto, reader, wire);
    // NOLINTEND(bugprone-use-after-move)
    CHECK(lost.stop == RecordReader::Stop::failed);
    CHECK(lost.alert == Alert::internal_error);
    CHECK(hear(crypto, next_reader, wire).plain == "x");
}

TEST_CASE("several sessions, one crypto: each has its own key", "[tls]") {
    RecordCrypto crypto;
    RecordCrypto other;
    std::vector<RecordWriter> writers;
    std::vector<RecordReader> readers;
    for (std::uint8_t i = 0; i < 30; ++i) {
        const TlsSuite suite = kSuites[i % 3];
        writers.push_back(std::move(*RecordWriter::make(crypto, suite, some_secret(suite, i), 0)));
        readers.push_back(std::move(
            *RecordReader::make(crypto, suite, some_secret(suite, i), 0, TlsRole::client)));
    }
    for (int round = 0; round < 50; ++round) {
        for (std::size_t i = 0; i < writers.size(); ++i) {
            RecordCrypto& now = (round + i) % 4 == 0 ? other : crypto;  // another loop's
            std::string wire(5 + kRecordOverhead, '\0');
            REQUIRE(writers[i].seal(now, bytes_of("hello"), 5, bytes_of(wire)) == wire.size());
            REQUIRE(hear(now, readers[i], wire).plain == "hello");
        }
    }
}

TEST_CASE("suites have IANA's numbers", "[tls]") {  // RFC 8446 B.4
    CHECK(tls_suite_of(0x1301) == TlsSuite::aes_128_gcm_sha256);
    CHECK(tls_suite_of(0x1302) == TlsSuite::aes_256_gcm_sha384);
    CHECK(tls_suite_of(0x1303) == TlsSuite::chacha20_poly1305_sha256);
    for (const std::uint16_t other : {0x1300, 0x1304, 0x1305, 0xc02f, 0}) {
        CHECK_FALSE(tls_suite_of(other).has_value());
    }
    CHECK(name_of_alert(Alert::bad_record_mac) == "bad_record_mac");
    CHECK(name_of_alert(static_cast<Alert>(40)) == "other");
}
