// The far end of a scripted stream as a test plays it: sends what it is told to, and, unless it is
// told to stay silent, answers a Close and a FIN as a well-behaved endpoint does.
#pragma once

#include <string>
#include <string_view>

#include "base/side.hpp"
#include "support/frames.hpp"
#include "support/scripted_stream.hpp"
#include "support/seen_frames.hpp"

namespace wsp::test {

class ScriptedPeer {
  public:
    // `early`: what it sent before there was a tunnel.
    ScriptedPeer(Side side, Script& script, std::string early)
        : side_(side), s_(script), early_(std::move(early)) {}

    void send(std::string_view bytes) {
        if (!s_.ended && !s_.broken)
            s_.incoming += bytes;
    }
    void text(std::string_view payload) { send(frame(side_, kText, payload)); }
    void close(unsigned code, std::string_view reason = {}) {
        send(close_frame(side_, code, reason));
    }
    void end() { s_.ended = true; }
    void reset() {
        s_.broken = true;
        s_.buffered = 0;
    }
    void stop_reading() { s_.room = 0; }
    void read(std::size_t bytes) { s_.room = bytes; }
    void read_all() { s_.room = kAll; }
    void stay_silent() { silent_ = true; }
    void answer_pings() { answers_pings_ = true; }

    Side side() const { return side_; }
    const Script& script() const { return s_; }
    const std::string& early() const { return early_; }
    std::string sent() const { return early_ + s_.incoming; }
    const std::string& received() const { return s_.written; }
    std::vector<SeenFrame> frames() const { return whole_frames(s_.written); }
    bool got_fin() const { return s_.fin; }

    // True when that changed what the tunnel finds.
    bool react() {
        if (silent_ || s_.ended || s_.broken)
            return false;
        bool acted = false;
        in_.walk(s_.written);
        for (; answers_pings_ && answered_ < in_.pings.size() && !out_.close; ++answered_) {
            send(frame(side_, kPong, in_.pings[answered_]));
            acted = true;
        }
        if (in_.close && !out_.close)
            out_.walk(sent());
        if (in_.close && !out_.close && out_.at == early_.size() + s_.incoming.size()) {
            in_.close->close_code() == 1005 ? send(frame(side_, kClose))
                                            : close(in_.close->close_code());
            out_.walk(sent());
            acted = true;
        }
        // RFC 6455 7.1.1: the server ends TCP first.
        if (s_.fin || (side_ == Side::backend && in_.close && out_.close)) {
            end();
            acted = true;
        }
        return acted;
    }

  private:
    struct Walk {
        std::size_t at = 0;  // behind the last whole frame
        std::optional<SeenFrame> close;
        std::vector<std::string> pings;  // their payloads

        void walk(std::string_view bytes) {
            while (auto next = first_frame(bytes.substr(at))) {
                at += next->size;
                if (next->opcode() == kPing)
                    pings.push_back(next->payload);
                if (next->opcode() == kClose && !close)
                    close = next;
            }
        }
    };

    Side side_;
    Script& s_;
    std::string early_;
    Walk in_, out_;
    std::size_t answered_ = 0;  // Pings
    bool answers_pings_ = false;
    bool silent_ = false;
};

}  // namespace wsp::test
