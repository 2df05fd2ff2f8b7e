// The StatusSource of a child process: the statistics of the whole server, and the rows that all loops of all processes
// give.
#pragma once

#include "statistics/statistics.hpp"
#include "status/status_source.hpp"

namespace wsp {

class LiveStatus final : public StatusSource {
  public:
    // Both must outlive it.
    LiveStatus(Survey& survey, const Statistics& statistics)
        : survey_(survey), statistics_(statistics) {}

    SurveyOutcome flush() override { return survey_.flush(); }
    RowsAnswer rows() override { return survey_.rows(); }
    ServerSnapshot snapshot() override { return statistics_.read(); }
    CloseAnswer close(const Match& match, const CloseOrder& order) override {
        return survey_.close(match, order);
    }
    PauseTable* pauses() override { return statistics_.pauses(); }

  private:
    Survey& survey_;
    const Statistics& statistics_;
};

}  // namespace wsp
