// What somebody asks of the status page: the query of its address, as values. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/table.hpp"
#include "exposition/row_query.hpp"

namespace wsp {

enum class PageFormat : std::uint8_t { html, json, csv, prometheus };

template <>
struct Table<PageFormat> {
    struct Row {
        std::string_view name;
    };
    static constexpr Row kRows[] = {{"html"}, {"json"}, {"csv"}, {"prometheus"}};
};

struct PageRequest {
    PageFormat format = PageFormat::html;
    RowQuery rows;
    bool wants_rows = true;  // size=0: not
    std::string asset;       // the name of a file of the page itself; empty: the page
    std::string error;       // a sentence about what is wrong; empty: nothing
};

// `query` is what stands behind the ? of the address. Parameters that nobody knows are left alone.
PageRequest parse_page_request(std::string_view query);

// The query that asks for the same, without its "?": for links. Parameters at their defaults are left out.
std::string query_for(const PageRequest& request);

// The order of a column where nobody names one: texts begin at A, and of numbers people want the large ones.
bool descends_by_itself(RowColumn column) noexcept;

}  // namespace wsp
