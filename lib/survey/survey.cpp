// Asks, and waits for the answers.
#include "survey/survey.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

#include "survey/survey_page.hpp"

namespace wsp {
namespace {

// How much longer than its patience somebody may keep the turn: for reading the answers.
constexpr DurationUs kLeaseReserve = 2 * kSecond;
constexpr DurationUs kBetweenTries = kMillisecond;
// Loops answer within a few rounds. Those of a child process that has much to do take longer.
constexpr DurationUs kFirstLook = 100;
constexpr DurationUs kMostBetweenLooks = 2 * kMillisecond;

void pause(DurationUs time) {
    std::this_thread::sleep_for(std::chrono::microseconds(time));
}

std::string_view cut_between_characters(std::string_view text) {
    if (text.size() > CloseOrder::kMostReason) {
        std::size_t size = CloseOrder::kMostReason;
        while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) {
            --size;
        }
        text = text.substr(0, size);
    }
    return text;
}

// Everybody who watches the descriptor hears of each write.
void wake(int fd) {
    std::uint64_t one = 1;
    if (::write(fd, &one, sizeof one) < 0 && errno == EAGAIN) {  // it has counted as far as it can
        static_cast<void>(::read(fd, &one, sizeof one));
        one = 1;
        static_cast<void>(::write(fd, &one, sizeof one));
    }
}

}  // namespace

// One question, from the turn to its end.
class Survey::Asking {
  public:
    Asking(const Survey& survey, const SurveyQuestion& question, DurationUs patience)
        : page_(survey.page_), until_(monotonic_now() + patience) {
        if (page_ == nullptr || !take_turn(patience)) {
            return;
        }
        until_ = monotonic_now() + patience;
        number_ = page_->post(question);
        outcome.asked = true;
        wake(page_->wake_fd());
        await([this] { return page_->silent(number_) == 0; });
        outcome.silent = page_->silent(number_);
        // Those that no loop has yet. Each question waits for them, also one that needs no answer of theirs: the next one
        // knows only those that begin from now on.
        await([this] { return !page_->is_any_opening_before(number_); });
    }
    ~Asking() {
        if (outcome.asked) {
            page_->close(number_);
            page_->free_rows(number_);
            page_->end_turn(turn_);
        }
    }
    Asking(const Asking&) = delete;
    Asking& operator=(const Asking&) = delete;

    // Those that were sent before their process has answered are answered for where they arrive.
    void await_tunnels_under_way(const TunnelsUnderWay* under_way) {
        if (under_way == nullptr || !outcome.asked) {
            return;
        }
        if (under_way->are_any()) {
            // Others may follow them for ever, so they are counted. One that was received before `most` was read, and is
            // counted afterwards, is none of them: its loop is still receiving in the next line, or has counted it by
            // the one behind that.
            const std::uint64_t most = under_way->most();
            const std::uint64_t receiving = page_->receiving();
            const std::uint64_t received = page_->received();
            await([&] {
                return !under_way->are_any() || page_->received() - received >= most + receiving;
            });
        }
        await([this] { return page_->receiving() == 0; });
    }

    SurveyPage& page() { return *page_; }
    SurveyQuestion::Number number() const { return number_; }
    SurveyOutcome outcome;

  private:
    bool take_turn(DurationUs patience) {
        for (;;) {
            const MonotonicUs now = monotonic_now();
            turn_ = page_->take_turn(::getpid(), now, now + patience + kLeaseReserve);
            if (turn_ != 0 || now >= until_) {
                return turn_ != 0;
            }
            pause(kBetweenTries);
        }
    }
    template <class Condition>
    void await(Condition holds) {
        DurationUs next = kFirstLook;
        while (!holds() && monotonic_now() < until_) {
            pause(next);
            next = std::min(kMostBetweenLooks, next + next / 2);
            if (next == kMostBetweenLooks) {
                page_->forget_dead();
            }
        }
    }

    SurveyPage* page_;
    MonotonicUs until_;
    SurveyPage::Turn turn_ = 0;
    SurveyQuestion::Number number_ = 0;
};

SurveyOutcome Survey::flush(DurationUs patience) {
    SurveyQuestion question;
    question.kind = SurveyQuestion::Kind::flush;
    return Asking(*this, question, patience).outcome;
}

RowsAnswer Survey::rows(DurationUs patience) {
    SurveyQuestion question;
    question.kind = SurveyQuestion::Kind::rows;
    Asking asking(*this, question, patience);
    asking.await_tunnels_under_way(under_way_);
    RowsAnswer answer{asking.outcome, {}, 0};
    if (answer.asked) {
        asking.page().read_rows(asking.number(), answer.rows);
        answer.left_out = asking.page().left_out(asking.number());
    }
    return answer;
}

CloseAnswer Survey::close(const Match& match, const CloseOrder& order, DurationUs patience) {
    if (match.text.size() > Match::kMostText) {
        return {{true, 0}, 0};
    }
    SurveyQuestion question;
    question.kind = SurveyQuestion::Kind::close;
    question.field = match.field;
    question.text_size = static_cast<std::uint16_t>(match.text.size());
    std::memcpy(question.text.data(), match.text.data(), match.text.size());
    question.code = order.code;
    question.reason = CloseReason(cut_between_characters(order.reason));
    question.first = monotonic_now();
    question.last = question.first + order.spread;
    Asking asking(*this, question, patience);
    asking.await_tunnels_under_way(under_way_);
    CloseAnswer answer{asking.outcome, 0};
    answer.matched = answer.asked ? asking.page().matched(asking.number()) : 0;
    return answer;
}

}  // namespace wsp
