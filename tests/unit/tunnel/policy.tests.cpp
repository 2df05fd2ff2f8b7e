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
void change(const void*& value) {
    value = &value;
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

}  // namespace
