// Which of the live tunnels somebody wants to see: the rest of the page's address, as values, and what it selects.
// Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "exposition/row_columns.hpp"

namespace wsp {

struct RowQuery {
    std::string text;  // words that must all occur, in any case of letters; see matches()
    RowColumn sort = RowColumn::age;
    bool descending = true;
    std::size_t page = 1;  // from 1 on
    std::size_t size = 25;

    static constexpr std::size_t kMostRows = 10'000;  // of a page
};

// The part of all rows that a query selects. Refers to the rows that it was made of.
struct RowPage {
    std::vector<const TunnelRow*> rows;
    std::size_t page = 1;     // the query's, or the last one there is
    std::size_t pages = 1;    // at least 1
    std::size_t matched = 0;  // rows that the query's text selects
    std::size_t total = 0;    // rows
};

// True when each word of `text` occurs in the row. A word like "vhost:www" looks in that column alone; another one in
// all that are searched.
bool matches(const TunnelRow& row, std::string_view text);

// Equal rows stand in the order of their ids, so that a page does not change by itself.
RowPage select_rows(const std::vector<TunnelRow>& rows, const RowQuery& query);

}  // namespace wsp
