// Text from strangers (paths, addresses, tags) on its way into a format: every byte is valid UTF-8 afterwards, and
// nothing in it means anything to the format. Pure; any thread.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace wsp {

// U+FFFD, which stands for a byte that is no UTF-8.
inline constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// The character at the beginning of `text`, which is not empty, removed from it; kReplacement in place of a byte that
// does not begin one.
std::string_view take_character(std::string_view& text) noexcept;

// Appends a decimal number; no locale is asked.
template <typename Number>
void append_number(std::string& out, Number number) {
    char digits[24];
    out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

// Appends a time in seconds, exact to the microsecond and without trailing zeros: "0.0005", "86400".
void append_seconds(std::string& out, DurationUs time);

// Appends text to be shown in HTML, as content or within double quotes.
void append_html(std::string& out, std::string_view text);

// Appends a string of JSON (RFC 8259 7), with its quotes.
void append_json(std::string& out, std::string_view text);

// Appends a label's value for Prometheus and OpenMetrics, without quotes.
void append_label(std::string& out, std::string_view text);

// Appends a field of CSV (RFC 4180). What a spreadsheet would take for a formula begins with an apostrophe.
void append_csv(std::string& out, std::string_view text);

// Appends text as the value of a query parameter: everything but letters, digits and -._~ is %XX.
void append_query(std::string& out, std::string_view text);

}  // namespace wsp
