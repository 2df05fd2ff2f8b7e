// A linked list. The links are members of the entries.
#include "tunnel/loop_list.hpp"

#include "tunnel/survey_respondent.hpp"

namespace wsp {

LoopList::Entry::Entry(LoopList& list, TunnelLoop& loop) : list_(list), loop_(loop) {
    const std::lock_guard<std::mutex> lock(list_.mutex_);
    next_ = list_.first_;
    link_ = &list_.first_;
    list_.first_ = this;
    if (next_ != nullptr) {
        next_->link_ = &next_;
    }
    if (list_.plan_) {
        loop_.close_all(*list_.plan_);
    } else if (list_.moves_) {
        loop_.move_all(*list_.moves_);
    }
}

LoopList::Entry::~Entry() {
    {
        const std::lock_guard<std::mutex> lock(list_.mutex_);
        *link_ = next_;
        if (next_ != nullptr) {
            next_->link_ = link_;
        }
    }
    loop_.end_answering();
}

void LoopList::close_all(const ClosePlan& plan) noexcept {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!plan_ || plan.abort_at < plan_->abort_at) {
        plan_ = plan;
    }
    for (Entry* entry = first_; entry != nullptr; entry = entry->next_) {
        entry->loop_.close_all(plan);
    }
}

void LoopList::move_all(const MovePlan& plan) noexcept {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!moves_) {
        moves_ = plan;
    }
    for (Entry* entry = first_; entry != nullptr; entry = entry->next_) {
        entry->loop_.move_all(plan);
    }
}

void LoopList::ask(SurveyRespondent& respondent) noexcept {
    const std::lock_guard<std::mutex> lock(mutex_);
    const SurveyPage::Number number = respondent.page().number();
    if (!respondent.begin(number)) {
        return;
    }
    for (Entry* entry = first_; entry != nullptr; entry = entry->next_) {
        respondent.count_loop();  // first: it may answer at once
        if (!entry->loop_.ask(number)) {
            respondent.finish(number);
        }
    }
    respondent.finish(number);
}

void LoopList::check_groups() noexcept {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (Entry* entry = first_; entry != nullptr; entry = entry->next_) {
        entry->loop_.check_groups();
    }
}

}  // namespace wsp
