// The list of policies: equal ones are shared, and it does not end them.
#include "tunnel/shared_policies.hpp"

#include <catch2/catch.hpp>

using namespace wsp;

TEST_CASE("equal policies are one object") {
    SharedPolicies policies;
    Policy first;
    first.buffer_size = 4096;
    const Policy second = first;
    CHECK(policies.share(first) == policies.share(second));
}

TEST_CASE("policies that differ are two objects, and each has its own values") {
    SharedPolicies policies;
    Policy small;
    small.buffer_size = 4096;
    Policy large;
    large.buffer_size = 8192;
    const auto one = policies.share(small);
    const auto other = policies.share(large);
    CHECK(one != other);
    CHECK(one->buffer_size == 4096);
    CHECK(other->buffer_size == 8192);
}

TEST_CASE("a shared policy outlives the object that shared it") {
    std::shared_ptr<const Policy> kept;
    {
        SharedPolicies policies;
        Policy policy;
        policy.buffer_size = 4096;
        kept = policies.share(policy);
    }
    CHECK(kept->buffer_size == 4096);
}
