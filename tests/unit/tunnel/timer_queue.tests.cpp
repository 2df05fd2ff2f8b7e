// The timer queue against a sorted model, and its few promises one by one.
#include "tunnel/timer_queue.hpp"

#include <catch2/catch.hpp>
#include <deque>
#include <random>
#include <set>

using namespace wsp;

namespace {

struct Item : TimerHook {};

}  // namespace

TEST_CASE("an empty queue has nothing at no time") {
    TimerQueue<Item> queue;
    CHECK(queue.next_at() == kNever);
    CHECK(queue.next() == nullptr);
}

TEST_CASE("the earliest comes first, wherever it was put in") {
    TimerQueue<Item> queue;
    Item items[5];
    const MonotonicUs times[] = {30, 10, 50, 20, 40};
    for (int i = 0; i < 5; ++i)
        queue.set(items[i], times[i]);
    for (MonotonicUs expected : {10, 20, 30, 40, 50}) {
        CHECK(queue.next_at() == expected);
        REQUIRE(queue.next() != nullptr);
        CHECK(queue.next()->timer_at == expected);
        queue.remove(*queue.next());
    }
    CHECK(queue.next() == nullptr);
}

TEST_CASE("a time of never takes an object out") {
    TimerQueue<Item> queue;
    Item item;
    queue.set(item, 10);
    queue.set(item, kNever);
    CHECK(queue.next() == nullptr);
    CHECK(item.timer_at == kNever);
    CHECK(item.timer_place == TimerHook::kNotQueued);
}

TEST_CASE("an object that is not queued may be removed or set to never") {
    TimerQueue<Item> queue;
    Item item;
    queue.remove(item);
    queue.set(item, kNever);
    CHECK(queue.next() == nullptr);
    queue.set(item, 7);
    CHECK(queue.next() == &item);
}

TEST_CASE("objects of the same time all come") {
    TimerQueue<Item> queue;
    std::deque<Item> items(20);
    for (Item& item : items)
        queue.set(item, 5);
    std::set<Item*> seen;
    while (queue.next() != nullptr) {
        CHECK(queue.next_at() == 5);
        CHECK(seen.insert(queue.next()).second);
        queue.remove(*queue.next());
    }
    CHECK(seen.size() == items.size());
}

TEST_CASE("any mix of setting, moving and removing agrees with a sorted set") {
    std::mt19937 random(7);
    const auto below = [&](int n) { return std::uniform_int_distribution<int>(0, n - 1)(random); };
    TimerQueue<Item> queue;
    std::deque<Item> items(60);
    std::multiset<MonotonicUs> model;
    queue.reserve(items.size());
    bool agrees = true;
    for (int step = 0; step < 50'000 && agrees; ++step) {
        Item& item = items[static_cast<std::size_t>(below(60))];
        const MonotonicUs at = below(4) == 0 ? kNever : MonotonicUs{below(100)};
        if (item.timer_at != kNever)
            model.erase(model.find(item.timer_at));
        if (below(5) == 0) {
            queue.remove(item);
        } else {
            queue.set(item, at);
            if (at != kNever)
                model.insert(at);
        }
        agrees =
            queue.next_at() == (model.empty() ? kNever : *model.begin()) &&
            (queue.next() == nullptr ? model.empty() : queue.next()->timer_at == queue.next_at());
    }
    CHECK(agrees);
    while (!model.empty()) {
        REQUIRE(queue.next_at() == *model.begin());
        model.erase(model.begin());
        queue.remove(*queue.next());
    }
    CHECK(queue.next() == nullptr);
}
