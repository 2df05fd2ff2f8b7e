// Parameters of an address or a form (application/x-www-form-urlencoded), and what is said of a wrong one. Pure; any
// thread; may throw bad_alloc.
#pragma once

#include <string>
#include <string_view>

#include "base/table.hpp"

namespace wsp {

struct Parameter {
    std::string name;
    std::string value;
    bool has_value = false;  // false: "name" stands there without "="
};

// Takes the first parameter out of `query`. False: there is none.
bool take_parameter(std::string_view& query, Parameter& to);

// "%41+b" is "A b". A % without two hexadecimal digits behind it stands for itself.
std::string decode_query(std::string_view text);

// "sort=size is not known here: sort takes id or age"
std::string not_known(std::string_view name, std::string_view value, std::string_view allowed);

// "html, json, csv"
template <typename Enum>
std::string all_names() {
    std::string names;
    for (const auto& row : rows_of<Enum>()) {
        names.append(names.empty() ? "" : ", ").append(row.name);
    }
    return names;
}

}  // namespace wsp
