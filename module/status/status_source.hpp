// Where the status page has its numbers and rows from, and what carries out its orders. Lives as long as the child
// process; any request thread.
#pragma once

#include "metrics/pause_table.hpp"
#include "metrics/snapshot.hpp"
#include "survey/survey.hpp"

namespace wsp {

class StatusSource {
  public:
    virtual ~StatusSource() = default;
    // Makes all tunnels of the server report what they have not reported yet. May block for Survey::kPatience.
    virtual SurveyOutcome flush() = 0;
    // The same, and their rows.
    virtual RowsAnswer rows() = 0;
    // The statistics of the whole server, as far as they have been reported. Does not block.
    virtual ServerSnapshot snapshot() = 0;
    // Ends tunnels (survey/survey.hpp). May block for Survey::kPatience.
    virtual CloseAnswer close(const Match& match, const CloseOrder& order) = 0;
    // What takes no new tunnels; null where there is no shared memory for it.
    virtual PauseTable* pauses() = 0;
};

}  // namespace wsp
