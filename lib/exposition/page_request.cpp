// One parameter after the other; the last one of a name counts.
#include "exposition/page_request.hpp"

#include <charconv>
#include <optional>

#include "exposition/parameters.hpp"
#include "exposition/text.hpp"

namespace wsp {
namespace {

std::optional<std::size_t> number_between(std::string_view text, std::size_t least,
                                          std::size_t most) noexcept {
    std::size_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, problem] = std::from_chars(text.data(), end, number);
    if (problem != std::errc() || stop != end || number < least || number > most) {
        return std::nullopt;
    }
    return number;
}

class Parser {
  public:
    PageRequest take(std::string_view query) {
        Parameter given;
        while (take_parameter(query, given)) {
            if (given.has_value) {
                set(given.name, std::move(given.value));
            }
        }
        made_.rows.descending = descending_.value_or(descends_by_itself(made_.rows.sort));
        return std::move(made_);
    }

  private:
    void set(std::string_view name, std::string value) {
        if (name == "format") {
            set_named(made_.format, name, value);
        } else if (name == "sort") {
            set_named(made_.rows.sort, name, value);
        } else if (name == "order") {
            set_order(value);
        } else if (name == "page") {
            set_number(made_.rows.page, name, value, 1, 1'000'000'000);
        } else if (name == "size") {
            std::size_t size = made_.rows.size;
            set_number(size, name, value, 0, RowQuery::kMostRows);
            made_.wants_rows = size != 0;
            made_.rows.size = size != 0 ? size : made_.rows.size;
        } else if (name == "q") {
            made_.rows.text = std::move(value);
        } else if (name == "asset") {
            made_.asset = std::move(value);
        }
    }

    template <typename Enum>
    void set_named(Enum& field, std::string_view name, const std::string& value) {
        if (const auto found = value_named<Enum>(value)) {
            field = *found;
        } else {
            complain(name, value, "one of " + all_names<Enum>());
        }
    }

    void set_order(const std::string& value) {
        if (value == "asc" || value == "desc") {
            descending_ = value == "desc";
        } else {
            complain("order", value, "asc or desc");
        }
    }

    void set_number(std::size_t& field, std::string_view name, const std::string& value,
                    std::size_t least, std::size_t most) {
        if (const auto number = number_between(value, least, most)) {
            field = *number;
        } else {
            complain(name, value,
                     "a number from " + std::to_string(least) + " to " + std::to_string(most));
        }
    }

    // The first one counts.
    void complain(std::string_view name, std::string_view value, const std::string& allowed) {
        if (made_.error.empty()) {
            made_.error = not_known(name, value, allowed) + ".";
        }
    }

    PageRequest made_;
    std::optional<bool> descending_;
};

void add(std::string& query, std::string_view name, std::string_view value) {
    query.append(query.empty() ? "" : "&").append(name).append("=");
    append_query(query, value);
}

}  // namespace

bool descends_by_itself(RowColumn column) noexcept {
    const ColumnKind kind = row_of(column).kind;
    return kind == ColumnKind::count || kind == ColumnKind::time || kind == ColumnKind::flag;
}

PageRequest parse_page_request(std::string_view query) {
    return Parser().take(query);
}

std::string query_for(const PageRequest& request) {
    const RowQuery defaults;
    const RowQuery& rows = request.rows;
    std::string query;
    if (request.format != PageFormat::html) {
        add(query, "format", row_of(request.format).name);
    }
    if (!rows.text.empty()) {
        add(query, "q", rows.text);
    }
    if (rows.sort != defaults.sort) {
        add(query, "sort", name_of(rows.sort));
    }
    if (rows.descending != descends_by_itself(rows.sort)) {
        add(query, "order", rows.descending ? "desc" : "asc");
    }
    if (rows.size != defaults.size) {
        add(query, "size", std::to_string(rows.size));
    }
    if (rows.page != 1) {
        add(query, "page", std::to_string(rows.page));
    }
    return query;
}

}  // namespace wsp
