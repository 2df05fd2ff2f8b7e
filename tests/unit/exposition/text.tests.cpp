// Text of strangers in each format: hostile values, and every byte there is.
#include "exposition/text.hpp"

#include <catch2/catch.hpp>

#include "protocol/utf8.hpp"

namespace wsp {
namespace {

using Append = void (*)(std::string&, std::string_view);

std::string with(Append append, std::string_view text) {
    std::string out;
    append(out, text);
    return out;
}

bool is_utf8(const std::string& text) {
    Utf8Validator validator;
    return validator.feed(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()) &&
           validator.complete();
}

std::string seconds(DurationUs time) {
    std::string out;
    append_seconds(out, time);
    return out;
}

constexpr Append kAll[] = {append_html, append_json, append_label, append_csv, append_query};

TEST_CASE("whatever bytes come, every format is valid UTF-8", "[exposition]") {
    for (const Append append : kAll) {
        int bad = 0;
        for (int bytes = 0; bytes < 65536; ++bytes) {
            const std::string text = {'a', static_cast<char>(bytes >> 8), static_cast<char>(bytes)};
            bad += is_utf8(with(append, text)) ? 0 : 1;
        }
        CHECK(bad == 0);
        CHECK(is_utf8(with(append, "\xF0\x9F\x98")));
        CHECK(is_utf8(with(append, "\xED\xA0\x80")));
        CHECK(is_utf8(with(append, "\xF4\x90\x80\x80")));
    }
}

TEST_CASE("a byte that is no UTF-8 becomes U+FFFD, and the characters around it stay",
          "[exposition]") {
    CHECK(with(append_html, "\xC3\xBC\xFF\xE2\x82\xAC\xC3") ==
          "\xC3\xBC\xEF\xBF\xBD\xE2\x82\xAC\xEF\xBF\xBD");
    CHECK(with(append_html, "\xE2\x82x") == "\xEF\xBF\xBD\xEF\xBF\xBDx");
}

TEST_CASE("HTML has no markup of strangers", "[exposition]") {
    CHECK(with(append_html, "<script>alert('1')</script>") ==
          "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;");
    CHECK(with(append_html, "\" onclick=\"x&y") == "&quot; onclick=&quot;x&amp;y");
    CHECK(with(append_html, std::string_view("a\0b\x1b\x7f", 5)) ==
          "a\xEF\xBF\xBD"
          "b\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST_CASE("JSON escapes quotes, backslashes and control characters", "[exposition]") {
    CHECK(with(append_json, "a\"b\\c/d") == R"("a\"b\\c/d")");
    CHECK(with(append_json, std::string_view("\0\n\x1f\x7f", 4)) ==
          R"("\u0000\u000a\u001f\u007f")");
    CHECK(with(append_json, "") == "\"\"");
}

TEST_CASE("a label's value is one line without quotes", "[exposition]") {
    CHECK(with(append_label, "a\"b\\c\nd") == R"(a\"b\\c\nd)");
}

TEST_CASE("CSV quotes what it must, and doubles quotes", "[exposition]") {
    CHECK(with(append_csv, "plain /path") == "plain /path");
    CHECK(with(append_csv, "a,b") == "\"a,b\"");
    CHECK(with(append_csv, "a\"b") == "\"a\"\"b\"");
    CHECK(with(append_csv, "a\r\nb") == "\"a\r\nb\"");
    CHECK(with(append_csv, std::string_view("a\0b", 3)) ==
          "a\xEF\xBF\xBD"
          "b");
}

TEST_CASE("CSV gives a spreadsheet no formula", "[exposition]") {
    for (const std::string text : {"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1",
                                   "\xEF\xBC\x9D"
                                   "1"}) {
        const std::string field = with(append_csv, text);
        INFO(field);
        CHECK(field.substr(0, 2) == "\"'");
    }
    CHECK(with(append_csv, "a=1") == "a=1");
}

TEST_CASE("times are seconds, exact to the microsecond", "[exposition]") {
    CHECK(seconds(0) == "0");
    CHECK(seconds(1) == "0.000001");
    CHECK(seconds(500) == "0.0005");
    CHECK(seconds(1'500'000) == "1.5");
    CHECK(seconds(86400 * kSecond) == "86400");
    CHECK(seconds(-5) == "0");
}

TEST_CASE("a query parameter holds any text", "[exposition]") {
    CHECK(with(append_query, "a b&c=\xC3\xBC") == "a%20b%26c%3d%c3%bc");
}

}  // namespace
}  // namespace wsp
