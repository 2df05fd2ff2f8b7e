// Counts the loops that still have to answer.
#include "tunnel/survey_respondent.hpp"

#include "tunnel/loop_list.hpp"

namespace wsp {

void SurveyRespondent::join(pid_t process) noexcept {
    row_.store(page_.join(process));
    hear();  // what was asked before is answered as well: whoever asked may wait for this process now
}

void SurveyRespondent::leave(pid_t process) noexcept {
    if (row_.exchange(-1) >= 0) {
        page_.forget(process);
    }
}

void SurveyRespondent::hear() noexcept {
    if (page_.number() != heard_.load()) {
        loops_.ask(*this);
    }
}

bool SurveyRespondent::begin(SurveyPage::Number number) noexcept {
    if (heard_.exchange(number) == number) {
        return false;
    }
    pending_.store(std::uint64_t{number} << 32 | 1);
    return true;
}

void SurveyRespondent::finish(SurveyPage::Number number) noexcept {
    std::uint64_t pending = pending_.load();
    do {
        if (pending >> 32 != number || static_cast<std::uint32_t>(pending) == 0) {
            return;  // there is a newer question already
        }
    } while (!pending_.compare_exchange_weak(pending, pending - 1));
    const int row = row_.load();
    if (static_cast<std::uint32_t>(pending) == 1 && row >= 0) {
        page_.mark_answered(row, number);
    }
}

SurveyRespondent::Receiving::Receiving(SurveyRespondent* survey) noexcept {
    if (survey != nullptr && (row_ = survey->row_.load()) >= 0) {
        page_ = &survey->page_;
        page_->begin_receiving(row_);
    }
}

SurveyRespondent::Receiving::~Receiving() {
    if (page_ != nullptr) {
        page_->end_receiving(row_);
    }
}

void SurveyRespondent::Receiving::note_tunnel() const noexcept {
    if (page_ != nullptr) {
        page_->note_received();
    }
}

}  // namespace wsp
