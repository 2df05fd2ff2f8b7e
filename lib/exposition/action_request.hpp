// What an operator orders on the status page, or with curl: the fields of a form (application/x-www-form-urlencoded),
// as values. Pure; any thread.
//
//   action=close   and one of id=, client=, vhost=, backend=, tag= or all=yes; code=, reason=, spread=
//   action=pause   and vhost=, backend= or both
//   action=resume  the same, or all=yes
//
// by= and value= stand for one of the fields that say which tunnels: by=tag&value=alice is tag=alice.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/table.hpp"
#include "metrics/tunnel_field.hpp"

namespace wsp {

enum class OperatorAction : std::uint8_t { close, pause, resume };

template <>
struct Table<OperatorAction> {
    struct Row {
        std::string_view name;
    };
    static constexpr Row kRows[] = {{"close"}, {"pause"}, {"resume"}};
};

struct ActionRequest {
    OperatorAction action = OperatorAction::close;
    // close: which tunnels. Without a value for `all`.
    TunnelField target = TunnelField::id;
    std::string value;
    // pause and resume. Both are empty for all.
    std::string vhost;
    std::string backend;
    // close
    std::uint16_t code = 1000;
    std::string reason;
    DurationUs spread = 0;

    std::string token;
    // A sentence that names the field and what it takes. Empty: nothing is wrong.
    std::string error;

    static constexpr std::size_t kMostReason = 123;  // bytes (RFC 6455 5.5)
    static constexpr DurationUs kMostSpread = 24 * 3600 * kSecond;
};

ActionRequest parse_action_request(std::string_view form);

// "close tag=alice code=1000 spread=30s", for the log. Not the reason, which is a text.
std::string text_of(const ActionRequest& request);

}  // namespace wsp
