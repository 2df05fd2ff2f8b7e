// Drives a FrameScanner as a tunnel does: input arrives in pieces, what is not ready is carried
// over to the next call, control frames are taken off one by one. Notes everything that the scanner
// said, and whether it kept its side of the contract in frame_scanner.hpp.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/frame_scanner.hpp"

namespace wsp::test {

struct ShownControl {
    std::size_t at;  // offset in the stream
    unsigned opcode;
    std::size_t size;
    std::string payload;

    bool operator==(const ShownControl& other) const {
        return at == other.at && opcode == other.opcode && size == other.size &&
               payload == other.payload;
    }
};

struct ScanOutcome {
    std::string forwarded;
    std::vector<ShownControl> controls;
    std::vector<std::size_t> boundaries;  // offsets at which it stopped for one
    Violation error = Violation::none;
    std::size_t last_begin = 0;  // offsets of the bytes that the last scan() looked at
    std::size_t last_end = 0;
    bool at_boundary = true;
    bool in_message = false;
    bool lost = false;
    std::uint64_t messages = 0;
    std::uint16_t close_code = 0;
    std::string broken_contract;  // empty when it was kept
};

// Offsets at which the input is cut, ascending.
using Cuts = std::vector<std::size_t>;

class ScannerDriver {
  public:
    // With `asks` every other scan() asks to stop at a boundary.
    ScannerDriver(const ScanRules& rules, bool asks) : scanner_(rules), asks_(asks) {}

    ScanOutcome run(std::string_view input, const Cuts& cuts) {
        std::size_t begin = 0;
        for (std::size_t cut : cuts) {
            arrive(input.substr(begin, cut - begin));
            begin = cut;
        }
        arrive(input.substr(begin));
        note_state();
        return outcome_;
    }

  private:
    void arrive(std::string_view piece) {
        held_ += piece;
        bool ask = asks_;
        while (!ended() && scan_once(ask))
            ask = asks_ && !ask;
    }

    bool ended() const {
        return outcome_.error != Violation::none || !outcome_.broken_contract.empty();
    }

    // True when scan() is to be called again without waiting for more input.
    bool scan_once(bool ask) {
        // An allocation of exactly this size, so that a sanitizer sees one byte too far.
        const std::vector<std::uint8_t> bytes(held_.begin(), held_.end());
        FrameScanner::Control control;
        const FrameScanner::Result result = scanner_.scan(bytes.data(), bytes.size(), ask, control);
        outcome_.last_begin = outcome_.forwarded.size();
        outcome_.last_end = outcome_.last_begin + held_.size();
        require(result.ready <= held_.size(), "more is ready than there is");
        require((result.stop == FrameScanner::Stop::error) == (result.error != Violation::none),
                "error without a reason");
        if (ended())
            return false;
        forward(result.ready);
        return go_on(result, ask, control);
    }

    bool go_on(const FrameScanner::Result& result, bool ask, const FrameScanner::Control& control) {
        switch (result.stop) {
            case FrameScanner::Stop::error:
                outcome_.error = result.error;
                return false;
            case FrameScanner::Stop::boundary:
                require(ask, "stopped at a boundary unasked");
                require(scanner_.at_boundary(), "boundary, but not at_boundary()");
                outcome_.boundaries.push_back(outcome_.forwarded.size());
                return true;
            case FrameScanner::Stop::control:
                require(!ask, "a control frame, but no boundary in front of it");
                take(control);
                return true;
            case FrameScanner::Stop::more:
                require(!(ask && scanner_.at_boundary()), "did not stop at the boundary");
                check_rest();
                return false;
        }
        return false;
    }

    void take(const FrameScanner::Control& control) {
        require(control.size <= held_.size(), "a control frame in pieces");
        require(control.payload_size <= kMaxControlPayload,
                "a control payload of more than 125 bytes");
        if (ended())
            return;
        outcome_.controls.push_back(
            {outcome_.forwarded.size(), static_cast<unsigned>(control.opcode), control.size,
             std::string(control.payload, control.payload + control.payload_size)});
        forward(control.size);
    }

    void check_rest() {
        const bool of_control = !held_.empty() && (held_[0] & 0x08) != 0;
        require(held_.size() < (of_control ? kMaxControlFrame : kMaxFrameHeader),
                "more is held than allowed");
        require(held_.empty() || scanner_.at_boundary(), "payload is held");
    }

    void forward(std::size_t size) {
        outcome_.forwarded += held_.substr(0, size);
        held_.erase(0, size);
    }

    void require(bool kept, const char* otherwise) {
        if (!kept && outcome_.broken_contract.empty())
            outcome_.broken_contract = otherwise;
    }

    void note_state() {
        outcome_.at_boundary = scanner_.at_boundary();
        outcome_.in_message = scanner_.in_message();
        outcome_.lost = scanner_.lost();
        outcome_.messages = scanner_.messages();
        outcome_.close_code = scanner_.close_code();
        require(scanner_.close_seen() == (scanner_.close_code() != 0), "a Close without a code");
    }

    FrameScanner scanner_;
    bool asks_;
    std::string held_;
    ScanOutcome outcome_;
};

inline ScanOutcome drive(const ScanRules& rules, std::string_view input, const Cuts& cuts = {},
                         bool asks = false) {
    return ScannerDriver(rules, asks).run(input, cuts);
}

// Whole; cut once at every position; byte by byte. Of long inputs only the first and last `edge`
// positions and some between are cut, and the pieces are larger.
inline std::vector<Cuts> cut_plans(std::size_t size, std::size_t edge = 200) {
    std::vector<Cuts> plans{{}};
    const std::size_t stride = size > 2 * edge ? size / 16 : 1;
    for (std::size_t at = 0; at <= size; at += at < edge || at + edge >= size ? 1 : stride)
        plans.push_back({at});
    Cuts everywhere;
    for (std::size_t at = stride; at < size; at += stride)
        everywhere.push_back(at);
    plans.push_back(everywhere);
    return plans;
}

}  // namespace wsp::test
