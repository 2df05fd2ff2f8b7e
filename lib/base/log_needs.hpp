// Finds out which fields of a request the access log needs, from the log formats of the configuration.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace wsp {

// Compares names without regard to case, as httpd's tables (apr_table_t) do.
struct NameLess {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const noexcept;
};

// The mod_ssl variable that %{name}c shows. Empty when there is none.
std::string_view variable_of_ssl_item(std::string_view name) noexcept;

class LogNeeds {
  public:
    struct Names {
        bool all = false;
        std::set<std::string, NameLess> listed;
        bool wants(std::string_view name) const { return all || listed.find(name) != listed.end(); }
    };

    Names headers_in;
    Names headers_out;
    Names notes;
    Names env;
    // Never `all`: the variables of mod_ssl are looked up by name.
    Names ssl;

    // True when any format has an item with one of these letters, for example 'U' for "%U". The letters of the common
    // log format always count, since it needs no LogFormat line.
    bool any_letter(std::string_view letters) const noexcept;

    // Adds what the arguments of one LogFormat, CustomLog, TransferLog, GlobalLog or ErrorLogFormat line need. Does not
    // read a condition (expr=): module/log/log_conditions.hpp does that.
    void learn(std::string_view directive_arguments);
    // Adds what a condition needs that calls the httpd function `name`, for example note('x'). Only functions that read
    // the tables of a request need anything. `argument` is null when the name that the function looks up is not known
    // in advance; then the whole table is needed.
    void learn_function(std::string_view name, const char* argument);

  private:
    void learn_item(std::string_view name, std::string_view letter);
    void keep_all();

    bool all_letters_ = false;
    std::string letters_ = "hlurs";
};

}  // namespace wsp
