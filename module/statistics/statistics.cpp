// The memory and its tables.
#include "statistics/statistics.hpp"

#include <unistd.h>

#include <utility>

#include "base/fnv1a.hpp"
#include "base/signal_safe_lock.hpp"
#include "config/config.h"
#include "httpd/kept_memory.hpp"
#include "httpd/series_labels.hpp"
#include "pool/pool_statistics.hpp"
#include "tunnel/report.hpp"

namespace wsp {
namespace {

static_assert(std::size(rows_of<EndReason>()) <= row_of(Metric::ended).cells);
constexpr auto kGone = static_cast<std::size_t>(EndReason::process_gone);

wsp_server_config& config_of(const server_rec* server) {
    return *static_cast<wsp_server_config*>(
        ap_get_module_config(server->module_config, &proxy_websocket_module));
}

// Null: nothing is counted.
StatisticsPage* page_of(const server_rec* main_server) {
    return static_cast<StatisticsPage*>(config_of(main_server).statistics);
}

std::uint64_t layout(std::uint64_t names) {
    Fnv1a hash(names);
    for (const auto& row : rows_of<EndReason>()) {
        hash.text(row.name);
    }
    for (const auto& row : rows_of<PoolEvent>()) {
        hash.text(row.name);
    }
    for (const std::string_view name : kConnectionStateNames) {
        hash.text(name);
    }
    return StatisticsPage::layout(hash.value());
}

// The number is PauseTable::kLayout.
constexpr char kPausesKey[] = "mod_proxy_websocket:pauses:1";
static_assert(PauseTable::kLayout == 1);

std::int64_t seconds_now() {
    return apr_time_sec(apr_time_now());
}

}  // namespace

// --- the parent process ---------------------------------------------------------------------------

void prepare_statistics(server_rec* main_server, std::uint64_t names) {
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG) {
        return;  // httpd reads its configuration twice when it starts
    }
    char key[64];
    apr_snprintf(key, sizeof key, "mod_proxy_websocket:statistics:%" APR_UINT64_T_HEX_FMT,
                 apr_uint64_t{layout(names)});
    apr_status_t error = APR_SUCCESS;
    void* const memory = make_kept_memory(main_server, key, sizeof(StatisticsPage), error);
    config_of(main_server).statistics = memory;
    if (memory == nullptr) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, error, main_server,
                     "WSP0190: nothing is counted: the system has no %" APR_SIZE_T_FMT
                     " MiB of shared memory (address space, most of which is never used); look at "
                     "the limits of memory (ulimit -v, vm.overcommit_memory)",
                     sizeof(StatisticsPage) >> 20);
        return;
    }
    StatisticsPage::in(memory).begin(seconds_now());
}

void prepare_pauses(server_rec* main_server) {
    if (ap_state_query(AP_SQ_MAIN_STATE) != AP_SQ_MS_CREATE_PRE_CONFIG) {
        apr_status_t error = APR_SUCCESS;
        make_kept_memory(main_server, kPausesKey, sizeof(PauseTable), error);
    }
}

void fold_statistics_of(const server_rec* main_server, pid_t child) {
    if (StatisticsPage* const page = page_of(main_server)) {
        page->fold(child, kGone, monotonic_now());
    }
}

void settle_statistics(const server_rec* main_server, bool none_under_way) {
    if (StatisticsPage* const page = page_of(main_server)) {
        page->settle_moves(none_under_way, kGone, monotonic_now());
    }
}

// --- a child process ------------------------------------------------------------------------------

Statistics::Statistics(const server_rec* main_server)
    : page_(page_of(main_server)),
      pauses_(static_cast<PauseTable*>(kept_memory(main_server, kPausesKey))) {
    if (page_ != nullptr) {
        server_ = page_->counters(::getpid(), StatisticsPage::kServer);
    }
}

Series& Statistics::of(const server_rec* server, const proxy_worker* worker) {
    return labelled(server, *worker);
}

Series& Statistics::of(const server_rec* server, const proxy_balancer& balancer) {
    return labelled(server, balancer);
}

template <class Backend>
Series& Statistics::labelled(const server_rec* server, const Backend& backend) {
    const SignalSafeLock lock(mutex_);
    Series*& known = known_[{server, &backend}];
    if (known == nullptr) {
        const std::string vhost = label_of(*server);
        const std::string label = label_of(backend);
        const auto place = static_cast<SeriesCounters::Id>(known_.size());
        known = &find(page_ != nullptr ? page_->series(vhost, label) : place);
        if (page_ == nullptr) {
            known->labels = {vhost, label};
        }
    }
    return *known;
}

Series& Statistics::by_id(SeriesCounters::Id id) {
    const SignalSafeLock lock(mutex_);
    return find(id);
}

Series& Statistics::find(SeriesCounters::Id id) {
    const auto [found, is_new] = series_.try_emplace(id);
    Series& series = found->second;
    if (!is_new || page_ == nullptr) {
        return series;
    }
    series.counters = page_->counters(::getpid(), id);
    series.labels = page_->labels(series.counters.id());
    const bool is_full =
        series.counters.id() == StatisticsPage::kOther || !series.counters.is_own();
    if (is_full && !std::exchange(has_said_full_, true)) {
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, ap_server_conf,
                     "WSP0191: there are more pairs of virtual host and backend, or more child "
                     "processes, than statistics have room for: some are counted as \"%s\", or "
                     "without gauges",
                     StatisticsPage::kOtherLabel.data());
    }
    return series;
}

ServerSnapshot Statistics::read() const {
    ServerSnapshot snapshot =
        page_ != nullptr ? page_->read(monotonic_now(), seconds_now()) : ServerSnapshot();
    for (SeriesSnapshot& series : snapshot.series) {
        series.paused = pauses_ != nullptr && pauses_->is_paused(series.vhost, series.backend);
    }
    return snapshot;
}

}  // namespace wsp
