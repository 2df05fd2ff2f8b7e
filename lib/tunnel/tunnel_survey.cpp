// What a tunnel tells a survey, and how an operator's order ends it.
#include <algorithm>
#include <new>

#include "metrics/series_names.hpp"
#include "tunnel/tunnel.hpp"

namespace wsp {

void Tunnel::end_at(MonotonicUs at, std::uint16_t code, std::string_view text) noexcept {
    if (at >= end_at_ || ended_by_us_) {
        return;
    }
    std::unique_ptr<OwnClose> own(new (std::nothrow) OwnClose);
    if (own) {
        own->code_ = code;
        own->reason_ = CloseReason(text);
    }
    own_close_ = std::move(own);
    end_at(at, EndReason::closed_by_operator);
}

std::size_t Tunnel::held_bytes() const noexcept {
    return from(Side::client).held_bytes() + from(Side::backend).held_bytes();
}

void Tunnel::report_to_survey() noexcept {
    report_traffic();
    if (observer_) {
        observer_->on_survey(held_bytes());
    }
}

bool Tunnel::matches(const SurveyQuestion& order) const noexcept {
    TunnelDescription mine;
    if (observer_) {
        observer_->describe(mine);
    }
    switch (order.field) {
        case Match::Field::id:
            return mine.id == order.match_text();
        case Match::Field::client:
            return mine.client == order.match_text();
        case Match::Field::vhost:
            return names_vhost(order.match_text(), mine.vhost);
        case Match::Field::backend:
            return names_backend(order.match_text(), mine.backend);
        case Match::Field::tag:
            return mine.tag == order.match_text();
        case Match::Field::all:
            return true;
    }
    return false;
}

SurveyNumbers Tunnel::describe(TunnelDescription& texts, MonotonicUs now) const noexcept {
    if (observer_) {
        observer_->describe(texts);
    }
    const TunnelReport known = report(now);
    SurveyNumbers numbers;
    numbers.age = known.duration;
    numbers.idle = std::max<DurationUs>(0, now - std::max(started_, last_byte()));
    numbers.rtt = known.client_rtt;
    numbers.messages_in = known.client.messages;
    numbers.messages_out = known.backend.messages;
    numbers.bytes_in = known.client.wire_bytes_read;
    numbers.bytes_out = known.client.wire_bytes_written;
    numbers.held = held_bytes();
    numbers.is_closing = closing_since_ != kNever ? 1 : 0;
    numbers.tls = texts.tls ? 1 : 0;
    return numbers;
}

}  // namespace wsp
