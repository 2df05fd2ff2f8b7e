// Follows one direction of a WebSocket connection by looking at the bytes that pass. It finds where frames begin and
// end, counts messages, checks the framing rules, and shows each control frame to the caller before it is forwarded. It
// never changes, copies or buffers a byte. Pure: no I/O, no clock, no allocation. A scanner belongs to one direction of
// one tunnel and to the thread that drives it.
//
// How to use it: the caller has bytes that it has not forwarded yet and calls scan(). The first `ready` bytes may be
// forwarded. `stop` says what follows them:
//   more      the rest is the beginning of a header (fewer than kMaxFrameHeader bytes) or of a control frame (fewer
//             than kMaxControlFrame bytes): call again with these bytes and more after them
//   control   a complete control frame of `control.size` bytes begins at `ready`: forward or drop it, then call again
//             with the bytes after it; the scanner has counted it already
//   boundary  only with `stop_at_boundary`: a frame ends at `ready`; call again to go on
//   error     the frame that begins at `ready` breaks the rule `error`: do not forward it, do not call again
// So a frame header is never forwarded before it is checked, and a control frame is never forwarded in pieces.
//
// After a Close everything is `ready`, unchecked and uncounted. The receiver discards it (RFC 6455 1.4), except for the
// Pong that answers a Ping which was under way when the Close was sent (5.5.2). Our rules must not end the closing
// handshake.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/image_fields.hpp"
#include "base/side.hpp"
#include "protocol/frame_header.hpp"
#include "protocol/utf8.hpp"
#include "protocol/violation.hpp"

namespace wsp {

enum class Validate : std::uint8_t {
    off,     // follow frames as far as possible; report no error but message_too_big
    frames,  // RFC 6455 framing rules
    // Also UTF-8 of text messages and legal close codes, unless an extension hides the payload.
    full,
};

constexpr Validate last_of(Validate) {  // base/image.hpp
    return Validate::full;
}

struct ScanRules {
    Side sender = Side::client;
    Validate validate = Validate::frames;
    // The bits that a negotiated extension uses. RSV1 is bit 2 (permessage-deflate).
    std::uint8_t allowed_rsv = 0;
    // Bytes of payload over all fragments, as on the wire. 0 means no limit.
    std::uint64_t max_message = 0;

    template <class Self, class Fields>
    static void each_member(Self& self, Fields& fields) {
        WSP_EACH_MEMBER(fields, self, sender_, validate_, allowed_rsv_, max_message_);
    }
};

class FrameScanner {
  public:
    enum class Stop : std::uint8_t { more, control, boundary, error };

    struct Control {
        Opcode opcode = Opcode::close;
        std::uint8_t payload_size = 0;
        std::size_t size = 0;                           // size of the whole frame on the wire
        std::uint8_t payload[kMaxControlPayload] = {};  // unmasked
    };

    struct Result {
        std::size_t ready = 0;
        Stop stop = Stop::more;
        Violation error = Violation::none;
    };

    explicit FrameScanner(const ScanRules& rules) noexcept;

    // Looks at `size` bytes. Writes `control` only when it returns Stop::control. With Validate::off, a stream that
    // cannot be followed is given up: from there on everything is `ready` and lost() is true. That happens at a control
    // frame of more than 125 bytes and at a 64-bit length with its top bit set, but not at an unknown opcode.
    // message_too_big is found in the frame header, before any payload is `ready`, also with Validate::off.
    Result scan(const std::uint8_t* data, std::size_t size, bool stop_at_boundary,
                Control& control) noexcept;

    // True between two frames: the proxy may send a frame of its own here. Never true once lost(), or after a Close.
    bool at_boundary() const noexcept { return payload_left_ == 0 && !lost_ && !close_seen(); }
    // Bytes of the current data frame that have not passed yet. 0 between two frames.
    std::uint64_t payload_left() const noexcept { return payload_left_; }
    // True between the first and the last fragment of a data message.
    bool in_message() const noexcept { return in_message_; }
    bool lost() const noexcept { return lost_; }

    // How many data messages have passed completely.
    std::uint64_t messages() const noexcept { return messages_; }
    // True once a Close has been shown. close_code() is its code: 1005 when the Close had no code, 0 while there was no
    // Close.
    bool close_seen() const noexcept { return close_code_ != 0; }
    std::uint16_t close_code() const noexcept { return close_code_; }

    // For base/image_fields.hpp.
    template <class Self, class Fields>
    static void each_member(Self& self, Fields& fields) {
        WSP_EACH_MEMBER(fields, self, rules_, payload_left_, message_size_, messages_, key_,
                        close_code_, key_offset_, utf8_, checks_text_, fin_, in_message_, lost_);
    }
    bool is_sound() const noexcept { return key_offset_ < 4; }

  private:
    std::size_t pass_short_messages(const std::uint8_t* data, std::size_t size) noexcept;
    Violation judge(const FrameHeader& header) noexcept;
    Violation judge_framing(const FrameHeader& header) const noexcept;
    Violation judge_order(const FrameHeader& header) const noexcept;
    Violation judge_close_frame(const Control& close, std::uint8_t rsv) const noexcept;
    void note_close(std::uint16_t code) noexcept;
    bool is_too_big(std::uint64_t length) const noexcept;
    void begin_data(const FrameHeader& header) noexcept;
    std::size_t within_frame(std::size_t size) const noexcept;
    bool pass_payload(const std::uint8_t* payload, std::size_t size) noexcept;
    bool is_text(const std::uint8_t* payload, std::size_t size, bool ends_message) noexcept;
    Result take_control(const std::uint8_t* frame, std::size_t size, const FrameHeader& header,
                        std::size_t at, Control& control) noexcept;

    ScanRules rules_;
    std::uint64_t payload_left_ = 0;  // of the current data frame
    std::uint64_t message_size_ = 0;  // payload of the current message, with the current frame
    std::uint64_t messages_ = 0;
    MaskingKey key_{};  // of the current data frame; zeros when it is not masked
    std::uint16_t close_code_ = 0;
    // Of the next payload byte, modulo 4. Kept only while text is checked.
    std::uint8_t key_offset_ = 0;
    Utf8Validator utf8_;
    bool checks_text_ = false;  // the current message is text that no extension hides
    bool fin_ = false;          // the current data frame is the last of its message
    bool in_message_ = false;   // changes when a data frame ends
    bool lost_ = false;
};

}  // namespace wsp
