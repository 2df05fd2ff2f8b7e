// Origins and Hosts as browsers and proxies write them.
#include "protocol/origin_check.hpp"

#include <catch2/catch.hpp>

using namespace wsp;

TEST_CASE("an Origin is held against the Host that was sent, then against the one asked for") {
    struct Row {
        const char* origin;
        const char* sent;
        const char* asked;
        OriginCheck fit;
    };
    const Row row = GENERATE(
        Row{"https://chat.example", "127.0.0.1:8000", "chat.example",
            OriginCheck::same_if_host_preserved},
        Row{"http://chat.example", "chat.example", "chat.example", OriginCheck::same_origin},
        Row{"HTTP://Chat.Example", "chat.EXAMPLE", "x", OriginCheck::same_origin},
        Row{"https://chat.example:8443", "localhost", "chat.example:8443",
            OriginCheck::same_if_host_preserved},
        // A port counts: Tornado compares it.
        Row{"http://localhost:8080", "localhost:8888", "localhost:8080",
            OriginCheck::same_if_host_preserved},
        Row{"https://chat.example", "chat.example:443", "", OriginCheck::same_origin},
        Row{"http://chat.example:80", "chat.example", "", OriginCheck::same_origin},
        Row{"https://chat.example", "chat.example:80", "chat.example:80",
            OriginCheck::cross_origin},
        Row{"https://evil.example", "127.0.0.1:8000", "chat.example", OriginCheck::cross_origin},
        Row{"https://chat.example.evil", "chat.example", "chat.example", OriginCheck::cross_origin},
        Row{"http://[::1]:8080", "[::1]:9000", "[::1]:8080", OriginCheck::same_if_host_preserved},
        Row{"http://[::1]", "[::1]", "", OriginCheck::same_origin},
        Row{"null", "a", "a", OriginCheck::unknown}, Row{"", "a", "a", OriginCheck::unknown},
        Row{"https://", "a", "a", OriginCheck::unknown},
        Row{"chat.example", "chat.example", "chat.example", OriginCheck::unknown},
        Row{" https://chat.example ", " chat.example", "", OriginCheck::same_origin});
    CAPTURE(row.origin, row.sent, row.asked);
    CHECK(check_origin(row.origin, row.sent, row.asked) == row.fit);
}
