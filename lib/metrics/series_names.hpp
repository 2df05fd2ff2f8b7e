// How people name a series, or several: they need not write its labels whole. Pure; any thread.
#pragma once

#include <string_view>

namespace wsp {

// "www.example.com" is "www.example.com:443", on whatever port.
constexpr bool names_vhost(std::string_view asked, std::string_view label) noexcept {
    return asked == label || asked == label.substr(0, label.rfind(':'));
}

// "balancer://chat" is each of its members, and "ws://127.0.0.1:8000" is a member of whatever balancer:
// "balancer://chat ws://127.0.0.1:8000".
constexpr bool names_backend(std::string_view asked, std::string_view label) noexcept {
    const std::size_t space = label.find(' ');
    return asked == label ||
           (space != std::string_view::npos &&
            (asked == label.substr(0, space) || asked == label.substr(space + 1)));
}

}  // namespace wsp
