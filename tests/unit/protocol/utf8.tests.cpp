// The UTF-8 automaton: every character, and every way of getting one wrong, plain and masked, cut
// anywhere.
#include "protocol/utf8.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "support/reference_parser.hpp"

using namespace wsp;
using wsp::test::begins_utf8;

namespace {

constexpr std::uint8_t kKey[4] = {0x9D, 0x00, 0xFF, 0x31};

enum class Verdict { text, unfinished, wrong };

Verdict verdict(const Utf8Validator& validator, bool fed) {
    return !fed ? Verdict::wrong : validator.complete() ? Verdict::text : Verdict::unfinished;
}

bool feed(Utf8Validator& validator, std::string_view piece) {
    const std::vector<std::uint8_t> exact(piece.begin(), piece.end());
    return validator.feed(exact.data(), exact.size());
}

bool feed_masked(Utf8Validator& validator, std::string_view piece, std::size_t offset) {
    std::vector<std::uint8_t> exact(piece.begin(), piece.end());
    for (std::size_t i = 0; i < exact.size(); ++i)
        exact[i] ^= kKey[(offset + i) % 4];
    return validator.feed_masked(exact.data(), exact.size(), kKey, offset);
}

// The verdict on `text`, which must be the same plain or masked and wherever it is cut.
Verdict judge(const std::string& text) {
    Utf8Validator whole;
    const Verdict expected = verdict(whole, feed(whole, text));
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        Utf8Validator plain, masked;
        feed(plain, text.substr(0, cut));
        feed_masked(masked, text.substr(0, cut), 0);
        CAPTURE(cut);
        CHECK(verdict(plain, feed(plain, text.substr(cut))) == expected);
        CHECK(verdict(masked, feed_masked(masked, text.substr(cut), cut)) == expected);
    }
    return expected;
}

std::string encode(unsigned c) {
    const auto tail = [c](unsigned shift) { return static_cast<char>(0x80 | (c >> shift & 0x3F)); };
    if (c < 0x80)
        return {static_cast<char>(c)};
    if (c < 0x800)
        return {static_cast<char>(0xC0 | c >> 6), tail(0)};
    if (c < 0x10000)
        return {static_cast<char>(0xE0 | c >> 12), tail(6), tail(0)};
    return {static_cast<char>(0xF0 | c >> 18), tail(12), tail(6), tail(0)};
}

bool accepts(const std::string& text) {
    Utf8Validator validator;
    return feed(validator, text) && validator.complete();
}

}  // namespace

TEST_CASE("every Unicode character is text, and no surrogate is") {
    unsigned wrong = 0;
    for (unsigned c = 0; c <= 0x10FFFF; ++c)
        wrong += accepts(encode(c)) == !(c >= 0xD800 && c <= 0xDFFF) ? 0 : 1;
    CHECK(wrong == 0);
}

TEST_CASE("nothing above U+10FFFF is text") {
    unsigned wrong = 0;
    for (unsigned c = 0x110000; c <= 0x1FFFFF; ++c)
        wrong += accepts(encode(c)) ? 1 : 0;
    CHECK(wrong == 0);
}

TEST_CASE("text, unfinished text and what is not text are told apart, wherever they are cut") {
    struct Case {
        std::string bytes;
        Verdict verdict;
    };
    const Case cases[] = {
        {"", Verdict::text},
        {"plain ASCII that is longer than two words", Verdict::text},
        {std::string("\0", 1), Verdict::text},
        {"\x7F", Verdict::text},
        {"\xC2\x80 \xDF\xBF", Verdict::text},
        {"\xE0\xA0\x80 \xEF\xBF\xBF \xED\x9F\xBF \xEE\x80\x80", Verdict::text},
        {"\xF0\x90\x80\x80 \xF4\x8F\xBF\xBF", Verdict::text},
        {"seven77\xE2\x82\xAC across two words", Verdict::text},
        {"\xC2", Verdict::unfinished},
        {"\xE0\xA0", Verdict::unfinished},
        {"text \xF0\x9F\x98", Verdict::unfinished},
        {"\xF4\x8F", Verdict::unfinished},
        {"\x80", Verdict::wrong},
        {"long enough for words \xBF and more of it", Verdict::wrong},
        {"\xC0\x80", Verdict::wrong},          // overlong
        {"\xC1\xBF", Verdict::wrong},          // overlong
        {"\xE0\x9F\xBF", Verdict::wrong},      // overlong
        {"\xF0\x8F\xBF\xBF", Verdict::wrong},  // overlong
        {"\xED\xA0\x80", Verdict::wrong},      // surrogate
        {"\xED\xBF\xBF", Verdict::wrong},      // surrogate
        {"\xF4\x90\x80\x80", Verdict::wrong},  // above U+10FFFF
        {"\xF5\x80\x80\x80", Verdict::wrong},
        {"\xFE", Verdict::wrong},
        {"\xFF", Verdict::wrong},
        {"\xC2"
         "A",
         Verdict::wrong},
        {"\xE2\x82"
         "A",
         Verdict::wrong},
        {"\xF0\x9F\x98"
         "A",
         Verdict::wrong},
        {"\xE2\xE2\x82\xAC", Verdict::wrong},
        {"a word!\xC3"
         "ASCII in"
         "\xA9 between",
         Verdict::wrong},
    };
    for (const Case& c : cases) {
        CAPTURE(c.bytes);
        CHECK(judge(c.bytes) == c.verdict);
    }
}

TEST_CASE("wrong text is noticed at the first byte that cannot be right") {
    Utf8Validator validator;
    for (unsigned first = 0; first < 256; ++first) {
        for (unsigned second = 0; second < 256; ++second) {
            validator.reset();
            const std::string bytes{static_cast<char>(first), static_cast<char>(second)};
            const bool fed = feed(validator, bytes);
            if (fed != begins_utf8(bytes, false) ||
                (fed && validator.complete() != begins_utf8(bytes, true)))
                FAIL("bytes " << first << " " << second);
        }
    }
    SUCCEED();
}

TEST_CASE("wrong text stays wrong until reset") {
    Utf8Validator validator;
    CHECK_FALSE(feed(validator, "\xFF"));
    CHECK_FALSE(feed(validator, ""));
    CHECK_FALSE(feed(validator, "fine again, but too late"));
    CHECK_FALSE(validator.complete());
    validator.reset();
    CHECK(feed(validator, "fine"));
    CHECK(validator.complete());
}

TEST_CASE("a character that is not ASCII may stand anywhere in a word") {
    for (std::size_t before = 0; before < 20; ++before) {
        for (const char* character : {"\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"}) {
            const std::string text = std::string(before, 'a') + character + std::string(20, 'b');
            CHECK(judge(text) == Verdict::text);
            CHECK(judge(text.substr(0, before + 1)) == Verdict::unfinished);
            CHECK(judge(std::string(before, 'a') + "\x9F" + std::string(20, 'b')) ==
                  Verdict::wrong);
        }
    }
}

TEST_CASE("masked text may begin at any place of the key, also behind 4 GiB") {
    for (std::uint64_t offset :
         {0ull, 1ull, 2ull, 3ull, 4ull, (1ull << 32) + 1, (1ull << 40) + 3}) {
        Utf8Validator validator;
        CHECK(feed_masked(validator, "twelve bytes of text and \xE2\x82\xAC",
                          static_cast<std::size_t>(offset)));
        CHECK(validator.complete());
    }
}
