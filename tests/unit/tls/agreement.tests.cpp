// Sessions with two other implementations of TLS 1.3. tests/stress/tls_agreement.cpp does the same for long.
#include <catch2/catch.hpp>

#include "support/gnutls_end.hpp"
#include "support/tls_agreement.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

void check_agreement(MakeTlsEnd make) {
    AgreementCounts counts;
    for (unsigned seed = 1; seed < 60; seed += 6) {
        REQUIRE_NOTHROW(agree(make, seed, 40, counts));
    }
    // All of it has happened.
    CHECK(counts.sessions == 60);
    CHECK(counts.bytes_sent > 1000000);
    CHECK(counts.bytes_received > 1000000);
    CHECK(counts.key_updates_sent > 100);
    CHECK(counts.key_updates_asked > 100);
    CHECK(counts.tickets > 50);
    CHECK(counts.moves > 50);
    CHECK((counts.broken > 5 && counts.broken < counts.sessions / 2));
}

}  // namespace

TEST_CASE("OpenSSL and we understand each other, in all suites and both roles", "[tls]") {
    check_agreement(make_openssl_end);
}

TEST_CASE("GnuTLS and we understand each other, in all suites and both roles", "[tls]") {
    check_agreement(make_gnutls_end);
}
