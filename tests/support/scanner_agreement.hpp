// Compares a FrameScanner with the reference parser on one input cut in one way. For unit tests and
// fuzzers.
#pragma once

#include <algorithm>
#include <sstream>
#include <string>

#include "support/reference_parser.hpp"
#include "support/scanner_driver.hpp"

namespace wsp::test {

// Collects the differences as text.
class Comparison {
  public:
    template <typename T, typename U>
    void same(const char* what, const T& expected, const U& got) {
        if (expected == got)
            return;
        text_ << what << ": expected " << +expected << ", got " << +got << "; ";
    }

    void same(const char* what, Violation expected, Violation got) {
        if (expected != got)
            text_ << what << ": expected " << name_of(expected) << ", got " << name_of(got) << "; ";
    }

    void holds(const char* what, bool truth) {
        if (!truth)
            text_ << what << "; ";
    }

    std::string text() const { return text_.str(); }

  private:
    std::ostringstream text_;
};

// Of a frame with bad text, nothing is forwarded if its header is still held, else what came before
// the bytes at hand.
inline std::size_t expected_forwarded(const Reference& expected, const ScanOutcome& got) {
    if (expected.error == Violation::none)
        return expected.forwardable;
    if (!expected.bad_text_at)
        return expected.error_frame;
    return std::max(expected.error_frame, got.last_begin);
}

inline bool expected_at_boundary(const Reference& expected, const ScanOutcome& got) {
    if (!expected.bad_text_at)
        return expected.at_boundary;
    return expected.error_frame >= got.last_begin;
}

inline void compare_state(Comparison& compare, const Reference& expected, const ScanOutcome& got) {
    compare.same("at_boundary", expected_at_boundary(expected, got), got.at_boundary);
    compare.same("in_message", expected.in_message, got.in_message);
    compare.same("lost", expected.lost, got.lost);
    compare.same("messages", expected.messages, got.messages);
    compare.same("close_code", expected.close_code, got.close_code);
}

// Empty when they agree.
inline std::string difference(const Reference& expected, const ScanOutcome& got,
                              std::string_view input) {
    Comparison compare;
    compare.holds(got.broken_contract.c_str(), got.broken_contract.empty());
    compare.same("error", expected.error, got.error);
    const std::size_t forwarded = expected_forwarded(expected, got);
    compare.same("forwarded", forwarded, got.forwarded.size());
    compare.holds("what was forwarded is not what came",
                  got.forwarded == input.substr(0, forwarded));
    compare.holds("other control frames were shown", expected.controls == got.controls);
    compare_state(compare, expected, got);
    for (std::size_t at : got.boundaries) {
        const auto& ends = expected.boundaries;
        compare.holds("stopped inside a frame", std::binary_search(ends.begin(), ends.end(), at));
    }
    if (expected.bad_text_at) {
        const std::size_t at = *expected.bad_text_at;
        compare.holds("bad text was noticed late or early",
                      got.last_begin <= at && at < got.last_end);
    }
    return compare.text();
}

}  // namespace wsp::test
