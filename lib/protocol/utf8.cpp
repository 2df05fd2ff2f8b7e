// A UTF-8 automaton with one table lookup per byte. ASCII is checked one word at a time.
#include "protocol/utf8.hpp"

#include <array>
#include <cstring>

namespace wsp {
namespace {

// The states: what has to come next. After E0, ED, F0 and F4 the second byte has a narrower range than other
// continuation bytes. That excludes overlong forms, surrogates and everything above U+10FFFF (RFC 3629 4).
enum State : std::uint8_t {
    kBetween,    // between two characters; Utf8Validator::complete() relies on its value, 0
    kOneMore,    // 80..BF, then kBetween
    kTwoMore,    // 80..BF, then kOneMore
    kThreeMore,  // 80..BF, then kTwoMore
    kAfterE0,    // A0..BF, then kOneMore
    kAfterED,    // 80..9F, then kOneMore
    kAfterF0,    // 90..BF, then kTwoMore
    kAfterF4,    // 80..8F, then kTwoMore
    kInvalid,    // for ever
    kStates
};

constexpr State after_lead(unsigned byte) {
    if (byte <= 0x7F) {
        return kBetween;
    }
    if (byte >= 0xC2 && byte <= 0xDF) {
        return kOneMore;
    }
    if (byte >= 0xE0 && byte <= 0xEF) {
        return byte == 0xE0 ? kAfterE0 : byte == 0xED ? kAfterED : kTwoMore;
    }
    if (byte >= 0xF0 && byte <= 0xF4) {
        return byte == 0xF0 ? kAfterF0 : byte == 0xF4 ? kAfterF4 : kThreeMore;
    }
    return kInvalid;  // a stray continuation byte, C0, C1, F5..FF
}

constexpr State if_between(unsigned byte, unsigned first, unsigned last, State next) {
    return first <= byte && byte <= last ? next : kInvalid;
}

constexpr State step(State state, unsigned byte) {
    switch (state) {
        case kBetween:
            return after_lead(byte);
        case kOneMore:
            return if_between(byte, 0x80, 0xBF, kBetween);
        case kTwoMore:
            return if_between(byte, 0x80, 0xBF, kOneMore);
        case kThreeMore:
            return if_between(byte, 0x80, 0xBF, kTwoMore);
        case kAfterE0:
            return if_between(byte, 0xA0, 0xBF, kOneMore);
        case kAfterED:
            return if_between(byte, 0x80, 0x9F, kOneMore);
        case kAfterF0:
            return if_between(byte, 0x90, 0xBF, kTwoMore);
        case kAfterF4:
            return if_between(byte, 0x80, 0x8F, kTwoMore);
        default:
            return kInvalid;
    }
}

// The table has one row of bits per byte value. Bits [kStateBits * s, kStateBits * (s + 1)) of a row hold the state
// that follows state s. A state is stored as that shift, kStateBits * s. So a lookup depends only on the byte and not
// on the lookup before it, and text that is not ASCII takes one or two cycles per byte.
constexpr unsigned kStateBits = 6;
constexpr std::uint64_t kStateMask = 63;
static_assert(kStates * kStateBits <= 64);

struct Table {
    std::uint64_t row[256];
};

constexpr Table make_table() {
    Table table{};
    for (unsigned byte = 0; byte < 256; ++byte) {
        for (unsigned state = 0; state < kStates; ++state) {
            const std::uint64_t next = step(static_cast<State>(state), byte) * kStateBits;
            table.row[byte] |= next << (state * kStateBits);
        }
    }
    return table;
}

constexpr Table kTable = make_table();
constexpr std::uint8_t kBetweenShift = kBetween * kStateBits;
constexpr std::uint8_t kInvalidShift = kInvalid * kStateBits;

constexpr std::size_t kWord = sizeof(std::uint64_t);
// The masking key twice, rotated to the offset. Zeros for text that is not masked.
using WordBytes = std::array<std::uint8_t, kWord>;

constexpr bool is_ascii(std::uint64_t word) {
    return (word & 0x8080808080808080u) == 0;
}

std::uint64_t load(const std::uint8_t* bytes) {
    std::uint64_t word;
    std::memcpy(&word, bytes, kWord);
    return word;
}

std::uint8_t run_bytes(std::uint64_t state, const std::uint8_t* data, std::size_t size,
                       const WordBytes& key) {
    for (std::size_t i = 0; i < size; ++i) {
        state = kTable.row[data[i] ^ key[i % kWord]] >> (state & kStateMask);
    }
    return static_cast<std::uint8_t>(state & kStateMask);
}

std::uint8_t run(std::uint8_t state, const std::uint8_t* data, std::size_t size,
                 const WordBytes& key) {
    const std::uint64_t key_word = load(key.data());
    for (; size >= kWord; data += kWord, size -= kWord) {
        if (state != kBetweenShift || !is_ascii(load(data) ^ key_word)) {
            state = run_bytes(state, data, kWord, key);
        }
    }
    return run_bytes(state, data, size, key);
}

}  // namespace

bool Utf8Validator::feed(const std::uint8_t* data, std::size_t size) noexcept {
    state_ = run(state_, data, size, WordBytes{});
    return state_ != kInvalidShift;
}

bool Utf8Validator::feed_masked(const std::uint8_t* data, std::size_t size, const std::uint8_t* key,
                                std::uint64_t offset) noexcept {
    WordBytes turned;
    for (std::size_t i = 0; i < kWord; ++i) {
        turned[i] = key[(offset + i) % 4];
    }
    state_ = run(state_, data, size, turned);
    return state_ != kInvalidShift;
}

bool Utf8Validator::is_sound() const noexcept {
    return state_ % kStateBits == 0 && state_ <= kInvalidShift;
}

std::size_t size_of_character(std::string_view text) noexcept {
    Utf8Validator validator;
    for (std::size_t size = 0; size < text.size();) {
        const auto byte = static_cast<std::uint8_t>(text[size++]);
        if (!validator.feed(&byte, 1)) {
            return 0;
        }
        if (validator.complete()) {
            return size;
        }
    }
    return 0;
}

}  // namespace wsp
