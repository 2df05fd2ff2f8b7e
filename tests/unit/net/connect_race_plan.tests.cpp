// RFC 8305's order and timing, without a socket or a clock.
#include <catch2/catch.hpp>
#include <vector>

#include "net/connect_race.hpp"

using namespace wsp;

namespace {

using Places = std::vector<std::size_t>;

// Only its family and its bytes matter here.
ConnectAddress address(sa_family_t family, char last_byte) {
    ConnectAddress made{};
    made.address.ss_family = family;
    made.size = 16;
    reinterpret_cast<char*>(&made.address)[made.size - 1] = last_byte;
    return made;
}

const ConnectAddress six_a = address(AF_INET6, 1), six_b = address(AF_INET6, 2),
                     six_c = address(AF_INET6, 3);
const ConnectAddress four_a = address(AF_INET, 1), four_b = address(AF_INET, 2);

}  // namespace

TEST_CASE("the families take turns, beginning with the resolver's first") {
    CHECK(race_order({six_a, six_b, six_c, four_a, four_b}, nullptr) == Places{0, 3, 1, 4, 2});
    CHECK(race_order({four_a, six_a, six_b}, nullptr) == Places{0, 1, 2});
    CHECK(race_order({four_a, four_b, six_a}, nullptr) == Places{0, 2, 1});
    CHECK(race_order({four_a}, nullptr) == Places{0});
    CHECK(race_order({}, nullptr).empty());
}

TEST_CASE("the address that worked last time comes first") {
    CHECK(race_order({six_a, four_a, four_b}, &four_b) == Places{2, 0, 1});
    CHECK(race_order({six_a, four_a, four_b}, &six_a) == Places{0, 1, 2});
    CHECK(race_order({four_a, four_b}, &four_b) == Places{1, 0});
}

TEST_CASE("after the address that worked last time comes the other family") {
    CHECK(race_order({six_a, six_b, four_a}, &six_b) == Places{1, 2, 0});
    CHECK(race_order({six_a, six_b, four_a}, &four_a) == Places{2, 0, 1});
}

TEST_CASE("an address that is not in the list changes nothing") {
    const ConnectAddress elsewhere = address(AF_INET6, 9);
    CHECK(race_order({six_a, four_a, six_b}, &elsewhere) == Places{0, 1, 2});
    ConnectAddress longer = six_b;
    ++longer.size;
    CHECK(race_order({six_a, four_a, six_b}, &longer) == Places{0, 1, 2});
    CHECK(race_order({}, &elsewhere).empty());
}

TEST_CASE("an attempt begins when the one before has had its delay") {
    RacePlan plan(2, 250 * kMillisecond);
    CHECK(plan.is_due(0));
    CHECK(plan.begin(0) == 0);
    CHECK_FALSE(plan.is_due(250 * kMillisecond - 1));
    CHECK(plan.next_at() == 250 * kMillisecond);
    CHECK(plan.is_due(250 * kMillisecond));
    CHECK(plan.begin(250 * kMillisecond) == 1);
    CHECK_FALSE(plan.is_due(kNever - 1));
    CHECK(plan.next_at() == kNever);
}

TEST_CASE("an attempt begins at once when another has failed, and the next one waits again") {
    RacePlan plan(3, 250 * kMillisecond);
    plan.begin(0);
    plan.on_failed(1 * kMillisecond);
    CHECK(plan.next_at() == 1 * kMillisecond);
    CHECK(plan.is_due(1 * kMillisecond));
    CHECK(plan.begin(1 * kMillisecond) == 1);
    CHECK_FALSE(plan.is_due(2 * kMillisecond));
    CHECK(plan.next_at() == 251 * kMillisecond);
    CHECK(plan.begin(251 * kMillisecond) == 2);
    plan.on_failed(252 * kMillisecond);  // there is none to hurry
    CHECK(plan.next_at() == kNever);
}

TEST_CASE("a plan without attempts is never due") {
    const RacePlan plan(0, 250 * kMillisecond);
    CHECK_FALSE(plan.is_due(0));
    CHECK(plan.next_at() == kNever);
}

TEST_CASE("the delay between attempts is 10 ms at least and 2 s at most") {
    RacePlan eager(2, 0);
    eager.begin(kSecond);
    CHECK(eager.next_at() == kSecond + 10 * kMillisecond);
    RacePlan slow(2, 3600 * kSecond);
    slow.begin(kSecond);
    CHECK(slow.next_at() == 3 * kSecond);
    CHECK(RaceRules{}.attempt_delay == 250 * kMillisecond);
}
