// Our race connects, mod_proxy keeps its books, and says when a single address refuses.
#include "upstream/backend_connect.hpp"

#include <netinet/tcp.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "apr_portable.h"
#include "net/connect_hint.hpp"
#include "upstream/worker_timeout.hpp"

namespace wsp {
namespace {

const proxy_server_conf& proxy_config_of(const server_rec* server) {
    return *static_cast<const proxy_server_conf*>(
        ap_get_module_config(server->module_config, &proxy_module));
}

apr_interval_time_t io_timeout(const WorkerPool& worker_pool) {
    return timeout_of(*worker_pool.worker(), proxy_config_of(worker_pool.server()),
                      *worker_pool.server());
}

apr_interval_time_t connect_timeout(const WorkerPool& worker_pool) {
    const proxy_worker_shared& shared = *worker_pool.worker()->s;
    return shared.conn_timeout_set ? shared.conn_timeout : io_timeout(worker_pool);
}

ConnectAddress address_of(const apr_sockaddr_t& from) {
    ConnectAddress address{};
    address.size = from.salen;
    std::memcpy(&address.address, &from.sa,
                std::min<std::size_t>(from.salen, sizeof address.address));
    return address;
}

ConnectAddress address_of_path(const char* path) {
    ConnectAddress address{};
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    apr_cpystrn(to.sun_path, path, sizeof to.sun_path);
    std::memcpy(&address.address, &to, sizeof to);
    address.size = sizeof to;
    return address;
}

// What mod_proxy sets on its sockets before it connects them (proxy_util.c ap_proxy_connect_backend).
bool prepare(int fd, const ConnectAddress& to, void* context) {
    const WorkerPool& worker_pool = *static_cast<WorkerPool*>(context);
    const proxy_worker_shared& shared = *worker_pool.worker()->s;
    const proxy_server_conf& config = proxy_config_of(worker_pool.server());
    const int on = 1;
    if (to.address.ss_family == AF_UNIX) {
        return true;
    }
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (shared.keepalive) {
        ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    }
    if (shared.recv_buffer_size > 0) {
        const int size = static_cast<int>(shared.recv_buffer_size);
        ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    }
    return !config.source_address_set ||
           ::bind(fd, reinterpret_cast<const sockaddr*>(&config.source_address->sa),
                  config.source_address->salen) == 0;
}

ConnectFault fault_of(int error) {
    switch (error) {
        case ECONNREFUSED:
        case ENOENT:  // a Unix socket that is not there (yet)
            return ConnectFault::refused;
        case ETIMEDOUT:
            return ConnectFault::timed_out;
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
        case EADDRNOTAVAIL:
            return ConnectFault::no_resources;
        default:
            return ConnectFault::unreachable;
    }
}

// The connected socket becomes httpd's.
void adopt_socket(WorkerPool& worker_pool, proxy_conn_rec& record, UniqueFd fd,
                  apr_sockaddr_t* remote) {
    apr_os_sock_t descriptor = fd.release();
    apr_os_sock_info_t info{};
    info.os_sock = &descriptor;
    info.remote = remote != nullptr ? reinterpret_cast<sockaddr*>(&remote->sa) : nullptr;
    info.family = remote != nullptr ? remote->family : APR_UNIX;
    info.type = SOCK_STREAM;
    info.protocol = remote != nullptr ? APR_PROTO_TCP : 0;
    record.connection = nullptr;
    apr_os_sock_make(&record.sock, &info, record.scpool);
    apr_socket_timeout_set(record.sock, io_timeout(worker_pool));
}

// The places of `list` that the race runs for.
struct Runners {
    std::vector<apr_sockaddr_t*> addresses;
    std::vector<ConnectAddress> order;
};

Runners runners_of(const WorkerPool& worker_pool, apr_sockaddr_t* list) {
    std::vector<ConnectAddress> resolved;
    std::vector<apr_sockaddr_t*> places;
    for (apr_sockaddr_t* address = list; address != nullptr; address = address->next) {
        resolved.push_back(address_of(*address));
        places.push_back(address);
    }
    ConnectAddress good;
    const bool has_good = worker_pool.good_address(good);
    Runners runners;
    for (const std::size_t place : race_order(resolved, has_good ? &good : nullptr)) {
        runners.order.push_back(resolved[place]);
        runners.addresses.push_back(places[place]);
    }
    return runners;
}

// A single address that refuses at once: see race_for_request().
bool is_told_by_mod_proxy(const Runners& runners, const RaceResult& result) {
    return runners.order.size() == 1 && !result.faults.empty();
}

// A line about an address of the backend. `r`: null where nobody has asked for the connection. Else its LogLevel counts, which
// may be that of a <Location>.
void log_about(const apr_sockaddr_t* address, WorkerPool& worker_pool, const proxy_conn_rec& record,
               request_rec* r, int level, apr_status_t status, const char* format) {
    char line[512];
    apr_snprintf(line, sizeof line, format, address, record.hostname, record.port);
    if (r != nullptr && level == APLOG_ERR) {
        warn(r, worker_pool.warnings().of("WSP0108"), line, {level, status});
    } else if (r != nullptr) {
        ap_log_rerror(APLOG_MARK, level, status, r, "%s", line);
    } else {
        ap_log_error(APLOG_MARK, level, status, worker_pool.server(), "%s", line);
    }
}

void log_attempt(WorkerPool& worker_pool, const proxy_conn_rec& record,
                 const apr_sockaddr_t* address, request_rec* r, int level, apr_status_t status) {
    log_about(address, worker_pool, record, r, level, status,
              "WSP0108: attempt to connect to %pI (%s:%hu) failed");
}

void log_race(WorkerPool& worker_pool, const proxy_conn_rec& record, const Runners& runners,
              const RaceResult& result, request_rec* r) {
    if (result.fd.valid()) {
        log_about(runners.addresses[result.winner], worker_pool, record, r, APLOG_DEBUG, 0,
                  "WSP0137: connection established with %pI (%s:%hu)");
    }
    const bool is_loud =
        r != nullptr && !result.fd.valid() && !is_told_by_mod_proxy(runners, result);
    const int level = is_loud ? APLOG_ERR : APLOG_DEBUG;
    std::vector<bool> has_fault(runners.order.size());
    for (const AttemptFault& fault : result.faults) {
        log_attempt(worker_pool, record, runners.addresses[fault.index], r, level, fault.error);
        has_fault[fault.index] = true;
    }
    for (std::size_t i = 0; result.timed_out && i < has_fault.size(); ++i) {
        if (!has_fault[i]) {
            log_attempt(worker_pool, record, runners.addresses[i], r, level, APR_TIMEUP);
        }
    }
}

int error_of(const RaceResult& result) {
    int error = 0;
    for (const AttemptFault& fault : result.faults) {
        error = more_telling_error(error, fault.error);
    }
    return result.timed_out ? more_telling_error(error, ETIMEDOUT) : error;
}

ConnectFault race(WorkerPool& worker_pool, BackendConnection& connection, MonotonicUs deadline,
                  request_rec* r) {
    proxy_conn_rec& record = *connection.record();
    RaceRules rules{};
    rules.deadline =
        std::min<MonotonicUs>(deadline, monotonic_now() + connect_timeout(worker_pool));
    rules.stop_fd = worker_pool.stops().stop;
    rules.prepare = &prepare;
    rules.context = &worker_pool;
    Runners runners;
    RaceResult result;
    if (record.uds_path != nullptr) {
        result = race_connect({address_of_path(record.uds_path)}, rules);
    } else {
        runners = runners_of(worker_pool, record.addr);
        result = race_connect(runners.order, rules);
        log_race(worker_pool, record, runners, result, r);
    }
    if (result.fd.valid()) {
        apr_sockaddr_t* const winner =
            record.uds_path == nullptr ? runners.addresses[result.winner] : nullptr;
        if (winner != nullptr) {
            record.addr = winner;
            worker_pool.note_good_address(runners.order[result.winner]);
        }
        adopt_socket(worker_pool, record, std::move(result.fd), winner);
        return ConnectFault::none;
    }
    if (result.stopped) {
        return ConnectFault::stopped;
    }
    connection.note_connect_error(error_of(result));
    return result.timed_out || result.faults.empty() ? ConnectFault::timed_out
                                                     : fault_of(result.faults.back().error);
}

// mod_proxy has connected to the Unix socket in vain, and does not say why: what a second try says, 0 where it works.
int error_of_path(const char* path) {
    const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const ConnectAddress to = address_of_path(path);
    const bool connected =
        fd.valid() &&
        ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to.address), to.size) == 0;
    return connected ? 0 : errno;
}

// As mod_proxy does when none of the addresses answers.
void put_in_error(const WorkerPool& worker_pool, request_rec* r) {
    proxy_worker_shared& shared = *worker_pool.worker()->s;
    if ((shared.status & PROXY_WORKER_IGNORE_ERRORS) == 0) {
        shared.error_time = apr_time_now();
        shared.status |= PROXY_WORKER_IN_ERROR;
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "WSP0109: worker for (%s:%d) is in error for %" APR_TIME_T_FMT
                      " s: none of its addresses can be connected to",
                      shared.hostname_ex, static_cast<int>(shared.port),
                      apr_time_sec(shared.retry));
    }
}

// A field of a worker's shared record, which has no lock.
template <class Field>
void clear_if_set(Field& field) {
    if (__atomic_load_n(&field, __ATOMIC_RELAXED) != 0) {
        __atomic_store_n(&field, Field{}, __ATOMIC_RELAXED);
    }
}

// As mod_proxy does with a connection that works: not when another thread has found the worker wanting meanwhile.
ConnectFault note_success(const WorkerPool& worker_pool) {
    proxy_worker* const worker = worker_pool.worker();
    if (!PROXY_WORKER_IS_USABLE(worker)) {
        return ConnectFault::refused;
    }
    // Every request that connects comes by here, on all threads of all children: mostly there is nothing to write.
    clear_if_set(worker->s->error_time);
    clear_if_set(worker->s->retries);
    return ConnectFault::none;
}

// What the only address has answered at once, mod_proxy may find out again: it says so in words that people look for in logs.
bool is_for_mod_proxy(const proxy_conn_rec& record, ConnectFault fault) {
    return record.addr->next == nullptr && fault != ConnectFault::timed_out &&
           fault != ConnectFault::stopped;
}

// mod_proxy knows connectiontimeout=, but neither the handshake's deadline nor the child's stop: it is not to wait.
ConnectFault race_for_request(WorkerPool& worker_pool, BackendConnection& connection,
                              MonotonicUs deadline, request_rec* r) {
    proxy_conn_rec& record = *connection.record();
    ConnectFault fault = race(worker_pool, connection, deadline, r);
    if (fault == ConnectFault::none || is_for_mod_proxy(record, fault)) {
        return fault;
    }
    if (fault != ConnectFault::stopped && has_moved(record, worker_pool.server())) {
        fault = race(worker_pool, connection, deadline, r);
    }
    if (fault != ConnectFault::none && fault != ConnectFault::stopped) {
        put_in_error(worker_pool, r);
    }
    return fault;
}

}  // namespace

ConnectFault connect_socket(WorkerPool& worker_pool, BackendConnection& connection,
                            MonotonicUs deadline, request_rec* r) {
    proxy_conn_rec& record = *connection.record();
    connection.note_connect_error(0);
    if (r == nullptr) {
        return race(worker_pool, connection, deadline, nullptr);
    }
    // What has died since it was lent is closed by this, and made anew below.
    if (record.sock != nullptr &&
        ap_proxy_check_connection(connection.scheme(), &record, worker_pool.server(), 0, 0) ==
            APR_SUCCESS) {
        return note_success(worker_pool);
    }
    if (record.forward == nullptr && record.uds_path == nullptr && record.addr != nullptr) {
        const ConnectFault fault = race_for_request(worker_pool, connection, deadline, r);
        if (fault == ConnectFault::none) {
            return note_success(worker_pool);
        }
        if (!is_for_mod_proxy(record, fault)) {
            return fault;
        }
    }
    const MonotonicUs begin = monotonic_now();
    if (ap_proxy_connect_backend(connection.scheme(), &record, worker_pool.worker(),
                                 worker_pool.server()) == OK) {
        return ConnectFault::none;
    }
    if (record.uds_path != nullptr) {
        connection.note_connect_error(error_of_path(record.uds_path));
    }
    return monotonic_now() - begin >= connect_timeout(worker_pool) ? ConnectFault::timed_out
                                                                   : ConnectFault::refused;
}

int set_up_connection(WorkerPool& worker_pool, BackendConnection& connection, request_rec* r) {
    proxy_conn_rec& record = *connection.record();
    const bool is_new = record.connection == nullptr;
    const int status = r != nullptr ? ap_proxy_connection_create_ex(connection.scheme(), &record, r)
                                    : ap_proxy_connection_create(connection.scheme(), &record,
                                                                 nullptr, worker_pool.server());
    if (status == OK && is_new) {
        connection.io().put_on(record.connection);
    }
    return status;
}

// set_up_connection() has failed, and mod_proxy closes the connection whether mod_ssl has refused it or something else was
// wrong with it. So mod_ssl is asked again, with a connection that is none, and without a second log line.
bool may_speak_tls(request_rec* r) {
    static const ap_logconf kSilence = {nullptr, APLOG_EMERG};
    conn_rec c = *r->connection;
    c.pool = r->pool;
    c.base_server = r->server;
    c.conn_config = ap_create_conn_config(r->pool);
    c.notes = apr_table_make(r->pool, 1);
    c.master = nullptr;
    c.log = &kSilence;
    return ap_proxy_ssl_engine(&c, r->per_dir_config, 1) != 0;
}

ConnectFault shake_hands(BackendConnection& connection, MonotonicUs deadline) {
    proxy_conn_rec& record = *connection.record();
    if (!record.is_ssl) {
        return ConnectFault::none;
    }
    const BackendIo::Limit limit(connection.io(), deadline);
    conn_rec* const c = record.connection;
    apr_bucket_brigade* const brigade = apr_brigade_create(c->pool, c->bucket_alloc);
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_flush_create(c->bucket_alloc));
    const apr_status_t status = ap_pass_brigade(c->output_filters, brigade);
    apr_brigade_destroy(brigade);
    if (status == APR_SUCCESS && !c->aborted) {
        return ConnectFault::none;
    }
    switch (connection.io().fault()) {
        case BackendIo::Fault::timed_out:
            return ConnectFault::timed_out;
        case BackendIo::Fault::stopping:
            return ConnectFault::stopped;
        default:
            return ConnectFault::tls_failed;
    }
}

ConnectFault preconnect(WorkerPool& worker_pool, BackendConnection& connection,
                        const WorkerPool::Target& target, MonotonicUs deadline) {
    proxy_conn_rec& record = *connection.record();
    if (!target.uds_path.empty()) {
        record.uds_path = apr_pstrdup(record.pool, target.uds_path.c_str());
        record.hostname = apr_pstrdup(record.pool, target.hostname.c_str());
        record.port = target.port;
        apr_sockaddr_info_get(&record.addr, record.uds_path, APR_UNIX, 0, 0, record.pool);
    } else if (determine_address(record, target.hostname.c_str(), target.port,
                                 worker_pool.server()) != APR_SUCCESS) {
        return ConnectFault::name_not_found;
    }
    if (target.tls) {
        record.ssl_hostname = apr_pstrdup(record.scpool, target.tls_name.c_str());
    }
    ConnectFault fault = connect_socket(worker_pool, connection, deadline, nullptr);
    if (fault == ConnectFault::none && set_up_connection(worker_pool, connection, nullptr) != OK) {
        fault = ConnectFault::tls_failed;
    }
    return fault == ConnectFault::none ? shake_hands(connection, deadline) : fault;
}

}  // namespace wsp
