// Counts child processes in httpd's scoreboard. The parent keeps it up to date.
#include "child/slot_watch.hpp"

#include <unistd.h>

#include <algorithm>

#include "httpd/mpm_query.hpp"

namespace wsp {
namespace {

constexpr DurationUs kBetweenLooks = 1 * kSecond;
// While the parent reads its configuration it starts no child, and does not notice that one has ended.
constexpr DurationUs kPatience = 5 * kSecond;

struct Census {
    // Children of older generations, and those that have stopped serving.
    int leaving = 0;
    int serving = 0;
    // Children of this child's generation, which all leave.
    int of_mine = 0;
    bool restarted = false;
    // This child has the lowest slot of its generation.
    bool first_of_mine = false;
};

const process_score* slot(int number) {
    const process_score* const score = ap_get_scoreboard_process(number);
    return score != nullptr && score->pid != 0 ? score : nullptr;
}

const process_score* own_slot(int count) {
    for (int i = 0; i < count; ++i) {
        const process_score* const score = slot(i);
        if (score != nullptr && score->pid == getpid()) {
            return score;
        }
    }
    return nullptr;
}

Census take_census(int count) {
    Census census;
    const process_score* const mine = own_slot(count);
    const ap_generation_t running = ap_get_scoreboard_global()->running_generation;
    if (mine == nullptr || mine->generation == running) {
        return census;
    }
    census.restarted = true;
    for (int i = 0; i < count; ++i) {
        const process_score* const score = slot(i);
        if (score == nullptr) {
            continue;
        }
        const bool leaves = score->generation != running || score->quiescing;
        ++(leaves ? census.leaving : census.serving);
        if (score->generation == mine->generation) {
            census.first_of_mine = census.first_of_mine || (census.of_mine == 0 && score == mine);
            ++census.of_mine;
        }
    }
    return census;
}

void report(const Census& census, int count) {
    // The running generation may grow as large as the last one, and the next generation needs as many slots again.
    const int needed = std::max({census.serving, census.of_mine, 1});
    if (count - census.leaving >= 2 * needed) {
        ap_log_error(APLOG_MARK, APLOG_INFO, 0, ap_server_conf,
                     "WSP0027: %d of %d process slots are held by children that drain",
                     census.leaving, count);
        return;
    }
    ap_log_error(
        APLOG_MARK, APLOG_WARNING, 0, ap_server_conf,
        "WSP0027: %d of %d process slots are held by children that drain: after another graceful "
        "restart there may be too few for children that serve. \"%s %d\", or a shorter "
        "ProxyWebsocketDrainTimeout, avoids it%s",
        census.leaving, count, is_threaded_mpm() ? "ServerLimit" : "MaxRequestWorkers", 2 * count,
        is_threaded_mpm() ? "; ServerLimit changes when httpd is stopped and started"
                          : " (and ServerLimit as large)");
}

}  // namespace

void SlotWatch::look(MonotonicUs now) {
    if (is_over_ || now < next_look_) {
        return;
    }
    next_look_ = now + kBetweenLooks;
    const int count = process_slots();
    const Census census = take_census(count);
    if (!census.restarted) {
        return;  // this child is one too many, or has reached MaxConnectionsPerChild
    }
    if (restarted_ == kNever) {
        restarted_ = now;  // children without tunnels are just about to end
        return;
    }
    if (census.serving == 0 && now < restarted_ + kPatience) {
        return;
    }
    is_over_ = true;
    if (census.first_of_mine) {
        report(census, count);
    }
}

}  // namespace wsp
