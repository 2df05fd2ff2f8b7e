// Origins and Hosts as browsers and proxies write them.
#include "protocol/origin_fit.hpp"

#include <catch2/catch.hpp>

using namespace wsp;

TEST_CASE("an Origin is held against the Host that was sent, then against the one asked for") {
    struct Row {
        const char* origin;
        const char* sent;
        const char* asked;
        OriginFit fit;
    };
    const Row row = GENERATE(
        Row{"https://chat.example", "127.0.0.1:8000", "chat.example", OriginFit::fits_if_preserved},
        Row{"http://chat.example", "chat.example", "chat.example", OriginFit::fits},
        Row{"HTTP://Chat.Example", "chat.EXAMPLE", "x", OriginFit::fits},
        Row{"https://chat.example:8443", "localhost", "chat.example:8443",
            OriginFit::fits_if_preserved},
        // A port counts: Tornado compares it.
        Row{"http://localhost:8080", "localhost:8888", "localhost:8080",
            OriginFit::fits_if_preserved},
        Row{"https://chat.example", "chat.example:443", "", OriginFit::fits},
        Row{"http://chat.example:80", "chat.example", "", OriginFit::fits},
        Row{"https://chat.example", "chat.example:80", "chat.example:80", OriginFit::foreign},
        Row{"https://evil.example", "127.0.0.1:8000", "chat.example", OriginFit::foreign},
        Row{"https://chat.example.evil", "chat.example", "chat.example", OriginFit::foreign},
        Row{"http://[::1]:8080", "[::1]:9000", "[::1]:8080", OriginFit::fits_if_preserved},
        Row{"http://[::1]", "[::1]", "", OriginFit::fits},
        Row{"null", "a", "a", OriginFit::unknown}, Row{"", "a", "a", OriginFit::unknown},
        Row{"https://", "a", "a", OriginFit::unknown},
        Row{"chat.example", "chat.example", "chat.example", OriginFit::unknown},
        Row{" https://chat.example ", " chat.example", "", OriginFit::fits});
    CAPTURE(row.origin, row.sent, row.asked);
    CHECK(fit_of_origin(row.origin, row.sent, row.asked) == row.fit);
}
