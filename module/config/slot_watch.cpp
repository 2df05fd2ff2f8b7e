// Counts in httpd's scoreboard, which the parent keeps.
#include "config/slot_watch.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "httpd/mpm_query.hpp"

namespace wsp {
namespace {

constexpr DurationUs kBetweenLooks = 1 * kSecond;
// While the parent reads its configuration it notices no child's end, and makes none.
constexpr DurationUs kPatience = 5 * kSecond;

struct Census {
    int leaving = 0;  // older generations, and whoever has stopped serving
    int serving = 0;
    int of_mine = 0;  // leaving, and of this child's generation
    bool restarted = false;
    bool first_of_mine = false;  // this child has the lowest slot of those
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
    // Room for this generation to become as large as the last one, and for one more like it.
    const int needed = std::max({census.serving, census.of_mine, 1});
    if (count - census.leaving >= 2 * needed) {
        ap_log_error(APLOG_MARK, APLOG_INFO, 0, ap_server_conf,
                     "WSP0027: %d of %d process slots are held by children that drain",
                     census.leaving, count);
        return;
    }
    ap_log_error(
        APLOG_MARK, APLOG_WARNING, 0, ap_server_conf,
        "WSP0027: %d of %d process slots are held by children that drain: another graceful "
        "restart may leave too few to serve with. \"%s %d\", or a shorter "
        "ProxyWebsocketDrainTimeout, avoids it%s",
        census.leaving, count, is_threaded_mpm() ? "ServerLimit" : "MaxRequestWorkers", 2 * count,
        is_threaded_mpm() ? "; ServerLimit changes when httpd is stopped and started"
                          : " (and ServerLimit as large)");
}

}  // namespace

int process_slots() {
    if (std::strcmp(ap_show_mpm(), "worker") == 0) {
        return 0;
    }
    return mpm_setting(is_threaded_mpm() ? AP_MPMQ_HARD_LIMIT_DAEMONS : AP_MPMQ_MAX_DAEMONS);
}

void SlotWatch::look(MonotonicUs now) {
    if (is_over_ || now < next_look_) {
        return;
    }
    next_look_ = now + kBetweenLooks;
    const int count = process_slots();
    const Census census = take_census(count);
    if (!census.restarted) {
        return;  // a spare child, or one with MaxConnectionsPerChild behind it
    }
    if (restarted_ == kNever) {
        restarted_ = now;  // children that have nothing to drain are on their way out
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
