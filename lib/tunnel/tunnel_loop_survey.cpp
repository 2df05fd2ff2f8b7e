// How a loop answers surveys (survey.hpp): once for each tunnel, a slice of them in each round, so that nobody's bytes
// wait for a long list. A tunnel remembers the last question that was answered for it, wherever it goes, so it is
// listed once.
#include <unistd.h>

#include <algorithm>

#include "tunnel/survey_respondent.hpp"
#include "tunnel/tunnel_loop.hpp"

namespace wsp {
namespace {

// How many tunnels answer before those that have bytes have their turn.
constexpr int kSlice = 200;
// How often a loop looks that nothing wakes. Whoever asks waits longer (Survey::kPatience).
constexpr DurationUs kLookInterval = 250 * kMillisecond;

}  // namespace

// --- any thread -------------------------------------------------------------------------------

bool TunnelLoop::ask(SurveyPage::Number number) noexcept {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (survey_ == nullptr || has_ended()) {
            return false;
        }
        asked_.store(number);
    }
    wake();
    return true;
}

void TunnelLoop::end_answering() noexcept {
    const SurveyPage::Number waiting = asked_.exchange(0);
    if (survey_ != nullptr && waiting != 0) {
        survey_->finish(waiting);
    }
}

// --- the loop's thread ------------------------------------------------------------------------

void TunnelLoop::set_survey(SurveyRespondent& survey, bool looks) noexcept {
    survey_ = &survey;
    look_at_ = looks ? 0 : kNever;
    process_ = ::getpid();
}

void TunnelLoop::note_listener() const noexcept {
    if (survey_ != nullptr) {
        survey_->note_listener();
    }
}

void TunnelLoop::begin_answering() noexcept {
    SurveyQuestion question;
    if (!survey_->page().read(question)) {
        return;  // it changes just now; whoever changes it wakes everybody again
    }
    if (question.number != question_.number) {
        rows_.begin(survey_->page(), question.number);
    }
    question_ = question;
    answering_ = true;
    lag_.tell();
    answer_place_ = tunnels_.size();
}

// A question that nobody has told this loop about yet.
void TunnelLoop::look_for_question(MonotonicUs now) noexcept {
    if (look_at_ <= now) {
        look_at_ = now + kLookInterval;
        survey_->hear();
    }
    if (survey_ != nullptr && survey_->page().number() != question_.number) {
        begin_answering();
    }
}

// Goes backwards through the tunnels, because the last one takes the place of one that has left. Those that arrive
// meanwhile answer when they are taken in.
void TunnelLoop::answer_some(MonotonicUs now) noexcept {
    if (look_at_ <= now) {
        look_for_question(now);
    }
    if (!answering_) {
        return;
    }
    int left = kSlice;
    std::size_t& at = answer_place_;
    for (at = std::min(at, tunnels_.size()); at > 0 && left > 0; --at) {
        left -= answer_for(*tunnels_[at - 1], now);
    }
    if (at > 0) {
        return;
    }
    answering_ = false;
    SurveyPage::Number waiting = question_.number;
    if (asked_.compare_exchange_strong(waiting, 0)) {
        survey_->finish(question_.number);
    }
}

// For a tunnel that was taken in, or is about to leave.
void TunnelLoop::catch_up_with_survey(Tunnel& tunnel, MonotonicUs now) noexcept {
    if (survey_ != nullptr && !tunnel.done() && tunnel.surveyed() != survey_->page().number()) {
        look_for_question(now);
        answer_for(tunnel, now);
    }
}

// Returns true when it was not answered before. The tunnel may be done afterwards, and is then retired.
bool TunnelLoop::answer_for(Tunnel& tunnel, MonotonicUs now) noexcept {
    const SurveyPage::Number seen = tunnel.surveyed();
    if (seen == question_.number) {
        return false;
    }
    SurveyPage& page = survey_->page();
    tunnel.set_surveyed(question_.number);
    SurveyQuestion missed;
    for (SurveyPage::Number before = question_.number; page.read_order(before, seen, missed);
         before = missed.number) {
        follow_order(tunnel, missed, now);
    }
    if (question_.kind == SurveyQuestion::Kind::close) {
        follow_order(tunnel, question_, now);
    } else if (!tunnel.done() && page.is_open(question_.number)) {
        tunnel.report_to_survey();
        if (question_.kind == SurveyQuestion::Kind::rows) {
            write_row(tunnel, now);
        }
    }
    return true;
}

void TunnelLoop::follow_order(Tunnel& tunnel, const SurveyQuestion& order,
                              MonotonicUs now) noexcept {
    if (tunnel.done() || !tunnel.matches(order)) {
        return;
    }
    survey_->page().add_matched(order.number, 1);
    ClosePlan plan;
    plan.first = order.first;
    plan.last = order.last;
    tunnel.end_at(plan.last <= now ? now : plan.moment(random(), now), order.code,
                  order.reason.text());
    if (plan.last <= now) {
        tunnel.on_timer(now);
    }
    after_work(tunnel, now);
}

void TunnelLoop::write_row(Tunnel& tunnel, MonotonicUs now) noexcept {
    TunnelDescription texts;
    SurveyNumbers numbers = tunnel.describe(texts, now);
    numbers.child = process_;
    numbers.is_blocking = mode() == TunnelRow::Mode::blocking ? 1 : 0;
    if (!rows_.put(numbers, texts)) {
        survey_->page().add_left_out(question_.number);
    }
}

}  // namespace wsp
