// Orders of operators, as fields of a form.
#include "exposition/action_request.hpp"

#include <catch2/catch.hpp>

using namespace wsp;

TEST_CASE("a close order says which tunnels, and how") {
    const ActionRequest order = parse_action_request(
        "action=close&tag=alice%20b&code=4001&reason=good+bye&spread=30s&token=t");
    CHECK(order.error.empty());
    CHECK(order.action == OperatorAction::close);
    CHECK(order.target == TunnelField::tag);
    CHECK((order.value == "alice b" && order.reason == "good bye" && order.token == "t"));
    CHECK((order.code == 4001 && order.spread == 30 * kSecond));
    CHECK(text_of(order) == "close tag=alice b code=4001 spread=30s");
    CHECK(parse_action_request("action=close&all=yes").target == TunnelField::all);
    CHECK(parse_action_request("action=close&all=yes").code == 1000);
    const ActionRequest chosen =
        parse_action_request("action=close&by=client&value=192.0.2.1&code=");
    CHECK((chosen.error.empty() && chosen.target == TunnelField::client));
    CHECK(chosen.value == "192.0.2.1");
}

TEST_CASE("spreads have the units of times in directives") {
    const auto spread = [](const std::string& text) {
        return parse_action_request("action=close&all=yes&spread=" + text).spread;
    };
    CHECK(spread("5") == 5 * kSecond);
    CHECK(spread("500ms") == 500 * kMillisecond);
    CHECK(spread("5min") == 300 * kSecond);
    CHECK(spread("24h") == 24 * 3600 * kSecond);
}

TEST_CASE("a pause names a virtual host, a backend or both") {
    const ActionRequest order = parse_action_request("action=pause&vhost=a%3A80&backend=ws://b");
    CHECK(order.error.empty());
    CHECK((order.vhost == "a:80" && order.backend == "ws://b"));
    CHECK(text_of(order) == "pause vhost=a:80 backend=ws://b");
    CHECK(parse_action_request("action=pause&vhost=a&backend=").error.empty());
    CHECK(parse_action_request("action=resume&all=yes").error.empty());
    CHECK(text_of(parse_action_request("action=resume&all=yes")) == "resume all");
}

TEST_CASE("what is wrong is named, with what the field takes") {
    struct Wrong {
        const char* form;
        const char* words;
    };
    const Wrong all[] = {
        {"", "The field action is missing; it takes close, pause or resume"},
        {"action=kill&all=yes", "action=kill is not known here: action takes close, pause"},
        {"action=close", "exactly one of id=, client=, vhost=, backend=, tag="},
        {"action=close&tag=a&id=b", "exactly one of id=, client=, vhost=, backend=, tag="},
        {"action=close&tag=", "The field tag is empty"},
        {"action=close&by=tag&value=", "The field tag is empty"},
        {"action=close&by=all&value=", ""},
        {"action=close&by=size&value=1", "by takes id, client"},
        {"action=close&tag=a&by=tag&value=b", "The field tag stands there twice"},
        {"action=close&all=no", "all=no is not known here: all takes yes"},
        {"action=close&tag=a&tag=b", "The field tag stands there twice"},
        {"action=close&tag=a&code=1005", "code takes 1000 to 1003"},
        {"action=close&tag=a&code=70000", "code takes 1000 to 1003"},
        {"action=close&tag=a&code=1000x", "code takes 1000 to 1003"},
        {"action=close&tag=a&reason=a%0Ab", "reason takes at most 123 bytes"},
        {"action=close&tag=a&reason=%FF", "reason takes at most 123 bytes"},
        {"action=close&tag=a&spread=25h", "spread takes a time from 0 to 24h"},
        {"action=close&tag=a&spread=-1", "spread takes a time from 0 to 24h"},
        {"action=close&tag=a&spread=1d", "spread takes a time from 0 to 24h"},
        {"action=close&tag=a&spread=9999999999999999999", "spread takes a time from 0 to 24h"},
        {"action=close&tag=a&size=1", "There is no field \"size\"; there are action, by"},
        {"action=pause", "action=pause takes vhost=, backend= or both"},
        {"action=pause&all=yes", "action=pause takes vhost=, backend= or both"},
        {"action=pause&vhost=a&code=1000", "The field code is for action=close only"},
        {"action=resume&vhost=a&all=yes", "action=resume takes vhost="},
    };
    for (const Wrong& wrong : all) {
        CAPTURE(wrong.form);
        const std::string error = parse_action_request(wrong.form).error;
        CAPTURE(error);
        CHECK(error.find(wrong.words) != std::string::npos);
        CHECK(error.empty() == (*wrong.words == '\0'));
    }
    CHECK_FALSE(
        parse_action_request("action=close&all=yes&reason=" + std::string(124, 'x')).error.empty());
    CHECK(
        parse_action_request("action=close&all=yes&reason=" + std::string(123, 'x')).error.empty());
}
