// The long form of tests/unit/tls/agreement.tests.cpp: sessions with OpenSSL or GnuTLS, of random length, until the
// time is over. Prints what has happened; a disagreement ends it with its seed, and exit status 1.
//
//   wsp_tls_agreement openssl|gnutls MINUTES [SEED]
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "support/gnutls_end.hpp"
#include "support/tls_agreement.hpp"

using namespace wsp::test;

int main(int argc, char** argv) {
    const std::string with = argc > 1 ? argv[1] : "";
    if (argc < 3 || (with != "openssl" && with != "gnutls")) {
        std::fprintf(stderr, "usage: wsp_tls_agreement openssl|gnutls MINUTES [SEED]\n");
        return 2;
    }
    const MakeTlsEnd make = with == "openssl" ? make_openssl_end : make_gnutls_end;
    unsigned seed = argc > 3 ? static_cast<unsigned>(std::atoi(argv[3])) : std::random_device()();
    std::printf("with %s from seed %u on\n", with.c_str(), seed);
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(std::atoi(argv[2]));
    AgreementCounts counts;
    int status = 0;
    try {
        while (std::chrono::steady_clock::now() < end) {
            agree(make, seed, 1 + seed % 400, counts);
            seed += 6;
        }
    } catch (const std::exception& fault) {
        std::printf("DISAGREEMENT: %s\n", fault.what());
        status = 1;
    }
    std::printf(
        "%llu sessions, %llu bytes sent, %llu received, %llu KeyUpdates sent, %llu asked of the "
        "other side, "
        "%llu tickets, %llu moves, %llu sessions broken off\n",
        static_cast<unsigned long long>(counts.sessions),
        static_cast<unsigned long long>(counts.bytes_sent),
        static_cast<unsigned long long>(counts.bytes_received),
        static_cast<unsigned long long>(counts.key_updates_sent),
        static_cast<unsigned long long>(counts.key_updates_asked),
        static_cast<unsigned long long>(counts.tickets),
        static_cast<unsigned long long>(counts.moves),
        static_cast<unsigned long long>(counts.broken));
    return status;
}
