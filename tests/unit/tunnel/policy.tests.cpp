// Policies that differ in any one member are different.
#include "tunnel/policy.hpp"

#include <catch2/catch.hpp>

namespace {

using namespace wsp;

// Any value but the one that is there.
void change(bool& value) {
    value = !value;
}
void change(Validate& value) {
    value = value == Validate::off ? Validate::frames : Validate::off;
}
template <typename Number>
void change(Number& value) {
    ++value;
}

TEST_CASE("policies are the same when all of their members are", "[policy]") {
    CHECK(Policy() == Policy());
#define WSP_POLICY(type, name, initial) \
    {                                   \
        INFO(#name);                    \
        Policy other;                   \
        change(other.name);             \
        CHECK_FALSE(Policy() == other); \
        Policy same = other;            \
        CHECK(same == other);           \
    }
#include "tunnel/policy.def"
#undef WSP_POLICY
}

TEST_CASE("each reason has the close code of its row, every other one that of a stop", "[policy]") {
#define WSP_POLICY(type, name, initial)
#define WSP_CLOSE_CODE(name, reason)                                  \
    {                                                                 \
        INFO(#name);                                                  \
        Policy policy;                                                \
        policy.name = 4001;                                           \
        CHECK(policy.close_code(EndReason::reason) == 4001);          \
        CHECK((policy.close_code(EndReason::idle_timeout) == 4001) == \
              (EndReason::reason == EndReason::idle_timeout));        \
    }
#include "tunnel/policy.def"
#undef WSP_POLICY
    Policy policy;
    policy.close_code_stop = 4001;
    CHECK(policy.close_code(EndReason::client_stalled) == 4001);
}

}  // namespace
