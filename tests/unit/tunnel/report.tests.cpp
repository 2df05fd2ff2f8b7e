// What holds for every row of end_reasons.def.
#include "tunnel/report.hpp"

#include <catch2/catch.hpp>
#include <set>

using namespace wsp;

namespace {

constexpr EndReason kAll[] = {
#define WSP_ROW(name, ...) EndReason::name,
#include "tunnel/end_reasons.def"
};

}  // namespace

TEST_CASE("every end reason has a text of its own") {
    std::set<std::string_view> texts;
    for (EndReason reason : kAll) {
        CAPTURE(name_of(reason));
        CHECK(texts.insert(text_of(reason)).second);
        CHECK_FALSE(text_of(reason).empty());
    }
}

TEST_CASE(
    "when the proxy ends a tunnel its Close says why, without naming directives or processes") {
    for (EndReason reason : kAll) {
        CAPTURE(name_of(reason));
        CHECK(close_reason_of(reason).empty() == (closed_by(reason) != "proxy"));
        CHECK(close_reason_of(reason).size() <=
              123);  // RFC 6455 5.5: 125 bytes, two of them for the code
        for (const char* word : {"httpd", "proxy", "Proxy", "ws-", "balancer", "process"}) {
            CHECK(close_reason_of(reason).find(word) == std::string_view::npos);
        }
    }
}

TEST_CASE("whoever closed a tunnel is one of those that the documentation names") {
    const std::set<std::string_view> known = {"client", "backend",      "proxy",
                                              "error",  "ping-timeout", "operator"};
    for (EndReason reason : kAll) {
        CAPTURE(name_of(reason));
        CHECK(known.count(closed_by(reason)) == (reason == EndReason::none ? 0 : 1));
    }
}

TEST_CASE("end reasons are those of the table") {
    CHECK(closed_by(EndReason::none) == "-");
    CHECK(closed_by(EndReason::client_close) == "client");
    CHECK(closed_by(EndReason::backend_eof) == "backend");
    CHECK(closed_by(EndReason::idle_timeout) == "proxy");
    CHECK(closed_by(EndReason::client_lost) == "error");
    CHECK(name_of(EndReason::backend_stalled) == "backend_stalled");
}
