// Takes the fields apart, and then what they mean together.
#include "exposition/action_request.hpp"

#include <array>
#include <charconv>
#include <iterator>
#include <optional>

#include "exposition/page_request.hpp"
#include "exposition/text.hpp"
#include "protocol/clean_text.hpp"
#include "protocol/close_code.hpp"

namespace wsp {
namespace {

constexpr std::string_view kTargets =
    "one of id=, client=, vhost=, backend=, tag= (with by= and value= too) or all=yes";

enum Field { action, by, value, code, reason, spread, token, id, client, vhost, backend, tag, all };
constexpr std::string_view kFields[] = {"action",  "by",    "value", "code",   "reason",
                                        "spread",  "token", "id",    "client", "vhost",
                                        "backend", "tag",   "all"};

class ActionParser {
  public:
    ActionRequest take(std::string_view form) {
        read_fields(form);
        set_action();
        resolve_by();
        if (made_.action == OperatorAction::close) {
            set_target();
            set_code();
            set_reason();
            set_spread();
        } else {
            set_pause();
        }
        made_.token = text(token);
        return std::move(made_);
    }

  private:
    bool has(Field field) const { return fields_[field].has_value() && !fields_[field]->empty(); }
    std::string text(Field field) const { return fields_[field].value_or(std::string()); }

    void read_fields(std::string_view form) {
        while (!form.empty()) {
            const std::size_t end = form.find('&');
            const std::string_view pair = form.substr(0, end);
            form = end == std::string_view::npos ? std::string_view() : form.substr(end + 1);
            const std::size_t equals = pair.find('=');
            if (!pair.empty()) {
                set(decode_query(pair.substr(0, equals)),
                    equals == std::string_view::npos ? std::string()
                                                     : decode_query(pair.substr(equals + 1)));
            }
        }
    }

    void set(const std::string& name, std::string given) {
        std::size_t field = 0;
        while (field < std::size(kFields) && kFields[field] != name) {
            ++field;
        }
        if (field == std::size(kFields)) {
            std::string known;
            for (const std::string_view each : kFields) {
                known.append(known.empty() ? "" : ", ").append(each);
            }
            complain("There is no field \"" + clean_text(name, 100) + "\"; there are " + known);
        } else if (fields_[field].has_value()) {
            complain("The field " + name + " stands there twice");
        } else {
            fields_[field] = std::move(given);
        }
    }

    void set_action() {
        for (std::size_t i = 0; i < std::size(rows_of<OperatorAction>()); ++i) {
            if (rows_of<OperatorAction>()[i].name == text(action)) {
                made_.action = static_cast<OperatorAction>(i);
                return;
            }
        }
        complain_about(action, "close, pause or resume");
    }

    // by=tag&value=alice becomes tag=alice.
    void resolve_by() {
        if (!has(by)) {
            return;
        }
        for (const Field target : {id, client, vhost, backend, tag, all}) {
            if (kFields[target] == text(by)) {
                const bool twice = has(target);
                fields_[target] = target == all ? "yes" : text(value);
                if (twice) {
                    complain("The field " + std::string(kFields[target]) + " stands there twice");
                }
                return;
            }
        }
        complain_about(by, "id, client, vhost, backend, tag or all");
    }

    void check_all() {
        if (has(all) && text(all) != "yes") {
            complain_about(all, "yes, and nothing else");
        }
    }

    void set_target() {
        check_all();
        int given = 0;
        for (const Field target : {id, client, vhost, backend, tag, all}) {
            if (fields_[target].has_value()) {
                ++given;
                made_.target = static_cast<ActionTarget>(target - id);
                made_.value = target == all ? std::string() : text(target);
                if (target != all && made_.value.empty()) {
                    complain("The field " + std::string(kFields[target]) +
                             " is empty; action=close takes " + std::string(kTargets));
                }
            }
        }
        if (given != 1) {
            complain("action=close takes exactly " + std::string(kTargets));
        }
    }

    void set_pause() {
        check_all();
        for (const Field other : {id, client, tag, code, reason, spread}) {
            if (has(other)) {
                complain("The field " + std::string(kFields[other]) + " is for action=close only");
            }
        }
        made_.vhost = text(vhost);
        made_.backend = text(backend);
        const bool named = has(vhost) || has(backend);
        const bool takes_all = made_.action == OperatorAction::resume;
        if (has(all) ? named || !takes_all : !named) {
            complain(takes_all ? "action=resume takes vhost=, backend= or both, or all=yes"
                               : "action=pause takes vhost=, backend= or both");
        }
    }

    void set_code() {
        if (!has(code)) {
            return;
        }
        const std::string given = text(code);
        const char* const end = given.data() + given.size();
        const auto [stop, problem] = std::from_chars(given.data(), end, made_.code);
        if (problem != std::errc() || stop != end || !may_be_sent(made_.code)) {
            complain_about(code, "1000 to 1003, 1007 to 1014, or 3000 to 4999");
        }
    }

    void set_reason() {
        made_.reason = text(reason);
        if (made_.reason.size() > ActionRequest::kMostReason ||
            clean_text(made_.reason, made_.reason.size()) != made_.reason) {
            complain_about(reason,
                           "at most 123 bytes of UTF-8, without control characters, and "
                           "without spaces at its ends");
        }
    }

    void set_spread() {
        struct Unit {
            std::string_view name;
            DurationUs span;
        };
        static constexpr Unit kUnits[] = {{"", kSecond},
                                          {"s", kSecond},
                                          {"ms", kMillisecond},
                                          {"min", 60 * kSecond},
                                          {"h", 3600 * kSecond}};
        const std::string given = text(spread);
        if (given.empty()) {
            return;
        }
        std::int64_t number = -1;
        const char* const end = given.data() + given.size();
        const auto [stop, problem] = std::from_chars(given.data(), end, number);
        const std::string_view unit(stop, static_cast<std::size_t>(end - stop));
        for (const Unit& each : kUnits) {
            if (problem == std::errc() && unit == each.name && number >= 0 &&
                number <= ActionRequest::kMostSpread / each.span) {
                made_.spread = number * each.span;
                return;
            }
        }
        complain_about(spread, "a time from 0 to 24h, such as 500ms, 30s, 5min or 2h");
    }

    void complain_about(Field field, std::string_view allowed) {
        const std::string name(kFields[field]);
        complain(has(field)
                     ? name + "=" + clean_text(text(field), 100) + " is not known here: " + name +
                           " takes " + std::string(allowed)
                     : "The field " + name + " is missing; it takes " + std::string(allowed));
    }

    // The first one counts.
    void complain(const std::string& sentence) {
        if (made_.error.empty()) {
            made_.error = sentence + ".";
        }
    }

    ActionRequest made_;
    std::array<std::optional<std::string>, std::size(kFields)> fields_;
};

}  // namespace

ActionRequest parse_action_request(std::string_view form) {
    return ActionParser().take(form);
}

std::string text_of(const ActionRequest& request) {
    std::string text(row_of(request.action).name);
    if (request.action != OperatorAction::close) {
        const bool all = request.vhost.empty() && request.backend.empty();
        text += all ? " all" : "";
        text += request.vhost.empty() ? "" : " vhost=" + request.vhost;
        text += request.backend.empty() ? "" : " backend=" + request.backend;
        return text;
    }
    text.append(" ").append(row_of(request.target).name);
    text += request.value.empty() ? "" : "=" + request.value;
    text += " code=" + std::to_string(request.code) + " spread=";
    append_seconds(text, request.spread);
    return text + "s";
}

}  // namespace wsp
