// What a FrameScanner should say about a stream, found the slow and obvious way: from the whole
// byte string at once, with a list of its frames and whole messages in memory. Shares no code with
// lib/ but the types of its answers.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/frame_scanner.hpp"
#include "support/scanner_driver.hpp"

namespace wsp::test {

struct Reference {
    Violation error = Violation::none;
    std::size_t error_frame = 0;  // where the frame that is to blame begins
    // Only for text that goes wrong in a data frame: the byte whose arrival shows it.
    std::optional<std::size_t> bad_text_at;
    std::size_t forwardable = 0;  // without an error: control frames included
    std::vector<ShownControl> controls;
    std::vector<std::size_t> boundaries{0};
    bool at_boundary = true;
    bool in_message = false;
    bool lost = false;
    std::uint64_t messages = 0;
    std::uint16_t close_code = 0;
};

// True when some continuation of `text` is UTF-8: every character whole and in range, and the last
// one, if it is cut off, completed by the lowest or highest continuation bytes gives something
// allowed.
inline bool begins_utf8(const std::string& text, bool must_be_whole) {
    std::size_t i = 0;
    while (i < text.size()) {
        const unsigned lead = static_cast<unsigned char>(text[i]);
        const unsigned size = lead < 0x80       ? 1
                              : lead >> 5 == 6  ? 2
                              : lead >> 4 == 14 ? 3
                              : lead >> 3 == 30 ? 4
                                                : 0;
        if (size == 0)
            return false;
        unsigned lowest = size == 1 ? lead : lead & (0xFFu >> (size + 1));
        unsigned highest = lowest;
        for (unsigned k = 1; k < size; ++k) {
            const bool here = i + k < text.size();
            const unsigned byte = here ? static_cast<unsigned char>(text[i + k]) : 0;
            if (here && byte >> 6 != 2)
                return false;
            lowest = lowest << 6 | (here ? byte & 0x3F : 0);
            highest = highest << 6 | (here ? byte & 0x3F : 0x3F);
        }
        const unsigned shortest_from[] = {0, 0, 0x80, 0x800, 0x10000};
        bool possible = false;
        for (unsigned c = lowest; c <= highest && !possible; ++c)
            possible = c >= shortest_from[size] && c <= 0x10FFFF && !(c >= 0xD800 && c <= 0xDFFF);
        if (!possible || (must_be_whole && i + size > text.size()))
            return false;
        i += size;
    }
    return true;
}

class ReferenceParser {
  public:
    ReferenceParser(const ScanRules& rules, std::string_view input)
        : rules_(rules), input_(input) {}

    Reference parse() {
        while (read_frame() && judge_header() && judge_control_payload() && judge_text())
            finish_frame();
        return result_;
    }

  private:
    // Fields of the frame that begins at begin_.
    bool fin_ = false, masked_ = false, minimal_ = true;
    unsigned rsv_ = 0, opcode_ = 0;
    std::uint64_t length_ = 0;
    std::size_t header_size_ = 0;
    std::string key_ = std::string(4, '\0');

    bool framing() const { return rules_.validate != Validate::off; }
    bool is_control() const { return opcode_ >= 8; }
    unsigned byte(std::size_t offset) const {
        return static_cast<unsigned char>(input_[begin_ + offset]);
    }
    std::size_t rest() const { return input_.size() - begin_; }
    bool whole() const { return rest() >= header_size_ && rest() - header_size_ >= length_; }

    bool read_frame() {
        result_.forwardable = begin_;
        if (result_.lost || result_.close_code != 0)
            return stop_at_end();
        if (rest() < 2)
            return false;
        fin_ = byte(0) >= 0x80;
        rsv_ = byte(0) / 16 % 8;
        opcode_ = byte(0) % 16;
        masked_ = byte(1) >= 0x80;
        length_ = byte(1) % 128;
        const unsigned extra = length_ == 127 ? 8 : length_ == 126 ? 2 : 0;
        header_size_ = 2 + extra + (masked_ ? 4 : 0);
        if (rest() < header_size_)
            return false;
        if (extra != 0)
            length_ = 0;
        for (unsigned i = 0; i < extra; ++i)
            length_ = length_ * 256 + byte(2 + i);
        minimal_ = extra == 0 || (extra == 2 && length_ > 125) || (extra == 8 && length_ > 65535);
        key_ = masked_ ? std::string(input_.substr(begin_ + 2 + extra, 4)) : std::string(4, '\0');
        return true;
    }

    bool stop_at_end() {
        result_.forwardable = input_.size();
        result_.at_boundary = false;
        return false;
    }

    std::string payload() const {
        std::string out(
            input_.substr(begin_ + header_size_,
                          static_cast<std::size_t>(std::min<std::uint64_t>(length_, rest()))));
        for (std::size_t i = 0; i < out.size(); ++i)
            out[i] = static_cast<char>(out[i] ^ key_[i % 4]);
        return out;
    }

    bool fail(Violation error) {
        result_.error = error;
        result_.error_frame = begin_;
        return false;
    }

    bool rsv_allowed() const {
        if (rsv_ == 0 || rules_.allowed_rsv == 7)
            return true;
        const bool opens_message = opcode_ >= 1 && opcode_ <= 7;
        if (rules_.allowed_rsv == 4)
            return rsv_ == 4 && opens_message;
        for (unsigned bit = 1; bit <= 4; bit *= 2) {
            if (rsv_ & bit && !(rules_.allowed_rsv & bit))
                return false;
        }
        return true;
    }

    bool judge_header() {
        if (framing() && !judge_framing())
            return false;
        if (!is_control() && rules_.max_message != 0) {
            const std::uint64_t before = result_.in_message ? message_size_ : 0;
            const bool overflows = before + length_ < before;
            if (overflows || before + length_ > rules_.max_message)
                return fail(Violation::message_too_big);
        }
        if (is_control() ? length_ > 125 || !minimal_ : length_ > INT64_MAX) {
            result_.lost = true;
            return stop_at_end();
        }
        return true;
    }

    bool judge_framing() {
        if (!rsv_allowed())
            return fail(Violation::reserved_bits);
        if ((opcode_ >= 3 && opcode_ <= 7) || opcode_ >= 11)
            return fail(Violation::reserved_opcode);
        if (rules_.sender == Side::client && !masked_)
            return fail(Violation::unmasked_frame);
        if (rules_.sender == Side::backend && masked_)
            return fail(Violation::masked_frame);
        if (!minimal_)
            return fail(Violation::length_not_minimal);
        if (length_ > INT64_MAX)
            return fail(Violation::length_too_large);
        if (is_control() && !fin_)
            return fail(Violation::control_fragmented);
        if (is_control() && length_ > 125)
            return fail(Violation::control_too_long);
        if (opcode_ == 0 && !result_.in_message)
            return fail(Violation::unexpected_continuation);
        if ((opcode_ == 1 || opcode_ == 2) && result_.in_message)
            return fail(Violation::expected_continuation);
        return true;
    }

    bool judge_control_payload() {
        if (!is_control())
            return true;
        if (!whole())
            return false;
        if (opcode_ == 8 && framing() && !judge_close())
            return false;
        result_.controls.push_back(
            {begin_, opcode_, header_size_ + static_cast<std::size_t>(length_), payload()});
        return true;
    }

    bool judge_close() {
        const std::string text = payload();
        if (text.size() == 1)
            return fail(Violation::close_payload_of_one_byte);
        if (text.empty() || rules_.validate != Validate::full || rsv_ != 0)
            return true;
        const unsigned code = close_code_of(text);
        if (code < 1000 || code > 4999 || (code > 1014 && code < 3000) ||
            (code > 1003 && code < 1007))
            return fail(Violation::bad_close_code);
        return begins_utf8(text.substr(2), true) || fail(Violation::invalid_utf8);
    }

    static unsigned close_code_of(const std::string& text) {
        return text.size() < 2 ? 0
                               : static_cast<unsigned char>(text[0]) * 256u +
                                     static_cast<unsigned char>(text[1]);
    }

    // Also notes what of the message is here, so that its text can be judged before it is whole.
    bool judge_text() {
        if (is_control())
            return true;
        if (!result_.in_message) {
            message_size_ = 0;
            text_.clear();
            is_text_ = rules_.validate == Validate::full && opcode_ == 1 && rsv_ == 0;
        }
        message_size_ += length_;
        const std::string here = payload();
        for (std::size_t i = 0; is_text_ && i < here.size(); ++i) {
            text_ += here[i];
            if (!begins_utf8(text_, fin_ && i + 1 == length_))
                return fail_text(begin_ + header_size_ + i);
            if (begins_utf8(text_, true))
                text_.clear();
        }
        if (is_text_ && fin_ && length_ == 0 && !begins_utf8(text_, true))
            return fail_text(begin_ + header_size_ - 1);
        if (!whole()) {
            result_.at_boundary = false;
            result_.forwardable = input_.size();
        }
        return whole();
    }

    bool fail_text(std::size_t at) {
        result_.bad_text_at = at;
        return fail(Violation::invalid_utf8);
    }

    void finish_frame() {
        if (opcode_ == 8 && result_.close_code == 0)
            result_.close_code = static_cast<std::uint16_t>(close_code_of(payload()));
        if (opcode_ == 8 && result_.close_code == 0)
            result_.close_code = 1005;
        if (!is_control()) {
            result_.in_message = !fin_;
            result_.messages += fin_ ? 1 : 0;
        }
        begin_ += header_size_ + static_cast<std::size_t>(length_);
        result_.boundaries.push_back(begin_);
    }

    ScanRules rules_;
    std::string_view input_;
    std::size_t begin_ = 0;
    std::uint64_t message_size_ = 0;
    std::string text_;  // of the message, behind the last whole character
    bool is_text_ = false;
    Reference result_;
};

inline Reference reference_parse(const ScanRules& rules, std::string_view input) {
    return ReferenceParser(rules, input).parse();
}

}  // namespace wsp::test
