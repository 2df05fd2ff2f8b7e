// The StatusSource of a child process: the statistics of the whole server, and the rows that all loops of all processes give.
#pragma once

#include "status/status_source.hpp"

namespace wsp {

class LiveStatus final : public StatusSource {
  public:
    // `survey` must outlive it.
    explicit LiveStatus(Survey& survey) : survey_(survey) {}

    SurveyOutcome flush() override { return survey_.flush(); }
    RowsAnswer rows() override { return survey_.rows(); }
    ServerSnapshot snapshot() override;

  private:
    Survey& survey_;
};

}  // namespace wsp
