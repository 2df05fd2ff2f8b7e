// Numbers as people read them. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.hpp"

namespace wsp {

// "1,234,567"
std::string human_count(std::uint64_t number);
// The same below 100,000; above, three digits and a unit: "123 k", "4.56 M".
std::string human_short(std::uint64_t number);
// "999 B", "1.2 kB", "45 MB": powers of 1000.
std::string human_bytes(std::uint64_t bytes);
// "850 µs", "12 ms", "3.4 s", "5 min 12 s", "2 h 5 min", "3 d 4 h"
std::string human_duration(DurationUs time);
// "2026-11-22 05:38:43 UTC"; seconds since 1970.
std::string human_time(std::int64_t seconds);
// The same for the datetime attribute: "2026-11-22T05:38:43Z".
std::string iso_time(std::int64_t seconds);

}  // namespace wsp
