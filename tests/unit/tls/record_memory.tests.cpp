// Memory of the record layer: none on the way of data, and what happens when there is none.
#include <catch2/catch.hpp>

#include "support/openssl_memory.hpp"
#include "support/scarce_memory.hpp"
#include "support/tls_records.hpp"

using namespace wsp;
using namespace wsp::test;

TEST_CASE("neither sealing nor opening allocates, whichever key was there before", "[tls]") {
    REQUIRE(openssl_memory_is_ours);
    RecordCrypto crypto;
    std::string wire(kMaxRecord, '\0');
    const std::string plain(1000, 'x');
    for (const TlsSuite suite : kSuites) {
        RecordForge forge(crypto, suite);
        auto writer = RecordWriter::make(crypto, suite, some_secret(suite), 0);
        auto other = RecordWriter::make(crypto, suite, some_secret(suite, 99), 0);
        auto reader = RecordReader::make(crypto, suite, some_secret(suite), 0, TlsRole::server);
        std::string noise =
            join({forge.handshake(ticket(50)), forge.alert(Alert::user_canceled), forge.data("")});
        RecordReader(
            std::move(*RecordReader::make(crypto, suite, some_secret(suite), 0, TlsRole::server)));
        std::size_t sealed = 0;
        RecordReader::OpenResult noisy;
        RecordReader::OpenResult opened;
        bool openssl_failed = true;
        {
            const FailingAllocation none(0);
            const ScarceMemory nothing(1);
            noisy = open_over(crypto, *reader, bytes_of(noise), noise.size());
            writer->seal(crypto, bytes_of(plain), plain.size(), bytes_of(wire));
            writer->seal(crypto, bytes_of(plain), plain.size(), bytes_of(wire));
            writer->seal(crypto, bytes_of(plain), plain.size(), bytes_of(wire));
            other->seal(crypto, bytes_of(plain), plain.size(), bytes_of(wire));
            sealed = writer->seal(crypto, bytes_of(plain), plain.size(), bytes_of(wire));
            openssl_failed = none.has_failed();
        }
        CHECK_FALSE(openssl_failed);
        CHECK_FALSE(ScarceMemory::has_failed());
        CHECK(noisy.consumed == noise.size());
        REQUIRE(sealed == plain.size() + kRecordOverhead);
        // The writer's records 0 to 2 took the place of the noise.
        auto late = RecordReader::make(crypto, suite, some_secret(suite), 3, TlsRole::client);
        {
            const FailingAllocation none(0);
            opened = open_over(crypto, *late, bytes_of(wire), sealed);
            openssl_failed = none.has_failed();
        }
        CHECK_FALSE(openssl_failed);
        CHECK(wire.substr(0, opened.plain) == plain);
    }
}

TEST_CASE("without memory for its contexts it is not valid, and makes nothing", "[tls]") {
    int failures = 0;
    for (int left = 0; left < 1000; ++left) {
        bool failed = false;
        bool valid = true;
        {
            const FailingAllocation scarce(left);
            RecordCrypto crypto;
            failed = scarce.has_failed();
            openssl_allocations_left = -1;
            valid = crypto.valid();
            const bool made = RecordWriter::make(crypto, TlsSuite::aes_128_gcm_sha256,
                                                 some_secret(TlsSuite::aes_128_gcm_sha256), 0)
                                  .has_value();
            CHECK(made == valid);
        }
        if (!failed) {
            REQUIRE(valid);
            break;
        }
        ++failures;
    }
    CHECK(failures > 10);
}

TEST_CASE("a KeyUpdate without memory is the end, with internal_error", "[tls]") {
    RecordCrypto crypto;
    const TlsSuite suite = TlsSuite::chacha20_poly1305_sha256;
    int failures = 0;
    for (int left = 0; left < 100; ++left) {
        RecordForge forge(crypto, suite);
        auto reader = RecordReader::make(crypto, suite, some_secret(suite), 0, TlsRole::client);
        auto writer = RecordWriter::make(crypto, suite, some_secret(suite), 0);
        std::string update = forge.key_update(false);
        std::string wire(RecordWriter::kKeyUpdateRecord, '\0');
        bool failed = false;
        RecordReader::OpenResult result;
        {
            const FailingAllocation scarce(left);
            result = open_over(crypto, *reader, bytes_of(update), update.size());
            failed = scarce.has_failed();
        }
        if (!failed) {
            CHECK(result.stop == RecordReader::Stop::incomplete);
            break;
        }
        if (result.stop == RecordReader::Stop::incomplete) {
            // What failed was only what takes the secret's place in OpenSSL's memory.
            std::string data = forge.data("data");
            CHECK(hear(crypto, *reader, data).plain == "data");
            continue;
        }
        ++failures;
        CHECK(result.stop == RecordReader::Stop::failed);
        CHECK(result.alert == Alert::internal_error);
        {
            const FailingAllocation scarce(left);
            CHECK(writer->seal_key_update(crypto, false, bytes_of(wire)) == 0);
        }
        CHECK_FALSE(writer->can_seal());
        CHECK(writer->seal(crypto, bytes_of("x"), 1, bytes_of(wire)) == 0);
    }
    CHECK(failures > 0);
}

TEST_CASE("OpenSSL's memory holds no secret after keys have been made or updated", "[tls]") {
    REQUIRE(openssl_memory_is_ours);
    const MemoryWatch watch;
    RecordCrypto crypto;
    for (const TlsSuite suite : kSuites) {
        const TrafficSecret secret = some_secret(suite);
        const std::string_view piece(reinterpret_cast<const char*>(secret.data()), 16);
        auto writer = RecordWriter::make(crypto, suite, some_secret(suite), 0);
        CHECK_FALSE(watch.holds(piece));
        std::uint8_t wire[RecordWriter::kKeyUpdateRecord];
        REQUIRE(writer->seal_key_update(crypto, false, wire) == sizeof wire);
        CHECK_FALSE(watch.holds(piece));
    }
    // It would be seen.
    void* const copy = OPENSSL_memdup("a secret that stays", 20);
    CHECK(watch.holds("a secret"));
    OPENSSL_free(copy);
    CHECK_FALSE(watch.holds("a secret"));
}
