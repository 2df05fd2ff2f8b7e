// Follows the frames of one direction and checks each of them.
#include "protocol/frame_scanner.hpp"

#include <algorithm>

#include "protocol/close_code.hpp"

namespace wsp {
namespace {

constexpr bool is(std::uint8_t opcode, Opcode expected) {
    return opcode == static_cast<std::uint8_t>(expected);
}

// RFC 6455 5.2: opcodes 3-7 and B-F are reserved.
constexpr bool is_reserved(std::uint8_t opcode) {
    return (opcode & 0x7) > 2;
}

// True for FIN set, no RSV bit, and opcode text or binary.
constexpr bool is_whole_message(std::uint8_t first_byte) {
    return first_byte == 0x81 || first_byte == 0x82;
}

// RFC 6455 5.2: the longest payload whose length fits in the second byte.
constexpr std::uint64_t kMaxShort = 125;

// RFC 7692 6: only the first frame of a data message may have RSV1. The rules of an unknown extension are not known, so
// its bits are permitted on every frame.
std::uint8_t permitted_rsv(const FrameHeader& header, std::uint8_t allowed) {
    const bool first_of_message =
        !is_control(header.opcode) && !is(header.opcode, Opcode::continuation);
    return allowed == kRsv1 && !first_of_message ? 0 : allowed;
}

// True when the frame can be followed in spite of other faults: counted in a message, or shown in a
// FrameScanner::Control. A control frame whose length is not encoded minimally is excluded. It would be longer than
// kMaxControlFrame, and callers have room for no more than that.
bool can_be_followed(const FrameHeader& header) {
    if (is_control(header.opcode)) {
        return header.length <= kMaxControlPayload && header.minimal;
    }
    return header.length >> 63 == 0;
}

Violation judge_control(const FrameHeader& header) {
    if (!header.fin) {  // RFC 6455 5.5: control frames are never fragmented
        return Violation::control_fragmented;
    }
    if (header.length > kMaxControlPayload) {  // RFC 6455 5.5
        return Violation::control_too_long;
    }
    return Violation::none;
}

// The code on the wire. 0 when there is none.
std::uint16_t code_on_wire(const FrameScanner::Control& close) {
    if (close.payload_size < 2) {
        return 0;
    }
    return static_cast<std::uint16_t>(close.payload[0] << 8 | close.payload[1]);
}

bool reason_is_utf8(const FrameScanner::Control& close) {
    Utf8Validator reason;
    return reason.feed(close.payload + 2, close.payload_size - 2u) && reason.complete();
}

Violation judge_close(const FrameScanner::Control& close, bool look_inside) {
    if (close.payload_size == 0) {
        return Violation::none;
    }
    if (close.payload_size == 1) {  // RFC 6455 5.5.1: the code has two bytes
        return Violation::close_payload_of_one_byte;
    }
    if (!look_inside) {
        return Violation::none;
    }
    if (!may_be_sent(code_on_wire(close))) {  // RFC 6455 7.4
        return Violation::bad_close_code;
    }
    return reason_is_utf8(close) ? Violation::none
                                 : Violation::invalid_utf8;  // RFC 6455 5.5.1, 8.1
}

void show(const std::uint8_t* frame, const FrameHeader& header, FrameScanner::Control& control) {
    control.opcode = static_cast<Opcode>(header.opcode);
    control.payload_size = static_cast<std::uint8_t>(header.length);
    control.size = header.size + header.length;
    std::copy_n(frame + header.size, header.length, control.payload);
    apply_mask(control.payload, control.payload_size, header.key);
}

}  // namespace

static_assert(sizeof(FrameScanner) <= 64, "two of these are in every tunnel");

FrameScanner::FrameScanner(const ScanRules& rules) noexcept : rules_(rules) {}

FrameScanner::Result FrameScanner::scan(const std::uint8_t* data, std::size_t size,
                                        bool stop_at_boundary, Control& control) noexcept {
    if (close_seen()) {
        return {size, Stop::more};
    }
    std::size_t at = 0;
    if (payload_left_ > 0) {
        at = within_frame(size);
        if (!pass_payload(data, at)) {
            return {0, Stop::error, Violation::invalid_utf8};
        }
    }
    while (payload_left_ == 0 && !lost_) {
        if (stop_at_boundary) {
            return {at, Stop::boundary};
        }
        at += pass_short_messages(data + at, size - at);
        const std::uint8_t* const frame = data + at;
        FrameHeader header;
        if (!parse_frame_header(frame, size - at, header)) {
            return {at, Stop::more};
        }
        if (const Violation error = judge(header); error != Violation::none) {
            return {at, Stop::error, error};
        }
        if (lost_) {
            break;
        }
        if (is_control(header.opcode)) {
            return take_control(frame, size - at, header, at, control);
        }
        begin_data(header);
        const std::size_t payload = within_frame(size - at - header.size);
        if (!pass_payload(frame + header.size, payload)) {
            payload_left_ = 0;  // this frame is not forwarded: we are at a frame boundary
            return {at, Stop::error, Violation::invalid_utf8};
        }
        at += header.size + payload;
    }
    return {lost_ ? size : at, Stop::more};
}

// A fast path for small messages: complete messages in one frame of up to 125 bytes that break no rule and whose text
// need not be checked. Returns the size of those at the beginning of `data`. The loop in scan() checks what follows.
std::size_t FrameScanner::pass_short_messages(const std::uint8_t* data, std::size_t size) noexcept {
    if (in_message_ || rules_.validate == Validate::full) {
        return 0;
    }
    const std::size_t limit =
        rules_.max_message == 0 ? kMaxShort : std::min(rules_.max_message, kMaxShort);
    const std::size_t mask_bit = rules_.sender == Side::client ? 0x80 : 0;
    const std::size_t header = rules_.sender == Side::client ? 6 : 2;
    std::size_t at = 0;
    while (size - at >= header && is_whole_message(data[at])) {
        const std::size_t length = data[at + 1] ^ mask_bit;
        if (length > limit || length > size - at - header) {
            break;
        }
        at += header + length;
        ++messages_;
    }
    return at;
}

// Returns the first rule that the header breaks. With Validate::off, sets lost_ when the stream cannot be followed any
// more.
Violation FrameScanner::judge(const FrameHeader& header) noexcept {
    if (rules_.validate != Validate::off) {
        const Violation error = judge_framing(header);
        if (error != Violation::none) {
            return error;
        }
    }
    if (!is_control(header.opcode) && is_too_big(header.length)) {
        return Violation::message_too_big;
    }
    lost_ = !can_be_followed(header);
    return Violation::none;
}

Violation FrameScanner::judge_framing(const FrameHeader& header) const noexcept {
    if ((header.rsv & ~permitted_rsv(header, rules_.allowed_rsv)) != 0) {  // RFC 6455 5.2
        return Violation::reserved_bits;
    }
    if (is_reserved(header.opcode)) {  // RFC 6455 5.2
        return Violation::reserved_opcode;
    }
    if (header.masked != (rules_.sender == Side::client)) {  // RFC 6455 5.1
        return header.masked ? Violation::masked_frame : Violation::unmasked_frame;
    }
    if (!header.minimal) {  // RFC 6455 5.2
        return Violation::length_not_minimal;
    }
    if (header.length >> 63 != 0) {  // RFC 6455 5.2
        return Violation::length_too_large;
    }
    return is_control(header.opcode) ? judge_control(header) : judge_order(header);
}

// RFC 6455 5.4: the fragments of a message follow each other, with only control frames between them.
Violation FrameScanner::judge_order(const FrameHeader& header) const noexcept {
    const bool continues = is(header.opcode, Opcode::continuation);
    if (continues == in_message_) {
        return Violation::none;
    }
    return continues ? Violation::unexpected_continuation : Violation::expected_continuation;
}

// With Validate::off, a data frame inside a message counts towards that message even when it begins a new one.
// Otherwise a peer could avoid the limit that way.
bool FrameScanner::is_too_big(std::uint64_t length) const noexcept {
    const std::uint64_t before = in_message_ ? message_size_ : 0;
    return rules_.max_message != 0 && length > rules_.max_message - before;
}

void FrameScanner::begin_data(const FrameHeader& header) noexcept {
    if (!in_message_) {
        message_size_ = 0;
        utf8_.reset();
        checks_text_ =
            rules_.validate == Validate::full && is(header.opcode, Opcode::text) && header.rsv == 0;
    }
    message_size_ += header.length;
    payload_left_ = header.length;
    fin_ = header.fin;
    key_ = header.key;
    key_offset_ = 0;
}

std::size_t FrameScanner::within_frame(std::size_t size) const noexcept {
    return static_cast<std::size_t>(std::min<std::uint64_t>(payload_left_, size));
}

// Returns false when the text is not UTF-8. Then nothing but the validator has changed.
bool FrameScanner::pass_payload(const std::uint8_t* payload, std::size_t size) noexcept {
    const bool ends_message = size == payload_left_ && fin_;
    if (checks_text_ && !is_text(payload, size, ends_message)) {
        return false;
    }
    payload_left_ -= size;
    if (payload_left_ == 0) {
        in_message_ = !fin_;
    }
    messages_ += ends_message ? 1 : 0;
    return true;
}

// RFC 6455 8.1: the message as a whole is UTF-8. A character may continue in the next fragment.
bool FrameScanner::is_text(const std::uint8_t* payload, std::size_t size,
                           bool ends_message) noexcept {
    if (!utf8_.feed_masked(payload, size, key_.data(), key_offset_)) {
        return false;
    }
    key_offset_ = static_cast<std::uint8_t>((key_offset_ + size) % key_.size());
    return !ends_message || utf8_.complete();
}

FrameScanner::Result FrameScanner::take_control(const std::uint8_t* frame, std::size_t size,
                                                const FrameHeader& header, std::size_t at,
                                                Control& control) noexcept {
    if (size - header.size < header.length) {
        return {at, Stop::more};
    }
    Control seen;
    show(frame, header, seen);
    if (seen.opcode == Opcode::close) {
        const Violation error = judge_close_frame(seen, header.rsv);
        if (error != Violation::none) {
            return {at, Stop::error, error};
        }
        note_close(code_on_wire(seen));
    }
    control = seen;
    return {at, Stop::control};
}

Violation FrameScanner::judge_close_frame(const Control& close, std::uint8_t rsv) const noexcept {
    if (rules_.validate == Validate::off) {
        return Violation::none;
    }
    return judge_close(close, rules_.validate == Validate::full && rsv == 0);
}

// A code of 0 on the wire counts as no code. close_seen() needs a value other than 0.
void FrameScanner::note_close(std::uint16_t code) noexcept {
    close_code_ = code != 0 ? code : std::uint16_t{kCloseNoStatus};
}

}  // namespace wsp
