// A tunnel whose client may have its 101, and that no loop has yet: whoever asks all tunnels waits for it.
#pragma once

#include <utility>

#include "survey/survey_page.hpp"

namespace wsp {

// Made before the 101 is sent. Goes with the tunnel to its loop, and ends when the loop has it, or when there is nothing
// to bring there. One thread at a time; blocks nobody.
class OpeningTunnel {
  public:
    OpeningTunnel() noexcept = default;  // nobody asks
    // `row`: the process's, which may be -1. The page outlives it.
    OpeningTunnel(SurveyPage& page, int row) noexcept : row_(row) {
        if (row_ >= 0) {
            page_ = &page;
            asked_ = page.begin_opening(row_);
        }
    }
    OpeningTunnel(OpeningTunnel&& from) noexcept
        : page_(std::exchange(from.page_, nullptr)), row_(from.row_), asked_(from.asked_) {}
    OpeningTunnel& operator=(OpeningTunnel&&) = delete;
    ~OpeningTunnel() {
        if (page_ != nullptr) {
            page_->end_opening(row_, asked_);
        }
    }

  private:
    SurveyPage* page_ = nullptr;
    int row_ = -1;
    SurveyPage::Number asked_ = 0;
};

}  // namespace wsp
