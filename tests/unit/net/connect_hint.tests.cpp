// Which hint stands behind which errno of connect().
#include "net/connect_hint.hpp"

#include <catch2/catch.hpp>
#include <cerrno>

using namespace wsp;

namespace {

bool says(int error, bool is_unix, std::string_view words) {
    return hint_for_connect_error(error, is_unix).find(words) != std::string_view::npos;
}

}  // namespace

TEST_CASE("a connect() that the system forbids hints at SELinux' httpd_can_network_connect",
          "[connect_hint]") {
    CHECK(says(EACCES, false, "setsebool -P httpd_can_network_connect on"));
    CHECK(says(EPERM, false, "setsebool -P httpd_can_network_connect on"));
    // That one is about networks. A socket's permissions are more likely, and another policy's.
    CHECK_FALSE(says(EACCES, true, "httpd_can_network_connect"));
    CHECK(says(EACCES, true, "write permission for the socket"));
}

TEST_CASE("an errno that nobody knows has no hint", "[connect_hint]") {
    CHECK(hint_for_connect_error(0, false).empty());
    CHECK(hint_for_connect_error(EILSEQ, true).empty());
    CHECK(hint_for_connect_error(ENOENT, false).empty());
    CHECK(says(ENOENT, true, "no such socket"));
    CHECK(says(ECONNREFUSED, false, "nobody listens there"));
}

TEST_CASE("of several errnos the one that forbids is reported, else the last one",
          "[connect_hint]") {
    CHECK(more_telling_error(0, ECONNREFUSED) == ECONNREFUSED);
    CHECK(more_telling_error(ECONNREFUSED, ETIMEDOUT) == ETIMEDOUT);
    CHECK(more_telling_error(EACCES, ECONNREFUSED) == EACCES);
    CHECK(more_telling_error(ECONNREFUSED, EACCES) == EACCES);
    CHECK(more_telling_error(EACCES, 0) == EACCES);
}
