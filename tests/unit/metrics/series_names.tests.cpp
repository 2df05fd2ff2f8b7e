// How people name virtual hosts and backends.
#include "metrics/series_names.hpp"

#include <catch2/catch.hpp>

using namespace wsp;

TEST_CASE("a virtual host is named with its port, or on whatever port", "[metrics]") {
    CHECK(names_vhost("a.example:443", "a.example:443"));
    CHECK(names_vhost("a.example", "a.example:443"));
    CHECK(names_vhost("a.example", "a.example"));
    CHECK(names_vhost("[::1]", "[::1]:80"));
    CHECK_FALSE(names_vhost("a.example:80", "a.example:443"));
    CHECK_FALSE(names_vhost("a.example:443", "a.example"));
    CHECK_FALSE(names_vhost("a", "a.example:443"));
    CHECK_FALSE(names_vhost("", "a.example:443"));
    CHECK_FALSE(names_vhost("443", "a.example:443"));
}

TEST_CASE("a backend is named whole, or by its balancer, or as a member of any", "[metrics]") {
    const std::string_view member = "balancer://chat ws://127.0.0.1:8000";
    CHECK(names_backend(member, member));
    CHECK(names_backend("balancer://chat", member));
    CHECK(names_backend("ws://127.0.0.1:8000", member));
    CHECK(names_backend("ws://127.0.0.1:8000", "ws://127.0.0.1:8000"));
    CHECK_FALSE(names_backend("balancer://chat", "ws://127.0.0.1:8000"));
    CHECK_FALSE(names_backend("ws://127.0.0.1:800", member));
    CHECK_FALSE(names_backend("ws://127.0.0.1:8000", "ws://127.0.0.1:8000/path"));
    CHECK_FALSE(names_backend("", member));
}
