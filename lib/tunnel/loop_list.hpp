// The loops of this process: who has a command for all tunnels gives it here. What holds for later tunnels as well reaches
// the loops that come later.
//
// Any thread; one mutex, with the rules of tunnel_loop.hpp about signals. Nothing allocates.
#pragma once

#include <mutex>
#include <optional>

#include "tunnel/close_plan.hpp"
#include "tunnel/tunnel_loop.hpp"

namespace wsp {

class LoopList {
  public:
    // A loop is listed for as long as its entry lives; the loop and the list live longer.
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
        Entry** link_ = nullptr;  // what points at this one
    };

    // As TunnelLoop's.
    void close_all(const ClosePlan& plan) noexcept;
    void check_groups() noexcept;

  private:
    std::mutex mutex_;
    Entry* first_ = nullptr;
    std::optional<ClosePlan> plan_;
};

}  // namespace wsp
