// What a load says about itself: durations collected, and the line of JSON made of them.
#pragma once

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "client.hpp"

namespace bench {

class Durations {
  public:
    void reserve(std::size_t count) { us_.reserve(count); }
    void add(Clock::duration duration) {
        us_.push_back(std::chrono::duration<double, std::micro>(duration).count());
    }
    std::size_t count() const { return us_.size(); }
    // `share` of all are at most this long, in microseconds; 0 when there are none.
    double quantile(double share) {
        if (us_.empty()) {
            return 0;
        }
        const auto at =
            us_.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(us_.size() - 1));
        std::nth_element(us_.begin(), at, us_.end());
        return *at;
    }

  private:
    std::vector<double> us_;
};

// Says that everything is in place and waits for the word to begin.
inline void await_go() {
    std::puts("ready");
    std::fflush(stdout);
    std::string word;
    if (!std::getline(std::cin, word)) {
        throw std::runtime_error("nobody said go");
    }
}

inline void tell(Durations& durations, std::size_t skipped, Clock::duration took) {
    std::printf(
        "{\"count\": %zu, \"skipped\": %zu, \"seconds\": %.6f, \"p50_us\": %.1f, \"p99_us\": "
        "%.1f}\n",
        durations.count(), skipped, std::chrono::duration<double>(took).count(),
        durations.quantile(0.5), durations.quantile(0.99));
    std::fflush(stdout);
}

inline void await_end() {
    for (std::string ignored; std::getline(std::cin, ignored);) {
    }
}

}  // namespace bench
