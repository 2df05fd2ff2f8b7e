// Random streams, mostly right and sometimes wrong, in random pieces: the scanner and the reference
// parser must say the same. The seeds are fixed, so a failure comes back.
#include <catch2/catch.hpp>
#include <random>

#include "support/frames.hpp"
#include "support/scanner_checks.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

class RandomStream {
  public:
    explicit RandomStream(unsigned seed) : random_(seed) {}

    unsigned below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }
    bool once_in(unsigned n) { return below(n) == 0; }

    ScanRules rules() {
        ScanRules rules;
        rules.sender = once_in(2) ? Side::client : Side::backend;
        rules.validate = static_cast<Validate>(below(3));
        const std::uint8_t allowed[] = {0, 4, 7};
        rules.allowed_rsv = allowed[below(3)];
        rules.max_message = once_in(3) ? 1 + below(400) : 0;
        return rules;
    }

    // A few frames in right order; `faults` is how rarely something is wrong with one.
    std::string frames(const ScanRules& rules, unsigned faults) {
        std::string out;
        bool in_message = false;
        for (unsigned left = below(12); left > 0; --left)
            out += once_in(4) ? control(rules, faults) : data(rules, in_message, faults);
        if (once_in(4))
            out += close_frame(rules.sender, once_in(faults) ? below(5000) : 1000,
                               text(below(20), faults));
        return once_in(4) ? out.substr(0, below(static_cast<unsigned>(out.size()) + 1)) : out;
    }

    Cuts cuts(std::size_t size) {
        Cuts cuts;
        const unsigned longest = once_in(2) ? 4 : 200;
        for (std::size_t at = below(longest); at < size; at += 1 + below(longest))
            cuts.push_back(at);
        return cuts;
    }

  private:
    std::string text(std::size_t size, unsigned faults) {
        static const char* const characters[] = {
            "a", "z", "\xC3\xA9", "\xE0\xA4\x85", "\xED\x9F\xBF", "\xF0\x90\x80\x80"};
        std::string out;
        while (out.size() < size)
            out += characters[once_in(2) ? 0 : below(6)];
        if (!out.empty() && once_in(faults))
            out[below(static_cast<unsigned>(out.size()))] = static_cast<char>(below(256));
        return out;
    }

    Frame spoilt(Frame frame, unsigned faults) {
        if (!once_in(faults))
            return frame;
        switch (below(5)) {
            case 0:
                return frame.masked(once_in(2));
            case 1:
                return frame.rsv(below(8));
            case 2:
                return frame.extra_length_bytes(once_in(2) ? 2 : 8);
            case 3:
                return frame.fin(once_in(2));
            default:
                return frame.claims(once_in(2) ? ~0ull >> below(40) : below(300));
        }
    }

    std::string control(const ScanRules& rules, unsigned faults) {
        const unsigned opcode = once_in(faults) ? 8 + below(8) : 9 + below(2);
        return spoilt(Frame(rules.sender, opcode, text(below(120), faults)), faults).bytes();
    }

    std::string data(const ScanRules& rules, bool& in_message, unsigned faults) {
        unsigned opcode = in_message ? kContinuation : 1 + below(2);
        if (once_in(faults))
            opcode = below(8);
        const bool fin = !once_in(3);
        // Half a character at the end, to be completed by the next fragment or not.
        std::string payload = text(once_in(100) ? below(70000) : below(140), faults);
        if (!fin && once_in(2))
            payload += "\xE2\x82";
        else if (in_message && once_in(2))
            payload = "\xAC" + payload;
        in_message = !fin;
        return spoilt(Frame(rules.sender, opcode, payload).fin(fin), faults).bytes();
    }

    std::mt19937 random_;
};

void compare(unsigned seed, unsigned faults) {
    RandomStream random(seed);
    const ScanRules rules = random.rules();
    const std::string input = random.frames(rules, faults);
    const Reference expected = reference_parse(rules, input);
    for (int round = 0; round < 3; ++round) {
        const bool asks = random.once_in(2);
        const std::string found =
            difference(expected, drive(rules, input, random.cuts(input.size()), asks), input);
        if (!found.empty())
            FAIL("seed " << seed << ", faults " << faults << ", " << hex(input) << ": " << found);
    }
}

}  // namespace

TEST_CASE("on random traffic the scanner says what the reference parser says") {
    const unsigned faults = GENERATE(8u, 40u, 1000u);
    for (unsigned seed = 1; seed <= 1000; ++seed)
        compare(seed, faults);
    SUCCEED();
}
