// The beginnings of what backends answer.
#include "protocol/detect_protocol.hpp"

#include <catch2/catch.hpp>

using namespace wsp;
using namespace std::string_view_literals;

TEST_CASE("the protocol of a backend is known from its first bytes, and not guessed from fewer") {
    const auto [whole, speech, needed] = GENERATE(
        std::tuple{"HTTP/1.1 400 Bad Request"sv, DetectedProtocol::http, 5},
        std::tuple{"\x15\x03\x01\x00\x02\x02\x46"sv, DetectedProtocol::tls, 2},  // an alert
        std::tuple{"\x16\x03\x03\x00\x7a\x02"sv, DetectedProtocol::tls, 2},      // a ServerHello
        std::tuple{"SSH-2.0-OpenSSH_9.2"sv, DetectedProtocol::other, 1},
        std::tuple{"\0\0"sv, DetectedProtocol::other, 1},
        std::tuple{"HTTQ"sv, DetectedProtocol::other, 4},
        std::tuple{"\x15HTTP"sv, DetectedProtocol::other, 2},
        std::tuple{"http/1.1"sv, DetectedProtocol::other, 1});
    for (std::size_t size = 0; size <= whole.size(); ++size) {
        CAPTURE(whole, size);
        CHECK(detect_protocol(whole.substr(0, size)) ==
              (size < static_cast<std::size_t>(needed) ? DetectedProtocol::unknown : speech));
    }
}

TEST_CASE("servers that want TLS are recognised by their words") {
    CHECK(body_asks_for_tls("<center>The plain HTTP request was sent to HTTPS port</center>"));
    CHECK(body_asks_for_tls(
        "Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />"));
    CHECK(body_asks_for_tls("Client sent an HTTP request to an HTTPS server.\n"));
    CHECK(body_asks_for_tls("Bad Request\r\nThis combination of host and port requires TLS.\r\n"));
    CHECK_FALSE(body_asks_for_tls(""));
    CHECK_FALSE(body_asks_for_tls(
        "<a href=\"https://chat.example/\">Can \"Upgrade\" only to \"WebSocket\".</a>"));
}
