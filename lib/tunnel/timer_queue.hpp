// A queue of timers: a binary heap of objects. Each object knows its own place in the heap, so moving one costs a few
// swaps and no allocation. One owner, one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/clock.hpp"

namespace wsp {

// What an object needs to be in a TimerQueue. The object must be removed from the queue before it is destroyed.
struct TimerHook {
    static constexpr std::uint32_t kNotQueued = UINT32_MAX;
    MonotonicUs timer_at = kNever;
    std::uint32_t timer_place = kNotQueued;
};

template <class T>  // derives from TimerHook
class TimerQueue {
  public:
    // Makes room for `count` objects. The only function that allocates (bad_alloc).
    void reserve(std::size_t count) { heap_.reserve(count); }

    MonotonicUs next_at() const noexcept {
        return heap_.empty() ? kNever : heap_.front()->timer_at;
    }
    T* next() const noexcept { return heap_.empty() ? nullptr : heap_.front(); }

    // Adds `object` with the time `at`, or moves it to that time. kNever removes it.
    void set(T& object, MonotonicUs at) {
        if (at == object.timer_at) {
            return;
        }
        if (at == kNever) {
            remove(object);
            return;
        }
        object.timer_at = at;
        if (object.timer_place == TimerHook::kNotQueued) {
            object.timer_place = static_cast<std::uint32_t>(heap_.size());
            heap_.push_back(&object);
        }
        settle(object.timer_place);
    }

    void remove(T& object) noexcept {
        const std::uint32_t place = object.timer_place;
        object.timer_at = kNever;
        if (place == TimerHook::kNotQueued) {
            return;
        }
        object.timer_place = TimerHook::kNotQueued;
        T* const last = heap_.back();
        heap_.pop_back();
        if (last != &object) {
            put(last, place);
            settle(place);
        }
    }

  private:
    void put(T* object, std::size_t place) noexcept {
        heap_[place] = object;
        object->timer_place = static_cast<std::uint32_t>(place);
    }

    // Moves the object at `place` up or down to its right place.
    void settle(std::size_t place) noexcept {
        T* const moving = heap_[place];
        while (place > 0 && moving->timer_at < heap_[(place - 1) / 2]->timer_at) {
            put(heap_[(place - 1) / 2], place);
            place = (place - 1) / 2;
        }
        for (;;) {
            std::size_t child = 2 * place + 1;
            if (child >= heap_.size()) {
                break;
            }
            if (child + 1 < heap_.size() && heap_[child + 1]->timer_at < heap_[child]->timer_at) {
                ++child;
            }
            if (moving->timer_at <= heap_[child]->timer_at) {
                break;
            }
            put(heap_[child], place);
            place = child;
        }
        put(moving, place);
    }

    std::vector<T*> heap_;
};

}  // namespace wsp
