// Orders the addresses, runs lib's race, keeps the winner and logs the losers.
#include "upstream/address_race.hpp"

#include <algorithm>
#include <cerrno>
#include <vector>

#include "net/connect_hint.hpp"
#include "upstream/backend_socket.hpp"
#include "upstream/worker_parameters.hpp"

namespace wsp {
namespace {

// The addresses in the order of the race. Both vectors have the same order.
struct Runners {
    std::vector<apr_sockaddr_t*> places;
    std::vector<ConnectAddress> addresses;
};

Runners runners_of(const Backend& backend, apr_sockaddr_t* list) {
    std::vector<ConnectAddress> resolved;
    std::vector<apr_sockaddr_t*> places;
    for (apr_sockaddr_t* address = list; address != nullptr; address = address->next) {
        resolved.push_back(address_of(*address));
        places.push_back(address);
    }
    ConnectAddress good;
    const bool has_good = backend.good_address(good);
    Runners runners;
    for (const std::size_t index : race_order(resolved, has_good ? &good : nullptr)) {
        runners.addresses.push_back(resolved[index]);
        runners.places.push_back(places[index]);
    }
    return runners;
}

// The lines of one race.
class RaceLog {
  public:
    RaceLog(Backend& backend, const proxy_conn_rec& record, request_rec* r)
        : backend_(backend), record_(record), r_(r) {}

    void log(const Runners& runners, const RaceResult& result) const {
        if (result.fd.valid()) {
            log_line(runners.places[result.winner], APLOG_DEBUG, 0,
                     "WSP0137: connection established with %pI (%s:%hu)");
        }
        // When the only address fails, mod_proxy tries it once more and logs that (connect_with_mod_proxy.cpp).
        const bool mod_proxy_logs_it = runners.addresses.size() == 1 && !result.faults.empty();
        const bool is_error = r_ != nullptr && !result.fd.valid() && !mod_proxy_logs_it;
        const int level = is_error ? APLOG_ERR : APLOG_DEBUG;
        std::vector<bool> has_fault(runners.addresses.size());
        for (const AttemptFault& fault : result.faults) {
            log_attempt(runners.places[fault.index], level, fault.error);
            has_fault[fault.index] = true;
        }
        for (std::size_t i = 0; result.timed_out && i < has_fault.size(); ++i) {
            if (!has_fault[i]) {
                log_attempt(runners.places[i], level, APR_TIMEUP);
            }
        }
    }

  private:
    void log_attempt(const apr_sockaddr_t* address, int level, apr_status_t status) const {
        log_line(address, level, status, "WSP0108: attempt to connect to %pI (%s:%hu) failed");
    }

    // A line about a request is the request's, so that the LogLevel of its <Location> counts.
    void log_line(const apr_sockaddr_t* address, int level, apr_status_t status,
                  const char* format) const {
        char line[512];
        apr_snprintf(line, sizeof line, format, address, record_.hostname, record_.port);
        if (r_ != nullptr && level == APLOG_ERR) {
            warn(r_, backend_.warnings().of("WSP0108"), line, {level, status});
        } else if (r_ != nullptr) {
            ap_log_rerror(APLOG_MARK, level, status, r_, "%s", line);
        } else {
            ap_log_error(APLOG_MARK, level, status, backend_.server(), "%s", line);
        }
    }

    Backend& backend_;
    const proxy_conn_rec& record_;
    request_rec* r_;
};

// The errno that tells most about why the race was lost.
int error_of(const RaceResult& result) {
    int error = 0;
    for (const AttemptFault& fault : result.faults) {
        error = more_telling_error(error, fault.error);
    }
    return result.timed_out ? more_telling_error(error, ETIMEDOUT) : error;
}

RaceRules rules_of(Backend& backend, MonotonicUs deadline) {
    const DurationUs patience =
        connect_timeout_of(*backend.worker(), backend.proxy_config(), *backend.server());
    RaceRules rules{};
    rules.deadline = std::min<MonotonicUs>(deadline, monotonic_now() + patience);
    rules.stop_fd = backend.stops().stop;
    rules.prepare = &prepare_socket;
    rules.context = &backend;
    return rules;
}

}  // namespace

ConnectFault race_addresses(Backend& backend, BackendConnection& connection, MonotonicUs deadline,
                            request_rec* r) {
    proxy_conn_rec& record = *connection.record();
    const RaceRules rules = rules_of(backend, deadline);
    Runners runners;
    RaceResult result;
    if (record.uds_path != nullptr) {
        result = race_connect({address_of_path(record.uds_path)}, rules);
    } else {
        runners = runners_of(backend, record.addr);
        result = race_connect(runners.addresses, rules);
        RaceLog(backend, record, r).log(runners, result);
    }
    if (result.fd.valid()) {
        apr_sockaddr_t* winner = nullptr;
        if (record.uds_path == nullptr) {
            winner = runners.places[result.winner];
            record.addr = winner;
            backend.note_good_address(runners.addresses[result.winner]);
        }
        adopt_socket(backend, record, std::move(result.fd), winner);
        return ConnectFault::none;
    }
    if (result.stopped) {
        return ConnectFault::stopped;
    }
    connection.note_connect_error(error_of(result));
    return result.timed_out || result.faults.empty() ? ConnectFault::timed_out
                                                     : fault_of_errno(result.faults.back().error);
}

}  // namespace wsp
