// Writes HTML into a string. What is markup stands in our source as a literal; everything else is escaped. A value; one
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "exposition/human.hpp"
#include "exposition/text.hpp"

namespace wsp {

class HtmlWriter {
  public:
    // Markup: takes literals only.
    template <std::size_t N>
    HtmlWriter& raw(const char (&markup)[N]) {
        out_.append(markup, N - 1);
        return *this;
    }
    // Text, or the value of an attribute within double quotes.
    HtmlWriter& text(std::string_view text) {
        append_html(out_, text);
        return *this;
    }
    // A plain number.
    template <typename Number>
    HtmlWriter& number(Number number) {
        append_number(out_, number);
        return *this;
    }
    HtmlWriter& count(std::uint64_t number) { return text(human_count(number)); }
    HtmlWriter& bytes(std::uint64_t number) { return text(human_bytes(number)); }
    HtmlWriter& duration(DurationUs time) { return text(human_duration(time)); }

    // A field of a form that nobody sees.
    HtmlWriter& hidden(std::string_view name, std::string_view value) {
        return raw("<input type=\"hidden\" name=\"")
            .text(name)
            .raw("\" value=\"")
            .text(value)
            .raw("\">");
    }

    std::string take() { return std::move(out_); }

  private:
    std::string out_;
};

}  // namespace wsp
