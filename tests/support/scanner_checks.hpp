// Catch2 checks for FrameScanner: one input, cut in every way, compared with the reference parser
// each time.
#pragma once

#include <catch2/catch.hpp>
#include <cstdint>
#include <string>

#include "support/reference_parser.hpp"
#include "support/scanner_agreement.hpp"
#include "support/scanner_driver.hpp"

namespace wsp::test {

inline std::string hex(std::string_view bytes, std::size_t at_most = 64) {
    static const char digits[] = "0123456789abcdef";
    std::string out;
    for (unsigned char c : bytes.substr(0, at_most))
        out.append({digits[c >> 4], digits[c & 15], ' '});
    return bytes.size() > at_most ? out + "..." : out;
}

// Returns what the scanner says about the uncut input.
inline ScanOutcome check_scan(const ScanRules& rules, std::string_view input) {
    const Reference expected = reference_parse(rules, input);
    for (const bool asks : {false, true}) {
        for (const Cuts& cuts : cut_plans(input.size())) {
            const std::string found = difference(expected, drive(rules, input, cuts, asks), input);
            if (found.empty())
                continue;
            INFO("input " << hex(input) << " cut at " << (cuts.empty() ? 0 : cuts.front())
                          << " and " << cuts.size()
                          << " places in all, asking for boundaries: " << asks);
            FAIL_CHECK(found);
        }
    }
    SUCCEED();
    return drive(rules, input);
}

}  // namespace wsp::test
