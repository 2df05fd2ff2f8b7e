// The cipher suites of TLS 1.3 that this layer knows. The rows are in suites.def. Pure: any thread, no allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/table.hpp"

namespace wsp {

enum class TlsSuite : std::uint8_t {
#define WSP_ROW(name, ...) name,
#include "tls/suites.def"
};

template <>
struct Table<TlsSuite> {
    struct Row {
        std::string_view name;
        std::uint16_t iana;
        std::string_view cipher;
        std::string_view digest;
        std::uint8_t secret_size;
        std::uint8_t key_size;
    };
    static constexpr Row kRows[] = {
#define WSP_ROW(name, iana, cipher, digest, secret_size, key_size) \
    {#name, iana, cipher, digest, secret_size, key_size},
#include "tls/suites.def"
    };
};

inline constexpr std::size_t kTlsSuites =
    sizeof(Table<TlsSuite>::kRows) / sizeof(Table<TlsSuite>::Row);

// The suite with this number in a handshake (RFC 8446 B.4); nothing when this layer does not know it.
constexpr std::optional<TlsSuite> tls_suite_of(std::uint16_t iana) noexcept {
    for (std::size_t i = 0; i < kTlsSuites; ++i) {
        if (rows_of<TlsSuite>()[i].iana == iana) {
            return static_cast<TlsSuite>(i);
        }
    }
    return std::nullopt;
}

// Bytes of a traffic secret of this suite.
constexpr std::size_t secret_size(TlsSuite suite) noexcept {
    return row_of(suite).secret_size;
}

// Bytes of a key of this suite.
constexpr std::size_t key_size(TlsSuite suite) noexcept {
    return row_of(suite).key_size;
}

// Who the peer is: its end of the handshake.
enum class TlsRole : std::uint8_t { client, server };

constexpr TlsRole last_of(TlsRole) noexcept {  // base/image.hpp
    return TlsRole::server;
}

}  // namespace wsp
