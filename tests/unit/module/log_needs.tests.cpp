// Which names log formats ask for.
#include "log_needs.hpp"

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

TEST_CASE("What cannot be told is kept whole", "[log]") {
    REQUIRE(needs_of("logs/x common \"expr=%{REQUEST_STATUS} -ge 400\"").headers_in.all);
    REQUIRE(needs_of("\"%{x}^zz\"").notes.all);
    REQUIRE_FALSE(needs_of("\"%^FB %{X}^ti %{X}^to\"").notes.all);
}

TEST_CASE("Broken formats are read as far as they go", "[log]") {
    for (const char* format : {"%", "%{", "%{Referer", "%>", "%!", "%{a}", "%%", ""}) {
        REQUIRE(needs_of(format).headers_in.listed.empty());
    }
}
