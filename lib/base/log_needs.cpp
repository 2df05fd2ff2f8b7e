// Reads log formats and collects the names in them: %...{name}X, in mod_log_config's syntax.
#include "base/log_needs.hpp"

#include <algorithm>

#include "base/ascii.hpp"

namespace wsp {
namespace {

// Between % and the item, or between the name and the item. The last two are those of ErrorLogFormat.
constexpr std::string_view kMarks = "!<>0123456789,-+";

// The variable in the condition of a CustomLog line: env=name or env=!name.
std::string_view env_condition(std::string_view arguments) {
    const std::size_t at = arguments.find("env=");
    if (at == std::string_view::npos) {
        return {};
    }
    std::string_view name = arguments.substr(at + 4);
    if (!name.empty() && name.front() == '!') {
        name.remove_prefix(1);
    }
    return name.substr(0, name.find_first_of(" \t\""));
}

}  // namespace

std::string_view variable_of_ssl_item(std::string_view name) noexcept {
    struct Item {
        std::string_view name;
        std::string_view variable;
    };
    // modules/ssl/ssl_engine_vars.c ssl_var_log_handler_c. "errstr" is no variable of its own: it is a part of
    // SSL_CLIENT_VERIFY.
    static constexpr Item kItems[] = {
        {"version", "SSL_PROTOCOL"},      {"cipher", "SSL_CIPHER"},
        {"subjectdn", "SSL_CLIENT_S_DN"}, {"clientcert", "SSL_CLIENT_S_DN"},
        {"issuerdn", "SSL_CLIENT_I_DN"},  {"cacert", "SSL_CLIENT_I_DN"},
        {"errstr", "SSL_CLIENT_VERIFY"}};
    for (const Item& item : kItems) {
        if (item.name == name) {
            return item.variable;
        }
    }
    return {};
}

bool NameLess::operator()(std::string_view a, std::string_view b) const noexcept {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
        return lower_ascii(x) < lower_ascii(y);
    });
}

void LogNeeds::learn(std::string_view arguments) {
    const std::string_view condition = env_condition(arguments);
    if (!condition.empty()) {
        env.listed.emplace(condition);
    }
    for (std::size_t at = arguments.find('%'); at != std::string_view::npos;
         at = arguments.find('%', at + 1)) {
        std::size_t end = arguments.find_first_not_of(kMarks, at + 1);
        std::string_view name;
        if (end != std::string_view::npos && arguments[end] == '{') {
            const std::size_t brace = arguments.find('}', end);
            if (brace == std::string_view::npos) {
                return;
            }
            name = arguments.substr(end + 1, brace - end - 1);
            // The marks may also follow the name.
            end = arguments.find_first_not_of(kMarks, brace + 1);
        }
        if (end == std::string_view::npos) {
            return;
        }
        learn_item(name, arguments.substr(end, arguments[end] == '^' ? 3 : 1));
        at = end;
    }
}

void LogNeeds::learn_function(std::string_view name, const char* argument) {
    struct Reader {
        std::string_view function;
        Names& table;
    };
    // server/util_expr_eval.c req_table_func and env_func
    const Reader readers[] = {
        {"req", headers_in},   {"http", headers_in}, {"req_novary", headers_in},
        {"resp", headers_out}, {"note", notes},      {"env", notes},
        {"env", env},          {"reqenv", env}};
    const NameLess less;
    for (const Reader& reader : readers) {
        if (less(reader.function, name) || less(name, reader.function)) {
            continue;
        }
        if (argument == nullptr) {
            reader.table.all = true;
        } else {
            reader.table.listed.emplace(argument);
        }
    }
}

void LogNeeds::learn_item(std::string_view name, std::string_view letter) {
    static constexpr std::string_view kTrailersAndTimes[] = {"^ti", "^to", "^FB"};
    if (letter == "^js" || letter == "^jn") {  // module/log/json_items.hpp: %{i:User-Agent}^js
        const bool has_name = name.size() > 1 && name[1] == ':';
        if (!name.empty()) {
            learn_item(has_name ? name.substr(2) : std::string_view(), name.substr(0, 1));
        }
        return;
    }
    letters_ += letter.front();
    if (letter == "i") {
        headers_in.listed.emplace(name);
    } else if (letter == "o") {
        headers_out.listed.emplace(name);
    } else if (letter == "n") {
        notes.listed.emplace(name);
    } else if (letter == "e") {
        env.listed.emplace(name);
    } else if (letter == "C") {
        headers_in.listed.emplace("Cookie");
    } else if (letter == "x") {
        ssl.listed.emplace(name);
    } else if (letter == "c") {
        if (const std::string_view variable = variable_of_ssl_item(name); !variable.empty()) {
            ssl.listed.emplace(variable);
        }
    } else if (letter.front() == '^' &&
               std::find(std::begin(kTrailersAndTimes), std::end(kTrailersAndTimes), letter) ==
                   std::end(kTrailersAndTimes)) {
        keep_all();  // an item of another module may read anything
    }
}

bool LogNeeds::any_letter(std::string_view letters) const noexcept {
    return all_letters_ || letters_.find_first_of(letters) != std::string::npos;
}

void LogNeeds::keep_all() {
    all_letters_ = true;
    headers_in.all = headers_out.all = notes.all = env.all = true;
}

}  // namespace wsp
