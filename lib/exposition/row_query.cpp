// Filters all rows, sorts as many as the page and those before it need, and takes the page.
#include "exposition/row_query.hpp"

#include <algorithm>

#include "base/ascii.hpp"
#include "protocol/header_tokens.hpp"

namespace wsp {
namespace {

bool contains(std::string_view text, std::string_view word) noexcept {
    return std::search(text.begin(), text.end(), word.begin(), word.end(), [](char a, char b) {
               return lower_ascii(a) == lower_ascii(b);
           }) != text.end();
}

// The first word, removed from `text`; empty: there is none.
std::string_view take_word(std::string_view& text) noexcept {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size());
    return word;
}

bool word_occurs(const TunnelRow& row, std::string_view word) {
    const std::string_view name = word.substr(0, word.find(':'));
    for (std::size_t i = 0; i < kRowColumns; ++i) {
        const auto column = static_cast<RowColumn>(i);
        if (row_of(column).searched && name.size() < word.size() && name == row_of(column).name) {
            return contains(value_of(row, column).text, word.substr(name.size() + 1));
        }
    }
    for (std::size_t i = 0; i < kRowColumns; ++i) {
        const auto column = static_cast<RowColumn>(i);
        if (row_of(column).searched && contains(value_of(row, column).text, word)) {
            return true;
        }
    }
    return false;
}

int compare(const TunnelRow& a, const TunnelRow& b, RowColumn column) noexcept {
    const RowValue left = value_of(a, column);
    const RowValue right = value_of(b, column);
    if (left.number != right.number) {
        return left.number < right.number ? -1 : 1;
    }
    return left.text.compare(right.text);
}

}  // namespace

bool matches(const TunnelRow& row, std::string_view text) {
    for (std::string_view word = take_word(text); !word.empty(); word = take_word(text)) {
        if (!word_occurs(row, word)) {
            return false;
        }
    }
    return true;
}

RowPage select_rows(const std::vector<TunnelRow>& rows, const RowQuery& query) {
    RowPage page;
    page.total = rows.size();
    for (const TunnelRow& row : rows) {
        if (matches(row, query.text)) {
            page.rows.push_back(&row);
        }
    }
    page.matched = page.rows.size();
    page.pages = std::max<std::size_t>(1, (page.matched + query.size - 1) / query.size);
    page.page = std::min(std::max<std::size_t>(1, query.page), page.pages);
    const auto begin = page.rows.begin();
    const std::size_t first = std::min((page.page - 1) * query.size, page.matched);
    const std::size_t last = std::min(first + query.size, page.matched);
    std::partial_sort(begin, begin + static_cast<std::ptrdiff_t>(last), page.rows.end(),
                      [&query](const TunnelRow* a, const TunnelRow* b) {
                          const int order = compare(*a, *b, query.sort);
                          return order != 0 ? (order < 0) != query.descending : a->id < b->id;
                      });
    page.rows.erase(begin + static_cast<std::ptrdiff_t>(last), page.rows.end());
    page.rows.erase(page.rows.begin(), page.rows.begin() + static_cast<std::ptrdiff_t>(first));
    return page;
}

}  // namespace wsp
