// Any stream, any rules, cut anywhere: the scanner has to say what the reference parser says.
//
// The input: two bytes of rules, one byte that says how it is cut, four that seed the cuts, then
// the stream.
#include <cstdio>
#include <cstdlib>

#include "support/scanner_agreement.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

constexpr std::size_t kPrefix = 7;

ScanRules rules_from(unsigned first, unsigned second) {
    const std::uint8_t allowed[] = {0, 4, 7, 6};
    ScanRules rules;
    rules.sender = first & 1 ? Side::backend : Side::client;
    rules.validate = static_cast<Validate>(first / 2 % 3);
    rules.allowed_rsv = allowed[first / 8 % 4];
    rules.max_message = first & 0x80 ? ~0ull >> second % 64 : second;
    return rules;
}

// Steps of 1 to `longest` bytes, drawn with a small generator so that few input bytes make many
// cuts.
Cuts cuts_from(std::size_t size, unsigned longest, std::uint32_t seed) {
    Cuts cuts;
    std::size_t at = 0;
    while (longest != 0) {
        seed = seed * 1664525u + 1013904223u;
        at += 1 + (seed >> 8) % longest;
        if (at >= size)
            break;
        cuts.push_back(at);
    }
    return cuts;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < kPrefix)
        return 0;
    const ScanRules rules = rules_from(data[0], data[1]);
    const std::uint32_t seed =
        data[3] | data[4] << 8 | data[5] << 16 | static_cast<std::uint32_t>(data[6]) << 24;
    const bool asks = (data[2] & 0x80) != 0;
    const std::string stream(data + kPrefix, data + size);
    const Cuts cuts = cuts_from(stream.size(), data[2] & 0x7F, seed);

    const std::string found =
        difference(reference_parse(rules, stream), drive(rules, stream, cuts, asks), stream);
    if (!found.empty()) {
        std::fprintf(stderr, "%s\n", found.c_str());
        std::abort();
    }
    return 0;
}
