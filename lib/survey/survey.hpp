// Asks all loops of all child processes something: what their tunnels have not reported so far, a row for each tunnel,
// or to end some of them. Children of older generations, which only drain, are asked as well.
//
// Any thread that may wait: each function blocks until all child processes with tunnels have answered, or for
// `patience`. One question is under way at a time on the whole server, so a function may wait as long for its turn.
// Units: microseconds. May throw bad_alloc; whoever asks next is not held up by that, nor by a process that is killed
// while it asks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "metrics/tunnel_field.hpp"
#include "metrics/tunnel_row.hpp"

namespace wsp {

class SurveyPage;
struct SurveyQuestion;

// How far an answer can be trusted.
struct SurveyOutcome {
    // False: nobody was asked. There is no shared memory for it, or others asked for as long as `patience`.
    bool asked = false;
    // Child processes that did not answer in time: what they know is missing.
    std::size_t silent = 0;
};

struct RowsAnswer : SurveyOutcome {
    std::vector<TunnelRow> rows;  // each tunnel once; in no order
    std::size_t left_out = 0;     // rows that there was no room for
};

// Which tunnels. The text must be equal to the field of the row, or name it (metrics/series_names.hpp); `all` needs
// none.
struct Match {
    using Field = TunnelField;
    static constexpr std::size_t kMostText = 1023;  // bytes; a longer text matches nothing
    Field field = Field::id;
    std::string text;
};

struct CloseOrder {
    static constexpr std::size_t kMostReason = 123;  // bytes (RFC 6455 5.5); what is longer is cut
    std::uint16_t code = 1000;                       // of the Close that both sides get
    std::string reason;                              // the same; UTF-8, may be empty
    DurationUs spread = 0;  // each tunnel ends at a random moment between now and so much later
};

struct CloseAnswer : SurveyOutcome {
    // Tunnels that end now, or within `spread`. Those whose client had no 101 yet when the order was given also end, but
    // may be missing in this number.
    std::size_t matched = 0;
};

// Tunnels on their way from one process to another (tunnel_move.hpp). Any thread; nothing blocks.
class TunnelsUnderWay {
  public:
    virtual ~TunnelsUnderWay() = default;
    // Whether some were sent that nobody has received yet.
    virtual bool are_any() const noexcept = 0;
    // No more than so many. Called only when there are any.
    virtual std::uint64_t most() const noexcept = 0;
};

class Survey {
  public:
    // Reasonable for a person who waits.
    static constexpr DurationUs kPatience = kSecond;

    // `page` is null where there is no shared memory, `under_way` where tunnels do not move. Both outlive the survey.
    explicit Survey(SurveyPage* page, const TunnelsUnderWay* under_way = nullptr) noexcept
        : page_(page), under_way_(under_way) {}

    // All tunnels report to their observers what they have not reported so far (TunnelObserver::on_survey).
    SurveyOutcome flush(DurationUs patience = kPatience);
    // The same, and returns a row for each tunnel.
    RowsAnswer rows(DurationUs patience = kPatience);
    // Ends the tunnels that match, with EndReason::closed_by_operator. Also those that match and are under way when the
    // order is given: between their 101 and their pump, or between two processes. Not those whose handshake begins
    // later.
    CloseAnswer close(const Match& match, const CloseOrder& order, DurationUs patience = kPatience);

  private:
    class Asking;
    SurveyPage* page_;
    const TunnelsUnderWay* under_way_;
};

}  // namespace wsp
