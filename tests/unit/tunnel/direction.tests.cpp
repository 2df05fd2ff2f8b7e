// One direction alone: frames of the proxy's own between those of the source, control frames that
// are kept back, how much one call does, and the ends of source and sink.
#include "tunnel/direction.hpp"

#include <catch2/catch.hpp>

#include "support/frames.hpp"
#include "support/scripted_stream.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

const std::string kOurs = frame(Side::backend, kPing, "ours");

class Bench final : public ControlListener {
  public:
    explicit Bench(Policy with = {}, bool raw = false)
        : terms{std::make_shared<const Policy>(with), {}, 0, raw},
          source(source_script),
          sink(sink_script),
          direction(source, sink, Side::backend, terms, *this) {
        direction.start(nullptr, 0, now);
    }

    void arrive(const std::string& bytes) {
        source_script.incoming += bytes;
        advance();
    }
    void advance(bool source_ready = true, int turns = 16) {
        direction.advance(source_ready, {scratch, sizeof scratch}, turns, now);
    }
    bool put(const std::string& bytes) {
        return direction.send_frame(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                    bytes.size(), now);
    }
    bool send_close(const std::string& bytes) {
        return direction.send_close(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                    bytes.size(), now);
    }
    const std::string& out() const { return sink_script.written; }

    bool on_control(Side, const FrameScanner::Control& control) noexcept override {
        ++controls;
        return static_cast<unsigned>(control.opcode) != kept_back;
    }

    TunnelTerms terms;
    Script source_script, sink_script;
    ScriptedStream source, sink;
    MonotonicUs now = 5 * kSecond;
    unsigned kept_back = 0;  // opcode of control frames that do not go on
    int controls = 0;
    std::uint8_t scratch[4096];
    Direction direction;
};

Policy unjudged() {
    Policy policy;
    policy.validate = Validate::off;
    return policy;
}

}  // namespace

TEST_CASE("a frame of ours goes between two frames at once") {
    Bench bench;
    const std::string theirs = frame(Side::backend, kText, "theirs");
    CHECK(bench.put(kOurs));
    bench.arrive(theirs);
    CHECK(bench.put(kOurs));
    bench.arrive(fragment(Side::backend, kText, "begun"));
    CHECK(bench.put(kOurs));
    CHECK(bench.out() == kOurs + theirs + kOurs + fragment(Side::backend, kText, "begun") + kOurs);
}

TEST_CASE("frames of ours wait for the end of the frame that is passing, in their order") {
    const std::string theirs = frame(Side::backend, kBinary, std::string(200, 'x'));
    const std::string more = frame(Side::backend, kText, "and more");
    const std::string second = frame(Side::backend, kPong, "also ours");
    for (std::size_t cut = 4; cut < theirs.size(); ++cut) {
        Bench bench;
        bench.arrive(theirs.substr(0, cut));
        CHECK(bench.put(kOurs));
        CHECK(bench.put(second));
        CHECK(bench.out() == theirs.substr(0, cut));
        bench.arrive(theirs.substr(cut) + more);
        CHECK(bench.out() == theirs + kOurs + second + more);
    }
}

TEST_CASE("a frame of ours does not wait for a header that has not passed") {
    const std::string theirs = frame(Side::backend, kBinary, std::string(200, 'x'));
    for (std::size_t cut = 1; cut < 4; ++cut) {
        Bench bench;
        bench.arrive(theirs.substr(0, cut));
        CHECK(bench.put(kOurs));
        bench.arrive(theirs.substr(cut));
        CHECK(bench.out() == kOurs + theirs);
    }
}

TEST_CASE("a frame of ours is sent after the held bytes") {
    Bench bench;
    const std::string theirs = frame(Side::backend, kText, "theirs");
    bench.sink_script.room = 3;
    bench.arrive(theirs);
    CHECK(bench.put(kOurs));
    CHECK(bench.direction.has_held());
    CHECK(bench.out() == theirs.substr(0, 3));
    bench.sink_script.room = kAll;
    bench.advance(false);
    CHECK(bench.out() == theirs + kOurs);
    CHECK_FALSE(bench.direction.has_held());
}

TEST_CASE("no frame of ours can be sent in raw mode or when the scanner is lost") {
    Bench raw({}, true);
    CHECK_FALSE(raw.put(kOurs));
    Bench lost(unjudged());
    lost.arrive("\x89\x7E no frame");
    CHECK_FALSE(lost.put(kOurs));
    CHECK(lost.out() == "\x89\x7E no frame");
}

TEST_CASE("no frame of ours can be sent after a Close") {
    Bench theirs;
    theirs.arrive(close_frame(Side::backend, 1000));
    CHECK(theirs.direction.close_passed());
    CHECK_FALSE(theirs.put(kOurs));
    CHECK_FALSE(theirs.send_close(close_frame(Side::backend, 1001)));

    Bench ours;
    CHECK(ours.send_close(close_frame(Side::backend, 1001)));
    CHECK_FALSE(ours.put(kOurs));
    ours.arrive(frame(Side::backend, kText, "dropped"));
    CHECK(ours.out() == close_frame(Side::backend, 1001));
}

TEST_CASE("no frame can be sent after a Close of ours that still waits") {
    Bench bench;
    const std::string theirs = frame(Side::backend, kText, "theirs");
    bench.arrive(theirs.substr(0, 4));
    CHECK(bench.put(kOurs));
    CHECK(bench.send_close(close_frame(Side::backend, 1001)));
    CHECK_FALSE(bench.direction.close_passed());
    CHECK_FALSE(bench.put(kOurs));
    bench.arrive(theirs.substr(4) + theirs);
    CHECK(bench.out() == theirs + kOurs + close_frame(Side::backend, 1001));
    CHECK(bench.direction.close_passed());
    CHECK(bench.direction.flow() == Direction::Flow::muted);
}

TEST_CASE("no frame can be sent inside a frame that its source has not finished") {
    const std::string whole = frame(Side::backend, kText, "theirs");
    for (std::size_t cut = 1; cut < whole.size(); ++cut) {
        Bench bench;
        bench.arrive(whole.substr(0, cut));
        bench.source_script.ended = true;
        bench.advance();
        CHECK(bench.direction.source_state() == Direction::Source::ended);
        CHECK_FALSE(bench.put(kOurs));
        CHECK(bench.out() == whole.substr(0, cut));
    }
}

TEST_CASE("a frame can be sent after the last complete frame of a source that has ended") {
    Bench bench;
    const std::string theirs = frame(Side::backend, kText, "theirs");
    bench.arrive(theirs);
    bench.source_script.ended = true;
    bench.advance();
    CHECK(bench.put(kOurs));
    CHECK(bench.out() == theirs + kOurs);
}

TEST_CASE("a sink that breaks under a frame of ours does not make an ended source be read again") {
    Bench bench;
    bench.source_script.ended = true;
    bench.advance();
    bench.sink_script.broken = true;
    CHECK_FALSE(bench.put(kOurs));
    CHECK(bench.direction.flow() == Direction::Flow::stopped);
    CHECK_FALSE(bench.direction.wants_read());
}

TEST_CASE("no frame can be sent before or after FIN, nor to a lost sink") {
    Bench finished;
    finished.direction.finish();
    CHECK(finished.sink_script.fin);
    CHECK_FALSE(finished.put(kOurs));

    Bench finishing;
    finishing.sink_script.room = 0;
    finishing.arrive(frame(Side::backend, kText, "held"));
    finishing.direction.finish();
    CHECK_FALSE(finishing.sink_script.fin);
    CHECK_FALSE(finishing.put(kOurs));
    finishing.sink_script.room = kAll;
    finishing.advance(false);
    CHECK(finishing.sink_script.fin);

    Bench lost;
    lost.direction.lose_sink();
    CHECK_FALSE(lost.put(kOurs));
    CHECK(lost.out().empty());
}

TEST_CASE("a control frame that is kept back leaves no trace, wherever the bytes are cut") {
    const std::string before = frame(Side::backend, kText, "before");
    const std::string after =
        fragment(Side::backend, kText, "after") + frame(Side::backend, kPing, "p");
    const std::string all = before + frame(Side::backend, kPong, "kept back") + after;
    for (std::size_t cut = 0; cut <= all.size(); ++cut) {
        Bench bench;
        bench.kept_back = kPong;
        bench.arrive(all.substr(0, cut));
        bench.arrive(all.substr(cut));
        CHECK(bench.out() == before + after);
        CHECK(bench.controls == 2);
    }
}

TEST_CASE("one call reads as often as it may, and says that there is more") {
    Policy tiny;
    tiny.buffer_size = 10;
    Bench bench(tiny);
    bench.source_script.incoming = frame(Side::backend, kBinary, std::string(100, 'x'));
    bench.advance(true, 3);
    CHECK(bench.source_script.taken == 30);
    CHECK(bench.direction.has_more());
    bench.advance(true, 100);
    CHECK(bench.source_script.taken == 102);
    CHECK_FALSE(bench.direction.has_more());
}

TEST_CASE("a source that is not ready is not read, unless it has buffered input") {
    Bench bench;
    bench.source_script.incoming = frame(Side::backend, kText, "waits");
    bench.advance(false);
    CHECK(bench.source_script.reads == 0);

    bench.source_script.record = kAll;
    bench.source_script.read_chunk = 3;
    bench.advance(true, 1);
    CHECK(bench.source_script.taken == 3);
    CHECK(bench.direction.has_more());
    bench.advance(false);
    CHECK(bench.out() == bench.source_script.incoming);
}

TEST_CASE(
    "while something is held the source is not wanted, and memory holds no more than a buffer") {
    Policy tiny;
    tiny.buffer_size = 10;
    Bench bench(tiny);
    bench.sink_script.room = 0;
    bench.arrive(frame(Side::backend, kBinary, std::string(100, 'x')));
    CHECK_FALSE(bench.direction.wants_read());
    CHECK(bench.direction.wants_write());
    CHECK(bench.source_script.taken == 10);
    CHECK(bench.direction.blocked_since() == bench.now);

    bench.now += kSecond;
    bench.sink_script.room = 5;
    bench.advance(false);
    CHECK(bench.direction.blocked_since() == bench.now);
    bench.sink_script.room = 1000;
    bench.advance(false);
    CHECK(bench.direction.wants_read());
    CHECK(bench.direction.blocked_since() == kNever);
}

TEST_CASE("a lost sink drops what is held and lets the source run dry") {
    Bench bench;
    bench.sink_script.room = 0;
    bench.arrive(frame(Side::backend, kText, "held"));
    bench.direction.lose_sink();
    CHECK_FALSE(bench.direction.has_held());
    CHECK_FALSE(bench.direction.wants_write());
    CHECK(bench.direction.wants_read());
    bench.arrive("anything at all");
    CHECK(bench.source_script.taken == bench.source_script.incoming.size());
    CHECK(bench.direction.violation() == Violation::none);
    CHECK(bench.out().empty());
}

TEST_CASE("a lost source is not read any more") {
    Bench bench;
    bench.direction.lose_source();
    bench.arrive(frame(Side::backend, kText, "too late"));
    CHECK(bench.source_script.reads == 0);
    CHECK_FALSE(bench.direction.wants_read());
    CHECK(bench.direction.source_state() == Direction::Source::lost);
    CHECK(bench.put(kOurs));
}

TEST_CASE("a broken source reports its errno") {
    Bench bench;
    bench.source_script.broken = true;
    bench.advance();
    CHECK(bench.direction.source_state() == Direction::Source::lost);
    CHECK(bench.direction.source_error() == ECONNRESET);
}
