// A stream in memory, and the script behind it: what reads find, what writes meet, which operation
// fails, and what the tunnel has done. One thread. The script outlives the stream.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>

#include "net/stream.hpp"

namespace wsp::test {

constexpr std::size_t kAll = SIZE_MAX;

struct Script {
    // What reads find: everything ever sent, and how it ends.
    std::string incoming;
    bool ended = false;   // EOF behind `incoming`
    bool broken = false;  // from now on every operation fails

    // How operations go.
    std::size_t read_chunk = kAll;   // bytes per read
    std::size_t write_chunk = kAll;  // bytes per write
    std::size_t room = kAll;         // bytes that writes still take
    std::size_t record = 0;  // like TLS: so many bytes leave poll's sight together; 0: none do
    bool stutters = false;   // every other operation would block first
    std::size_t fail_read_at = 0;  // the Nth read breaks the connection; 0: none
    std::size_t end_read_at = 0;   // the Nth read finds EOF
    std::size_t fail_write_at = 0;
    bool ends_at_once = false;  // like a stream of HTTP/2
    StreamKind kind = StreamKind::socket;
    bool awaits_successor = false;

    // What the tunnel did.
    std::string written;
    std::size_t taken = 0;              // bytes of `incoming` that were read
    std::size_t reads = 0, writes = 0;  // operations
    bool fin = false;                   // shutdown_write() was called
    bool refused = false;               // the last write took less than it was given
    bool read_while_held = false;       // a read happened while something_held()
    bool destroyed = false;
    std::string misuse;                    // the first thing that no stream may be asked for
    std::function<bool()> something_held;  // of what was read, by the tunnel

    // Inside the stream.
    std::size_t buffered = 0;                    // bytes behind `taken` that poll does not see
    bool read_over = false, write_over = false;  // the end, or an error, was told
    bool paused_read = false, paused_write = false;

    // What poll() would say to someone who waits for `interest`.
    Interest ready(Interest interest) const {
        if (interest == kNoInterest || broken || (ended && fin))
            return interest == kNoInterest ? kNoInterest : Interest{kReadable | kWritable};
        const bool readable = taken + buffered < incoming.size() || ended;
        const int all = (readable ? kReadable : 0) | (room > 0 ? kWritable : 0);
        return static_cast<Interest>(interest & all);
    }
};

class ScriptedStream final : public Stream {
  public:
    explicit ScriptedStream(Script& script) : s_(script) {}
    ~ScriptedStream() override { s_.destroyed = true; }

    IoResult read_some(std::uint8_t* to, std::size_t room) noexcept override {
        ++s_.reads;
        forbid(room == 0, "a read of no bytes");
        forbid(s_.read_over, "a read behind the end");
        s_.read_while_held = s_.read_while_held || (s_.something_held && s_.something_held());
        if (s_.reads == s_.end_read_at) {
            s_.incoming.resize(s_.taken);
            s_.buffered = 0;
            s_.ended = true;
        }
        s_.broken = s_.broken || s_.reads == s_.fail_read_at;
        if (s_.broken)
            return over(s_.read_over, {IoStatus::error, 0, ECONNRESET});
        if (pauses(s_.paused_read))
            return {IoStatus::would_block, 0, 0};
        if (s_.taken == s_.incoming.size())
            return s_.ended ? over(s_.read_over, {IoStatus::eof, 0, 0}) : IoResult{};
        return {IoStatus::ok, take(to, room), 0};
    }

    IoResult write_some(const std::uint8_t* from, std::size_t size) noexcept override {
        ++s_.writes;
        forbid(size == 0, "a write of no bytes");
        forbid(s_.fin, "a write behind FIN");
        forbid(s_.write_over, "a write behind an error");
        s_.broken = s_.broken || s_.writes == s_.fail_write_at;
        if (s_.broken)
            return over(s_.write_over, {IoStatus::error, 0, EPIPE});
        const std::size_t n =
            pauses(s_.paused_write) ? 0 : std::min({size, s_.write_chunk, s_.room});
        s_.refused = n < size;
        if (n == 0)
            return {IoStatus::would_block, 0, 0};
        s_.written.append(reinterpret_cast<const char*>(from), n);
        s_.room -= s_.room == kAll ? 0 : n;
        return {IoStatus::ok, n, 0};
    }

    void shutdown_write() noexcept override {
        forbid(s_.fin, "a second FIN");
        forbid(s_.refused && !s_.broken, "FIN in front of what was refused");
        s_.fin = true;
    }

    int fd() const noexcept override { return -1; }
    bool has_buffered_input() const noexcept override { return s_.buffered > 0; }
    bool ends_at_once() const noexcept override { return s_.ends_at_once; }
    std::uint64_t wire_bytes_read() const noexcept override { return s_.taken; }
    std::uint64_t wire_bytes_written() const noexcept override { return s_.written.size(); }
    StreamKind movable_kind() const noexcept override { return s_.kind; }
    bool awaits_successor() const noexcept override { return s_.awaits_successor; }

  private:
    void forbid(bool happened, const char* what) noexcept {
        if (happened && s_.misuse.empty())
            s_.misuse = what;
    }

    static IoResult over(bool& flag, IoResult result) noexcept {
        flag = true;
        return result;
    }

    bool pauses(bool& paused) noexcept {
        paused = s_.stutters && !paused;
        return paused;
    }

    std::size_t take(std::uint8_t* to, std::size_t room) noexcept {
        const std::size_t left = s_.incoming.size() - s_.taken;
        if (s_.record > 0 && s_.buffered == 0)
            s_.buffered = std::min(s_.record, left);
        const std::size_t within = s_.record > 0 ? s_.buffered : left;
        const std::size_t n = std::min({room, s_.read_chunk, within});
        std::memcpy(to, s_.incoming.data() + s_.taken, n);
        s_.taken += n;
        s_.buffered -= s_.record > 0 ? n : 0;
        return n;
    }

    Script& s_;
};

}  // namespace wsp::test
