// The statistics of the whole server, as one process of it sees them. The parent process makes the memory, once for
// each server, and folds what child processes leave behind. A child counts in it. Everybody reads it.
#pragma once

#include <sys/types.h>

#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "httpd/httpd.hpp"
#include "metrics/pause_table.hpp"
#include "metrics/statistics_page.hpp"

namespace wsp {

// --- the parent process; main thread --------------------------------------------------------------

// post_config. `names`: a hash of what cells stand for that this room does not know (handshake/refusal_cells.hpp):
// another version of the module, with other cells, counts anew. Without memory nothing is counted, and the log says so.
void prepare_statistics(server_rec* main_server, std::uint64_t names);

// post_config: the memory in which operators pause tunnels. Without it nothing can be paused, and orders to do so say
// it.
void prepare_pauses(server_rec* main_server);

// child_status: a child process is gone, whatever has ended it. Its tunnels have ended with it.
void fold_statistics_of(const server_rec* main_server, pid_t child);

// monitor: sets right what children that were killed have left in doubt. `none_under_way`: no tunnel is on its way from
// one child to another.
void settle_statistics(const server_rec* main_server, bool none_under_way);

// --- a child process ------------------------------------------------------------------------------

// What one virtual host counts with one backend.
struct Series {
    SeriesCounters counters;
    StatisticsPage::Labels labels;
};

// Made in child_init, before the process has other threads, and never destroyed. Any thread; one mutex guards the
// tables, which nobody needs for a tunnel or a message: whoever counts keeps the reference.
class Statistics {
  public:
    explicit Statistics(const server_rec* main_server);
    Statistics(const Statistics&) = delete;
    Statistics& operator=(const Statistics&) = delete;

    // Two workers with the same labels have one series. May throw bad_alloc.
    Series& of(const server_rec* server, const proxy_worker* worker);
    // What is about a balancer, and none of its members.
    Series& of(const server_rec* server, const proxy_balancer& balancer);
    // Of a tunnel that another process of the same build has counted. May throw bad_alloc.
    Series& by_id(SeriesCounters::Id id);
    // Null: nothing can be paused.
    PauseTable* pauses() const noexcept { return pauses_; }
    // What belongs to no series.
    SeriesCounters of_server() const noexcept { return server_; }

    // The sums over all processes that are or were. What tunnels have not reported so far is missing
    // (survey/survey.hpp). May throw bad_alloc.
    ServerSnapshot read() const;

  private:
    Series& find(SeriesCounters::Id id);
    template <class Backend>
    Series& labelled(const server_rec* server, const Backend& backend);

    StatisticsPage* const page_;  // null: nothing is counted
    PauseTable* const pauses_;
    SeriesCounters server_;
    std::mutex mutex_;
    bool has_said_full_ = false;
    std::map<SeriesCounters::Id, Series> series_;
    // By proxy_worker or proxy_balancer.
    std::map<std::pair<const server_rec*, const void*>, Series*> known_;
};

}  // namespace wsp
