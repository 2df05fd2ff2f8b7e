// The loops of this process. A command for all tunnels is given here, to all loops at once. A plan to close all also
// reaches the loops that are added later.
//
// Any thread; one mutex. tunnel_loop.hpp says what applies to signals. Nothing here allocates.
#pragma once

#include <mutex>
#include <optional>

#include "tunnel/close_plan.hpp"
#include "tunnel/tunnel_loop.hpp"

namespace wsp {

class SurveyRespondent;

class LoopList {
  public:
    // A loop is in the list for as long as its entry lives: before it has tunnels, so that no question passes it by. The
    // loop and the list must outlive the entry.
    class Entry {
      public:
        Entry(LoopList& list, TunnelLoop& loop);
        ~Entry();
        Entry(const Entry&) = delete;
        Entry& operator=(const Entry&) = delete;

      private:
        friend class LoopList;
        LoopList& list_;
        TunnelLoop& loop_;
        Entry* next_ = nullptr;
        Entry** link_ = nullptr;  // the pointer that points to this entry
    };

    // The same as the functions of TunnelLoop, for all loops.
    void close_all(const ClosePlan& plan) noexcept;
    void check_groups() noexcept;
    // Also reaches the loops that are added later.
    void move_all(const MovePlan& plan) noexcept;
    // Passes the last question of the survey on, if `respondent` has not heard it yet. Loops that are added later look
    // at it themselves when a tunnel arrives.
    void ask(SurveyRespondent& respondent) noexcept;

  private:
    std::mutex mutex_;
    Entry* first_ = nullptr;
    std::optional<ClosePlan> plan_;
    std::optional<MovePlan> moves_;
};

}  // namespace wsp
