// Live tunnels: the filter, the table with two facts in each cell, and the pages.
#include <iterator>

#include "exposition/html_sections.hpp"

namespace wsp {
namespace {

// A column of the table on the page: two columns of the row, one above the other.
struct Stack {
    std::string_view first_title;
    std::string_view second_title;
    RowColumn first;
    RowColumn second;
    bool numbers;
};
constexpr Stack kStacks[] = {
    {"Client", "id", RowColumn::client, RowColumn::id, false},
    {"Virtual host", "path", RowColumn::vhost, RowColumn::path, false},
    {"Backend", "tag", RowColumn::backend, RowColumn::tag, false},
    {"Age", "idle", RowColumn::age, RowColumn::idle, true},
    {"Messages in", "out", RowColumn::messages_in, RowColumn::messages_out, true},
    {"Bytes in", "out", RowColumn::bytes_in, RowColumn::bytes_out, true},
    {"Round trip", "held", RowColumn::rtt, RowColumn::held, true},
    {"State", "process", RowColumn::state, RowColumn::child, false},
};
constexpr std::size_t kSizes[] = {25, 50, 100, 500};

void write_link(HtmlWriter& html, const PageRequest& request) {
    // An empty query would be the page as it is.
    html.raw("<a href=\"?").text(query_for(request)).raw("#tunnels\"");
}

// The heading of one column: a link that sorts by it, and by the other order when it is sorted so already.
void write_sort_link(HtmlWriter& html, const PageRequest& asked, RowColumn column,
                     std::string_view title) {
    PageRequest request = asked;
    request.rows.page = 1;
    request.rows.sort = column;
    request.rows.descending =
        column == asked.rows.sort ? !asked.rows.descending : descends_by_itself(column);
    write_link(html, request);
    if (column == asked.rows.sort) {
        html.raw(" class=\"sorted ")
            .text(asked.rows.descending ? "descending" : "ascending")
            .raw("\"");
    }
    html.raw(">").text(title).raw("</a>");
}

void write_heading(HtmlWriter& html, const PageRequest& asked, const Stack& stack) {
    html.raw("<th scope=\"col\"");
    if (stack.numbers) {
        html.raw(" class=\"number\"");
    }
    if (asked.rows.sort == stack.first || asked.rows.sort == stack.second) {
        html.raw(" aria-sort=\"")
            .text(asked.rows.descending ? "descending" : "ascending")
            .raw("\"");
    }
    html.raw(">");
    write_sort_link(html, asked, stack.first, stack.first_title);
    html.raw("<span class=\"second\">");
    write_sort_link(html, asked, stack.second, stack.second_title);
    html.raw("</span></th>\n");
}

bool is_of_bytes(RowColumn column) noexcept {
    return column == RowColumn::bytes_in || column == RowColumn::bytes_out ||
           column == RowColumn::held;
}

void write_value(HtmlWriter& html, const TunnelRow& row, RowColumn column) {
    const RowValue value = value_of(row, column);
    switch (row_of(column).kind) {
        case ColumnKind::count:
            if (column == RowColumn::child) {
                html.number(value.number);
            } else if (is_of_bytes(column)) {
                html.bytes(static_cast<std::uint64_t>(value.number));
            } else {
                html.count(static_cast<std::uint64_t>(value.number));
            }
            break;
        case ColumnKind::time:
            if (column == RowColumn::rtt && value.number == 0) {
                html.raw("\xE2\x80\x93");  // not measured
            } else {
                html.duration(value.number);
            }
            break;
        default:
            html.text(value.text.empty() ? "\xE2\x80\x93" : value.text);
    }
}

// What may be long is cut by the style sheet, and whole in the title.
void write_part(HtmlWriter& html, const TunnelRow& row, RowColumn column, bool second) {
    const RowValue value = value_of(row, column);
    html.raw("<span");
    if (second) {
        html.raw(" class=\"second\"");
    }
    if (value.text.size() > 24) {
        html.raw(" title=\"").text(value.text).raw("\"");
    }
    html.raw(">");
    write_value(html, row, column);
    if (column == RowColumn::client && row.tls) {
        html.raw(" <small class=\"badge\">TLS</small>");
    }
    if (column == RowColumn::state && row.mode == TunnelRow::Mode::blocking) {
        html.raw(" <small class=\"badge\">blocking</small>");
    }
    html.raw("</span>");
}

// Belongs to the form that write_actions() writes.
void write_close_button(HtmlWriter& html, const TunnelRow& row) {
    html.raw("<button form=\"close-one\" name=\"id\" value=\"").text(row.id);
    html.raw("\" class=\"small\" aria-label=\"Close the tunnel ")
        .text(row.id)
        .raw("\">Close</button>");
}

void write_row(HtmlWriter& html, const TunnelRow& row, bool acts) {
    html.raw("<tr data-key=\"").text(row.id).raw("\">");
    for (const Stack& stack : kStacks) {
        html.raw("<td data-label=\"")
            .text(stack.first_title)
            .raw(", ")
            .text(stack.second_title)
            .raw("\"");
        if (stack.numbers) {
            html.raw(" class=\"number\"");
        }
        html.raw(">");
        write_part(html, row, stack.first, false);
        write_part(html, row, stack.second, true);
        if (acts && stack.first == RowColumn::state) {
            write_close_button(html, row);
        }
        html.raw("</td>");
    }
    html.raw("</tr>\n");
}

void write_filter(HtmlWriter& html, const PageRequest& asked) {
    html.raw(
        "<form id=\"filter\" method=\"get\" action=\"#tunnels\" role=\"search\" "
        "aria-label=\"Tunnels\">\n");
    html.hidden("sort", name_of(asked.rows.sort));
    html.hidden("order", asked.rows.descending ? "desc" : "asc");
    html.raw(
        "<label for=\"q\">Filter</label> <input type=\"search\" id=\"q\" name=\"q\" "
        "autocomplete=\"off\" "
        "spellcheck=\"false\" placeholder=\"address, host, path, backend, tag\" "
        "aria-describedby=\"q-hint\" value=\"");
    html.text(asked.rows.text)
        .raw("\">\n<label for=\"size\">Rows</label> <select id=\"size\" name=\"size\">");
    bool listed = false;
    for (const std::size_t size : kSizes) {
        listed = listed || size == asked.rows.size;
        html.raw("<option")
            .text(size == asked.rows.size ? " selected" : "")
            .raw(">")
            .number(size)
            .raw("</option>");
    }
    if (!listed) {
        html.raw("<option selected>").number(asked.rows.size).raw("</option>");
    }
    html.raw(
        "</select>\n<button>Show</button>\n<p id=\"q-hint\" class=\"hint\">All words must occur. "
        "<code>tag:alice</code> looks in one column alone.</p>\n</form>\n");
}

void write_counts(HtmlWriter& html, const StatusReport& report, const RowPage& page,
                  const RowQuery& query) {
    const std::size_t first = (page.page - 1) * query.size;
    html.raw("<p id=\"matched\">");
    if (page.rows.empty()) {
        html.text(page.total == 0 ? "No open tunnel is known." : "No open tunnel matches.");
    } else {
        html.count(first + 1)
            .raw("\xE2\x80\x93")
            .count(first + page.rows.size())
            .raw(" of ")
            .count(page.matched);
        html.text(page.matched == 1 ? " tunnel" : " tunnels");
        if (page.matched != page.total) {
            html.raw(" that match; ").count(page.total).raw(" are open");
        }
    }
    html.raw("</p>\n");
    if (!report.asked) {
        html.raw(
            "<p class=\"warning\">The tunnels could not be asked. Others may be asking all the "
            "time; try again.</p>\n");
    }
    if (report.left_out != 0) {
        html.raw("<p class=\"warning\">")
            .count(report.left_out)
            .raw(" more tunnels found no room in the list.</p>\n");
    }
    if (report.silent != 0) {
        html.raw("<p class=\"warning\">").count(report.silent);
        html.raw(" processes did not answer in time; their tunnels are not listed.</p>\n");
    }
}

void write_page_link(HtmlWriter& html, const PageRequest& asked, std::size_t page,
                     std::string_view title, bool possible) {
    html.raw("<li>");
    if (possible) {
        PageRequest request = asked;
        request.rows.page = page;
        write_link(html, request);
        html.raw(">").text(title).raw("</a>");
    } else {
        html.raw("<span>").text(title).raw("</span>");
    }
    html.raw("</li>");
}

void write_pages(HtmlWriter& html, const PageRequest& asked, const RowPage& page) {
    if (page.pages == 1) {
        return;
    }
    html.raw("<nav class=\"pages\" aria-label=\"Pages of tunnels\"><ul>");
    write_page_link(html, asked, 1, "First", page.page > 1);
    write_page_link(html, asked, page.page - 1, "Previous", page.page > 1);
    html.raw("<li><span aria-current=\"page\">Page ")
        .count(page.page)
        .raw(" of ")
        .count(page.pages)
        .raw("</span></li>");
    write_page_link(html, asked, page.page + 1, "Next", page.page < page.pages);
    write_page_link(html, asked, page.pages, "Last", page.page < page.pages);
    html.raw("</ul></nav>\n");
}

}  // namespace

void write_tunnels(HtmlWriter& html, const StatusReport& report, const PageRequest& asked) {
    const RowPage page = select_rows(report.rows, asked.rows);
    html.raw(
        "<section id=\"tunnels\" aria-labelledby=\"tunnels-title\">\n<h2 "
        "id=\"tunnels-title\">Tunnels</h2>\n");
    write_filter(html, asked);
    html.raw("<div id=\"list\">\n");
    write_counts(html, report, page, asked.rows);
    html.raw(
        "<table class=\"stacked\">\n<caption class=\"unseen\">Open "
        "tunnels</caption>\n<thead><tr>\n");
    for (const Stack& stack : kStacks) {
        write_heading(html, asked, stack);
    }
    html.raw("</tr></thead>\n<tbody>\n");
    for (const TunnelRow* const row : page.rows) {
        write_row(html, *row, report.acts);
    }
    html.raw("</tbody>\n</table>\n");
    write_pages(html, asked, page);
    html.raw("</div>\n</section>\n");
}

}  // namespace wsp
