// Units and separators. The space before a unit does not break.
#include "exposition/human.hpp"

#include <array>
#include <cstdio>
#include <ctime>

namespace wsp {
namespace {

constexpr const char* kSpace = "\xC2\xA0";

std::string with_unit(std::int64_t number, const char* unit) {
    return std::to_string(number) + kSpace + unit;
}

// "3.4" below 10, "34" above, and "3" for 3; `tenths`: ten times the number.
std::string two_digits(std::uint64_t tenths) {
    std::string text = std::to_string(tenths / 10);
    if (tenths < 100 && tenths % 10 != 0) {
        text += '.';
        text += static_cast<char>('0' + tenths % 10);
    }
    return text;
}

std::string in_two_units(std::int64_t number, std::int64_t large, const char* of_large,
                         const char* of_small, std::int64_t small) {
    std::string text = with_unit(number / large, of_large);
    if (number % large / small != 0) {
        text += kSpace + with_unit(number % large / small, of_small);
    }
    return text;
}

std::string time_text(std::int64_t seconds, const char* format) {
    const std::time_t time = seconds;
    std::tm parts{};
    std::array<char, 64> text{};
    if (gmtime_r(&time, &parts) == nullptr) {
        return {};
    }
    return {text.data(), std::strftime(text.data(), text.size(), format, &parts)};
}

}  // namespace

std::string human_count(std::uint64_t number) {
    std::string text = std::to_string(number);
    for (std::size_t left = text.size(); left > 3;) {
        left -= 3;
        text.insert(left, 1, ',');
    }
    return text;
}

std::string human_short(std::uint64_t number) {
    static constexpr const char* kUnits[] = {"k", "M", "G", "T", "P", "E"};
    if (number < 100'000) {
        return human_count(number);
    }
    std::uint64_t unit = 1000;
    std::size_t name = 0;
    while (number / unit >= 1000) {
        unit *= 1000;
        ++name;
    }
    std::string digits = std::to_string(number / (unit / 100));  // three at least
    const std::size_t whole = digits.size() - 2;
    digits.resize(3);
    if (whole < 3) {
        digits.insert(whole, 1, '.');
    }
    return digits + kSpace + kUnits[name];
}

std::string human_bytes(std::uint64_t bytes) {
    static constexpr const char* kUnits[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    if (bytes < 1000) {
        return with_unit(static_cast<std::int64_t>(bytes), "B");
    }
    std::uint64_t unit = 1000;
    std::size_t name = 0;
    while (bytes / unit >= 1000) {
        unit *= 1000;
        ++name;
    }
    return two_digits(bytes / (unit / 10)) + kSpace + kUnits[name];
}

std::string human_duration(DurationUs time) {
    if (time < kMillisecond) {
        return with_unit(time < 0 ? 0 : time, "\xC2\xB5s");
    }
    if (time < kSecond) {
        return two_digits(static_cast<std::uint64_t>(time / (kMillisecond / 10))) + kSpace + "ms";
    }
    if (time < 60 * kSecond) {
        return two_digits(static_cast<std::uint64_t>(time / (kSecond / 10))) + kSpace + "s";
    }
    const std::int64_t seconds = time / kSecond;
    if (seconds < 3600) {
        return in_two_units(seconds, 60, "min", "s", 1);
    }
    if (seconds < 86400) {
        return in_two_units(seconds, 3600, "h", "min", 60);
    }
    return in_two_units(seconds, 86400, "d", "h", 3600);
}

std::string human_time(std::int64_t seconds) {
    return time_text(seconds, "%Y-%m-%d %H:%M:%S UTC");
}

std::string iso_time(std::int64_t seconds) {
    return time_text(seconds, "%Y-%m-%dT%H:%M:%SZ");
}

}  // namespace wsp
