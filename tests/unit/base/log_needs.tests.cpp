// Which names log formats ask for.
#include "base/log_needs.hpp"

#include <catch2/catch.hpp>

using namespace wsp;

namespace {

LogNeeds needs_of(std::string_view arguments) {
    LogNeeds needs;
    needs.learn(arguments);
    return needs;
}

}  // namespace

TEST_CASE("The combined format needs two request headers and nothing else", "[log]") {
    const LogNeeds needs =
        needs_of(R"("%h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\"" combined)");
    REQUIRE(needs.headers_in.wants("referer"));
    REQUIRE(needs.headers_in.wants("USER-AGENT"));
    REQUIRE_FALSE(needs.headers_in.wants("Cookie"));
    REQUIRE(needs.headers_in.listed.size() == 2);
    REQUIRE((needs.notes.listed.empty() && needs.env.listed.empty() && !needs.notes.all));
}

TEST_CASE("Each kind of item is found behind conditions and redirection marks", "[log]") {
    const LogNeeds needs = needs_of(
        "logs/x \"%{ws-close-code}n %!200,304,302{Referer}i %>{X-Out}o %{UNIQUE_ID}e "
        "%{SSL_PROTOCOL}x %{session}C\"");
    REQUIRE(needs.notes.wants("ws-close-code"));
    REQUIRE(needs.headers_in.wants("Referer"));
    REQUIRE(needs.headers_out.wants("x-out"));
    REQUIRE(needs.env.wants("UNIQUE_ID"));
    REQUIRE(needs.ssl.wants("SSL_PROTOCOL"));
    REQUIRE(needs.headers_in.wants("Cookie"));
}

TEST_CASE("The variable of a CustomLog condition is kept", "[log]") {
    REQUIRE(needs_of("logs/x common env=forwarded").env.wants("forwarded"));
    REQUIRE(needs_of("logs/x common env=!dontlog").env.wants("dontlog"));
}

TEST_CASE("When an item may read any name, the whole table is kept", "[log]") {
    REQUIRE(needs_of("\"%{x}^zz\"").notes.all);
    REQUIRE_FALSE(needs_of("\"%^FB %{X}^ti %{X}^to\"").notes.all);
}

TEST_CASE("The items for JSON need what the items need that they stand for", "[log]") {
    const LogNeeds needs = needs_of("\"%{i:X-Custom}^js %{n:ws-tag}^jn %{q}^js %{}^js\"");
    REQUIRE(needs.headers_in.wants("x-custom"));
    REQUIRE(needs.notes.wants("ws-tag"));
    REQUIRE((!needs.headers_in.all && !needs.notes.all));
    REQUIRE(needs.any_letter("q"));
    REQUIRE_FALSE(needs.any_letter("U"));
}

TEST_CASE("The marks of ErrorLogFormat are understood", "[log]") {
    const LogNeeds needs = needs_of("\"[%-m:%l] [%-L %-{c}L] %7F: % %+{X-Custom}i %M, %-{note}n\"");
    REQUIRE(needs.headers_in.wants("X-Custom"));
    REQUIRE(needs.notes.wants("note"));
    REQUIRE(needs.any_letter("L"));
    REQUIRE_FALSE(needs.headers_in.all);
}

TEST_CASE("A condition keeps the names that its functions are called with", "[log]") {
    LogNeeds needs;
    needs.learn_function("req", "X-Custom");
    needs.learn_function("RESP", "X-Node");
    needs.learn_function("env", "TAG");
    needs.learn_function("tolower", "nothing");
    REQUIRE(needs.headers_in.wants("x-custom"));
    REQUIRE(needs.headers_out.wants("X-Node"));
    REQUIRE((needs.notes.wants("TAG") && needs.env.wants("TAG")));
    REQUIRE((needs.headers_in.listed.size() == 1 && needs.notes.listed.size() == 1));
    needs.learn_function("note", nullptr);
    REQUIRE((needs.notes.all && !needs.env.all && !needs.headers_in.all));
}

TEST_CASE("mod_ssl's older items stand for variables of mod_ssl", "[log]") {
    const LogNeeds needs = needs_of("\"%{version}c %{errcode}c %{errstr}c %{c}h\"");
    REQUIRE(needs.ssl.wants("SSL_PROTOCOL"));
    REQUIRE(needs.ssl.wants("SSL_CLIENT_VERIFY"));
    REQUIRE(needs.ssl.listed.size() == 2);
}

TEST_CASE("Broken formats are read as far as they go", "[log]") {
    for (const char* format : {"%", "%{", "%{Referer", "%>", "%!", "%{a}", "%%", ""}) {
        REQUIRE(needs_of(format).headers_in.listed.empty());
    }
}
