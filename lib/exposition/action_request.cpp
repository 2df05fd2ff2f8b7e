// Takes the fields apart, and then what they mean together.
#include "exposition/action_request.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <iterator>
#include <map>

#include "exposition/parameters.hpp"
#include "exposition/text.hpp"
#include "protocol/clean_text.hpp"
#include "protocol/close_code.hpp"

namespace wsp {
namespace {

constexpr std::string_view kTargets =
    "one of id=, client=, vhost=, backend=, tag= (with by= and value= too) or all=yes";

// Besides those that name tunnels (TunnelField).
constexpr std::string_view kFields[] = {"action", "by",     "value", "code",
                                        "reason", "spread", "token"};

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
        made_.token = text("token");
        return std::move(made_);
    }

  private:
    bool is_there(std::string_view field) const { return fields_.find(field) != fields_.end(); }
    std::string text(std::string_view field) const {
        const auto found = fields_.find(field);
        return found != fields_.end() ? found->second : std::string();
    }
    bool has(std::string_view field) const { return !text(field).empty(); }

    void read_fields(std::string_view form) {
        Parameter given;
        while (take_parameter(form, given)) {
            set(given.name, std::move(given.value));
        }
    }

    void set(const std::string& name, std::string given) {
        const auto* const end = std::end(kFields);
        if (std::find(std::begin(kFields), end, name) == end && !value_named<TunnelField>(name)) {
            std::string known;
            for (const std::string_view each : kFields) {
                known.append(each).append(", ");
            }
            known += all_names<TunnelField>();
            complain("There is no field \"" + clean_text(name, 100) + "\"; there are " + known);
        } else if (!fields_.emplace(name, std::move(given)).second) {
            complain("The field " + name + " stands there twice");
        }
    }

    void set_action() {
        if (const auto named = value_named<OperatorAction>(text("action"))) {
            made_.action = *named;
        } else {
            complain_about("action", "close, pause or resume");
        }
    }

    // by=tag&value=alice becomes tag=alice.
    void resolve_by() {
        if (!has("by")) {
            return;
        }
        const auto target = value_named<TunnelField>(text("by"));
        if (!target) {
            complain_about("by", "id, client, vhost, backend, tag or all");
            return;
        }
        set(std::string(name_of(*target)), *target == TunnelField::all ? "yes" : text("value"));
    }

    void check_all() {
        if (has("all") && text("all") != "yes") {
            complain_about("all", "yes, and nothing else");
        }
    }

    void set_target() {
        check_all();
        int given = 0;
        for (std::size_t i = 0; i < std::size(rows_of<TunnelField>()); ++i) {
            const auto target = static_cast<TunnelField>(i);
            const std::string name(name_of(target));
            if (!is_there(name)) {
                continue;
            }
            ++given;
            made_.target = target;
            made_.value = target == TunnelField::all ? std::string() : text(name);
            if (target != TunnelField::all && made_.value.empty()) {
                complain("The field " + name + " is empty; action=close takes " +
                         std::string(kTargets));
            }
        }
        if (given != 1) {
            complain("action=close takes exactly " + std::string(kTargets));
        }
    }

    void set_pause() {
        check_all();
        for (const char* const other : {"id", "client", "tag", "code", "reason", "spread"}) {
            if (has(other)) {
                complain("The field " + std::string(other) + " is for action=close only");
            }
        }
        made_.vhost = text("vhost");
        made_.backend = text("backend");
        const bool named = has("vhost") || has("backend");
        const bool takes_all = made_.action == OperatorAction::resume;
        if (has("all") ? named || !takes_all : !named) {
            complain(takes_all ? "action=resume takes vhost=, backend= or both, or all=yes"
                               : "action=pause takes vhost=, backend= or both");
        }
    }

    void set_code() {
        if (!has("code")) {
            return;
        }
        const std::string given = text("code");
        const char* const end = given.data() + given.size();
        const auto [stop, problem] = std::from_chars(given.data(), end, made_.code);
        if (problem != std::errc() || stop != end || !may_be_sent(made_.code)) {
            complain_about("code", "1000 to 1003, 1007 to 1014, or 3000 to 4999");
        }
    }

    void set_reason() {
        made_.reason = text("reason");
        if (made_.reason.size() > ActionRequest::kMostReason ||
            clean_text(made_.reason, made_.reason.size()) != made_.reason) {
            complain_about("reason",
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
        const std::string given = text("spread");
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
        complain_about("spread", "a time from 0 to 24h, such as 500ms, 30s, 5min or 2h");
    }

    void complain_about(std::string_view field, std::string_view allowed) {
        complain(has(field) ? not_known(field, text(field), allowed)
                            : std::string("The field ")
                                  .append(field)
                                  .append(" is missing; it takes ")
                                  .append(allowed));
    }

    // The first one counts.
    void complain(const std::string& sentence) {
        if (made_.error.empty()) {
            made_.error = sentence + ".";
        }
    }

    ActionRequest made_;
    std::map<std::string, std::string, std::less<>> fields_;
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
