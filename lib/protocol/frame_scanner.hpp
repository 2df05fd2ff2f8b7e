// Follows one direction of a WebSocket connection by looking at the bytes that pass: finds where
// frames begin and end, counts messages, checks the framing rules, and shows each control frame to
// its caller before it is forwarded. It never changes, copies or buffers a byte. Pure: no I/O, no
// clock, no allocation. One scanner belongs to one direction of one tunnel and to the thread that
// drives it.
//
// How it is driven: the caller holds some bytes that it has not forwarded yet and calls scan(). The
// first `ready` of them may be forwarded. What follows is told by `stop`:
//   more      the rest, the beginning of a header (fewer than kMaxFrameHeader bytes) or of a control
//             frame (fewer than kMaxControlFrame): call again with these bytes and more behind them
//   control   a whole control frame of `control.size` bytes begins at `ready`: forward or drop it,
//             then call again with what is behind it; the scanner has counted it already
//   boundary  only with `stop_at_boundary`: everything up to `ready` ends a frame; call again to go on
//   error     the frame that begins at `ready` breaks the rule `error`: do not forward it, do not
//             call again
// So a frame header never leaves before it is judged, and a control frame never leaves in pieces.
//
// Behind a Close everything is `ready`, unjudged, uncounted and unseen: the receiver discards it (RFC 6455 1.4), all but
// the Pong that answers a Ping which the Close has crossed (5.5.2), and no rule of ours is to end the closing handshake.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "base/side.hpp"
#include "protocol/frame_header.hpp"
#include "protocol/utf8.hpp"
#include "protocol/violation.hpp"

namespace wsp {

enum class Validate : std::uint8_t {
    off,     // follow frames where they can be followed; report no error
    frames,  // RFC 6455 framing rules
    full,    // also UTF-8 of text messages and legal close codes, where no extension hides the
             // payload
};

struct ScanRules {
    Side sender = Side::client;
    Validate validate = Validate::frames;
    std::uint8_t allowed_rsv =
        0;  // bits that a negotiated extension uses: RSV1 is bit 2 (permessage-deflate)
    std::uint64_t max_message =
        0;  // bytes of payload over all fragments, as on the wire; 0 means no limit
};

class FrameScanner {
  public:
    enum class Stop : std::uint8_t { more, control, boundary, error };

    struct Control {
        Opcode opcode = Opcode::close;
        std::uint8_t payload_size = 0;
        std::size_t size = 0;                           // of the whole frame on the wire
        std::uint8_t payload[kMaxControlPayload] = {};  // unmasked
    };

    struct Result {
        std::size_t ready = 0;
        Stop stop = Stop::more;
        Violation error = Violation::none;
    };

    explicit FrameScanner(const ScanRules& rules) noexcept;

    // Looks at `size` bytes. `control` is written only when the result's stop is `control`.
    // With Validate::off a stream that cannot be followed (an unknown opcode is fine, a control
    // frame of more than 125 bytes or a 64-bit length with its top bit set is not) is given up:
    // from there on everything is `ready` and lost() is true. message_too_big is judged from the
    // frame header, before any payload is ready, also with Validate::off.
    Result scan(const std::uint8_t* data, std::size_t size, bool stop_at_boundary,
                Control& control) noexcept;

    // True between two frames: the proxy may put a frame of its own here. Never true once lost(), or behind a Close.
    bool at_boundary() const noexcept { return payload_left_ == 0 && !lost_ && !close_seen(); }
    // Bytes of the data frame in progress that have not passed yet; 0 between two frames.
    std::uint64_t payload_left() const noexcept { return payload_left_; }
    // True between the first and the last fragment of a data message.
    bool in_message() const noexcept { return in_message_; }
    bool lost() const noexcept { return lost_; }

    // Data messages whose last byte has passed.
    std::uint64_t messages() const noexcept { return messages_; }
    // A Close has been shown. Its code: 1005 when it had none; 0 as long as none was seen.
    bool close_seen() const noexcept { return close_code_ != 0; }
    std::uint16_t close_code() const noexcept { return close_code_; }

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
    std::uint64_t payload_left_ = 0;  // of the data frame in progress
    std::uint64_t message_size_ = 0;  // payload of the message in progress, this frame included
    std::uint64_t messages_ = 0;
    MaskingKey key_{};  // of the data frame in progress; zeros when it is not masked
    std::uint16_t close_code_ = 0;
    std::uint8_t key_offset_ =
        0;  // of the next payload byte, modulo 4; kept only while text is checked
    Utf8Validator utf8_;
    bool checks_text_ = false;  // the message in progress is text that nothing hides
    bool fin_ = false;          // the data frame in progress is the last of its message
    bool in_message_ = false;   // changes when a data frame ends
    bool lost_ = false;
};

// The state of a live tunnel can be copied to another process.
static_assert(std::is_trivially_copyable_v<FrameScanner>);

}  // namespace wsp
