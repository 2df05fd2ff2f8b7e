// Tunnels that are on the channel between two child processes, for those who ask all tunnels. Any thread of a child.
#pragma once

#include "moving/kept_for_moves.hpp"
#include "survey/survey.hpp"

namespace wsp {

class TunnelsOnChannel final : public TunnelsUnderWay {
  public:
    // `kept` may be null: tunnels do not move.
    explicit TunnelsOnChannel(const KeptForMoves* kept) : kept_(kept) {}

    bool are_any() const noexcept override;
    std::uint64_t most() const noexcept override { return kept_->page->under_way(); }

  private:
    const KeptForMoves* kept_;
};

}  // namespace wsp
