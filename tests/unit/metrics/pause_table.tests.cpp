// Who takes no new tunnels.
#include "metrics/pause_table.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <memory>

using namespace wsp;

namespace {

// As shared memory is when the server begins.
struct Zeroed {
    std::unique_ptr<void, void (*)(void*)> memory{std::calloc(1, sizeof(PauseTable)), std::free};
    PauseTable& table = PauseTable::in(memory.get());
};

}  // namespace

TEST_CASE("nothing is paused in the beginning") {
    Zeroed shared;
    CHECK_FALSE(shared.table.is_paused("a:80", "ws://b"));
    CHECK_FALSE(shared.table.resume("a:80", ""));
    CHECK(shared.table.list().empty());
}

TEST_CASE("a pause is for a virtual host, a backend, or one with the other, until it is ended") {
    Zeroed shared;
    PauseTable& table = shared.table;
    CHECK(table.pause("a:80", ""));
    CHECK(table.pause("", "ws://b"));
    CHECK(table.pause("c:80", "ws://d"));
    CHECK(table.is_paused("a:80", "ws://x"));
    CHECK(table.is_paused("x:80", "ws://b"));
    CHECK(table.is_paused("c:80", "ws://d"));
    CHECK_FALSE(table.is_paused("c:80", "ws://x"));
    CHECK_FALSE(table.is_paused("x:80", "ws://d"));
    CHECK_FALSE(table.is_paused("", ""));
    CHECK(table.list().size() == 3);
    CHECK_FALSE(table.resume("c:80", ""));
    CHECK(table.resume("c:80", "ws://d"));
    CHECK_FALSE(table.resume("c:80", "ws://d"));
    CHECK_FALSE(table.is_paused("c:80", "ws://d"));
    CHECK(table.is_paused("a:80", "ws://b"));
    CHECK(table.resume_all() == 2);
    CHECK_FALSE(table.is_paused("a:80", "ws://b"));
}

TEST_CASE("the same pauses come back without using up the room") {
    Zeroed shared;
    for (int i = 0; i < 1000; ++i) {
        CHECK(shared.table.pause("a:80", i % 2 == 0 ? "" : "ws://b"));
        shared.table.resume_all();
    }
}

TEST_CASE("labels that are too long, and too many of them, are refused") {
    Zeroed shared;
    const std::string longest(PauseTable::kLongestLabel, 'x');
    CHECK(shared.table.pause(longest, longest));
    CHECK(shared.table.is_paused(longest, longest));
    CHECK_FALSE(shared.table.pause(longest + "x", ""));
    CHECK_FALSE(shared.table.pause("", longest + "x"));
    for (std::size_t i = 1; i < PauseTable::kEntries; ++i) {
        CHECK(shared.table.pause(std::to_string(i), ""));
    }
    CHECK_FALSE(shared.table.pause("one more", ""));
    CHECK(shared.table.is_paused("255", ""));
}
