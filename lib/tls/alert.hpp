// Alerts of TLS (RFC 8446 6). The rows are in alerts.def. Pure: any thread, no allocation.
#pragma once

#include <cstdint>
#include <string_view>

namespace wsp {

// The values are those on the wire. An alert of a peer may have any value of a byte, also one without a name here.
enum class Alert : std::uint16_t {
#define WSP_ROW(name, number) name = (number),
#include "tls/alerts.def"
    none = 256,  // no alert
};

constexpr Alert last_of(Alert) noexcept {  // base/image.hpp
    return Alert::none;
}

// Its name in RFC 8446, for log lines. "other" when it has no row.
constexpr std::string_view name_of_alert(Alert alert) noexcept {
    switch (alert) {
#define WSP_ROW(name, number) \
    case Alert::name:         \
        return #name;
#include "tls/alerts.def"
        case Alert::none:
            return "none";
    }
    return "other";
}

}  // namespace wsp
