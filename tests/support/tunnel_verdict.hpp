// What holds at the end of every tunnel, however it went; and one story told in every way: with
// reads and writes of every small size, with tiny buffers, and with each operation failing in turn.
#pragma once

#include <catch2/catch.hpp>
#include <functional>
#include <optional>
#include <string>

#include "support/tunnel_rig.hpp"

namespace wsp::test {

// What a peer received, explained: the first bytes of what the other one sent, with Pings of ours between its frames,
// then perhaps a Close of ours.
struct Delivery {
    std::size_t forwarded = 0;
    unsigned own_close = 0;  // its code; 0: there is none, or only a part of it
    bool has_own = false;
    unsigned own_pings = 0;
};

// Pings of ours, and the Pongs that answer them, have eight bytes. In stories with Pings nobody else's have.
inline bool is_own(const SeenFrame& frame, unsigned opcode) {
    return frame.opcode() == opcode && frame.payload.size() == 8;
}

inline std::string without_answers(std::string_view sent) {
    std::string kept;
    while (const auto next = first_frame(sent)) {
        if (!is_own(*next, kPong))
            kept += sent.substr(0, next->size);
        sent.remove_prefix(next->size);
    }
    return kept.append(sent);
}

inline bool may_begin(unsigned opcode, std::string_view bytes, bool masked) {
    const auto first = static_cast<unsigned char>(bytes[0]);
    const auto second = bytes.size() > 1 ? static_cast<unsigned char>(bytes[1]) : 0u;
    return first == (0x80 | opcode) && (bytes.size() < 2 || (second >= 128) == masked);
}

// Nothing when the bytes are something else than that.
inline std::optional<Delivery> explain(std::string_view received, std::string_view sent,
                                       Side from) {
    const bool masked = from == Side::client;
    Delivery so_far;
    for (;;) {
        // `received` and `sent` are what is left of them, both at a frame boundary.
        if (sent.substr(0, received.size()) == received) {
            so_far.forwarded += received.size();
            return so_far;
        }
        const auto got = first_frame(received);
        if (may_begin(kClose, received, masked) && (!got || got->size == received.size())) {
            so_far.own_close = got ? got->close_code() : 0;
            so_far.has_own = true;
            return so_far;
        }
        // A Ping of ours that could not be written whole, or a Pong for us that its sender did not end.
        if (!got && (may_begin(kPing, received, masked) || may_begin(kPong, received, masked)))
            return so_far;
        const auto next = first_frame(sent);
        if (got && next && received.substr(0, got->size) == sent.substr(0, next->size)) {
            so_far.forwarded += next->size;
            sent.remove_prefix(next->size);
        } else if (got && is_own(*got, kPing) && got->masked == masked) {
            ++so_far.own_pings;
        } else {
            return std::nullopt;
        }
        received.remove_prefix(got->size);
    }
}

inline std::optional<Delivery> explain_delivery(const Rig& rig, Side to) {
    const std::string sent = rig.peer(other(to)).sent();
    const bool pings = rig.setup().policy.ping_interval != 0;
    return explain(rig.peer(to).received(), pings ? without_answers(sent) : sent, other(to));
}

inline Delivery delivery_to(const Rig& rig, Side to) {
    return explain_delivery(rig, to).value_or(Delivery{});
}

inline std::string judge_direction(const Rig& rig, Side from) {
    const std::string name = to_string(from);
    if (!rig.script(from).misuse.empty())
        return name + "'s stream: " + rig.script(from).misuse;
    const auto delivery = explain_delivery(rig, other(from));
    if (!delivery)
        return "bytes that nobody sent came from the " + name;
    if (delivery->has_own && !rig.ended_by_us())
        return "a Close of ours towards the " + std::string(to_string(other(from))) + ", but why";
    // From then on what comes is dropped, held or not.
    if (rig.script(from).read_while_held && !rig.ended_by_us())
        return "the " + name + " was read while something was held";
    return {};
}

inline std::string judge(const Rig& rig) {
    for (Side side : {Side::client, Side::backend}) {
        const std::string found = judge_direction(rig, side);
        if (!found.empty())
            return found;
    }
    if (rig.report.reason == EndReason::none)
        return "an end without a reason";
    if (rig.report.client.wire_bytes_read != rig.script(Side::client).taken ||
        rig.report.backend.wire_bytes_written != rig.script(Side::backend).written.size())
        return "the byte counts are wrong";
    return rig.problem;
}

using Story = std::function<void(Rig&)>;

inline std::vector<Variation> variations() {
    std::vector<Variation> all{{}, {0, 0, 0, false, kMaxControlFrame + 1}, {0, 0, 20, true}};
    all.push_back({1, 0, 0, false, 4 * 1024, 1});
    all.push_back({3, 5, 7, true, kMaxControlFrame + 1, 1});
    all.push_back({1, 65536, 0, false, 4 * 1024, 7});
    for (std::size_t chunk = 1; chunk <= 16; ++chunk) {
        for (std::size_t buffer : {1, 5, 130, 65536})
            all.push_back({chunk, buffer, chunk % 3 == 0 ? buffer % 11 : 0, chunk % 2 == 0});
    }
    return all;
}

inline std::string describe(const Variation& v) {
    return "chunks of " + std::to_string(v.chunk) + ", buffer of " + std::to_string(v.buffer_size) +
           ", records of " + std::to_string(v.record) + (v.stutters ? ", stuttering" : "") +
           (v.moves != 0 ? ", moved each " + std::to_string(v.moves) + " wake-ups" : "");
}

// Tells `story` in every way in which nothing fails; `expect` says what must come of it.
inline void check_untroubled(const Setup& setup, const Story& story, const Story& expect) {
    for (const Variation& variation : variations()) {
        INFO(describe(variation));
        Rig rig(setup, variation);
        story(rig);
        rig.finish();
        CHECK(judge(rig) == "");
        expect(rig);
    }
}

inline std::size_t operations_of(const Rig& rig, Fault::Kind kind, Side side) {
    const Script& script = rig.script(side);
    return kind == Fault::write_error ? script.writes : script.reads;
}

// The same with the Nth operation failing, for every N: it must end well all the same.
inline void check_with_faults(const Setup& setup, const Story& story) {
    for (const Variation& variation :
         {Variation{}, Variation{7, 5, 0, true}, Variation{16, 65536, 11, false},
          Variation{7, 5, 0, true, 4 * 1024, 1}}) {
        Rig sound(setup, variation);
        story(sound);
        sound.finish();
        for (Fault::Kind kind : {Fault::read_error, Fault::read_eof, Fault::write_error}) {
            for (Side side : {Side::client, Side::backend}) {
                const std::size_t last = operations_of(sound, kind, side);
                for (std::size_t n = 1; n <= last; ++n) {
                    Rig rig(setup, variation, {kind, side, n});
                    story(rig);
                    rig.finish();
                    const std::string found = judge(rig);
                    if (found.empty())
                        continue;
                    INFO(describe(variation) << "; kind " << kind << " of operation " << n
                                             << " on the " << to_string(side));
                    FAIL_CHECK(found);
                }
            }
        }
    }
    SUCCEED();
}

inline void check_story(const Setup& setup, const Story& story, const Story& expect) {
    check_untroubled(setup, story, expect);
    check_with_faults(setup, story);
}

// Everything that `from` sent has arrived, and behind it a Close of ours, if `own_close` is its code.
inline void expect_delivered(const Rig& rig, Side from, unsigned own_close = 0) {
    const Delivery told = delivery_to(rig, other(from));
    CHECK(told.forwarded == rig.peer(from).sent().size());
    CHECK(told.own_close == own_close);
    CHECK(told.has_own == (own_close != 0));
}

// The same for a side that left without a Close: TCP ends, and nothing is said in its name.
inline void expect_told_of_end(const Rig& rig, Side from) {
    expect_delivered(rig, from);
    CHECK(rig.peer(other(from)).got_fin());
}

// What was sent has arrived, to the last byte, and nothing else has.
inline void expect_all_delivered(const Rig& rig) {
    expect_delivered(rig, Side::client);
    expect_delivered(rig, Side::backend);
}

}  // namespace wsp::test
