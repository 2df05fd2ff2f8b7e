// Which request fields the access log formats of this configuration name.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace wsp {

// Names compared as the table that they index is: headers without regard to case.
struct NameLess {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const noexcept;
};

// Which of mod_ssl's variables %{name}c is about; "" for none.
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
    Names ssl;  // never `all`: mod_ssl's variables are looked up by name

    // Whether any format has an item of one of these letters, "%U" for 'U'. Those of the common log format, which needs no
    // LogFormat line, always count.
    bool any_letter(std::string_view letters) const noexcept;

    // Learns from the arguments of one LogFormat, CustomLog, TransferLog or GlobalLog line.
    // What its condition (expr=) asks is for log_conditions.hpp to tell.
    void learn(std::string_view directive_arguments);
    // Learns that a condition calls a function of httpd's that looks into a request's tables, note('x'); others need nothing.
    // Null: which name it looks for is not known before.
    void learn_function(std::string_view name, const char* argument);

  private:
    void learn_item(std::string_view name, std::string_view letter);
    void keep_all();

    bool all_letters_ = false;
    std::string letters_ = "hlurs";
};

}  // namespace wsp
