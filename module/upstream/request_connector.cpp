// The steps are those of mod_proxy: acquire a connection, determine the address, connect, set up the connection, TLS.
// The pool is ours.
#include "upstream/request_connector.hpp"

#include <utility>

#include "upstream/backend_tls.hpp"
#include "upstream/connect_with_mod_proxy.hpp"
#include "upstream/worker_state.hpp"

namespace wsp {

RequestConnector::RequestConnector(request_rec* r, proxy_worker* worker, proxy_server_conf* conf,
                                   const wsp_dir_config& config, const char* scheme, bool tls,
                                   WorkerPoolMap& pools)
    : r_(r),
      worker_(worker),
      conf_(conf),
      scheme_(scheme),
      tls_(tls),
      pool_(pools.get(worker, r->server, config)) {}

RequestConnector::~RequestConnector() = default;

BackendFault RequestConnector::open(BackendRoute& route, MonotonicUs deadline, bool fresh) {
    shared_ = route.proxy_name == nullptr && pool_.keeps(tls_);
    BackendFault fault = lease(deadline, fresh || !shared_);
    if (fault == BackendFault::none) {
        fault = determine(route, deadline);
    }
    return fault == BackendFault::none ? connect(deadline) : fault;
}

BackendFault RequestConnector::lease(MonotonicUs deadline, bool fresh) {
    new_.reset();
    connection_ = nullptr;
    lease_ = ConnectionPool::Lease();
    if (!may_use(*worker_, scheme_, r_->server)) {
        return BackendFault::out_of_use;
    }
    AcquireFault fault = AcquireFault::none;
    lease_ = fresh ? pool_.connections().acquire_fresh(deadline, fault)
                   : pool_.connections().acquire(deadline, fault);
    if (!lease_) {
        return fault == AcquireFault::shut_down ? BackendFault::stopping : BackendFault::crowded;
    }
    reused_ = lease_.is_reused();
    if (reused_) {
        connection_ = static_cast<BackendConnection*>(lease_.connection());
    } else {
        new_ = std::make_unique<BackendConnection>(pool_.backend(), scheme_, tls_);
        connection_ = new_.get();
    }
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r_,
                  "WSP0107: %s: has acquired connection for (%s:%d)%s", scheme_,
                  worker_->s->hostname_ex, static_cast<int>(worker_->s->port),
                  reused_ ? ", an idle one" : "");
    return BackendFault::none;
}

// Resolves the backend's name and fills in the route. An HTTP status.
int RequestConnector::determine_once(BackendRoute& route) {
    route.path = route.url;
    return ap_proxy_determine_connection(r_->pool, r_, conf_, worker_, record(), &route.uri,
                                         &route.path, route.proxy_name, route.proxy_port,
                                         route.server_port, sizeof route.server_port);
}

BackendFault RequestConnector::determine(BackendRoute& route, MonotonicUs deadline) {
    int status = determine_once(route);
    if (status == OK && reused_ && record()->sock == nullptr) {
        // mod_proxy has closed the idle connection: the name has other addresses now (addressttl=), or this request
        // asks for another TLS name.
        const BackendFault fault = lease(deadline, true);
        if (fault != BackendFault::none) {
            return fault;
        }
        status = determine_once(route);
    }
    if (status == OK) {
        return BackendFault::none;
    }
    return failed(
        route.uri.hostname == nullptr ? BackendFault::no_host_in_url : BackendFault::no_address,
        status);
}

BackendFault RequestConnector::connect(MonotonicUs deadline) {
    BackendFault fault = connect_socket(deadline);
    if (fault == BackendFault::none) {
        fault = set_up_tls(deadline);
    }
    if (fault != BackendFault::none) {
        return fault;
    }
    if (new_ != nullptr) {
        lease_.connected(std::move(new_));
    }
    if (shared_) {
        pool_.note_use(scheme_, *record());
    }
    return BackendFault::none;
}

BackendFault RequestConnector::connect_socket(MonotonicUs deadline) {
    const ConnectFault fault = connect_with_mod_proxy(pool_.backend(), *connection_, deadline, r_);
    if (fault != ConnectFault::none) {
        end_lease(fault);
        return fault == ConnectFault::stopped ? BackendFault::stopping : BackendFault::unreachable;
    }
    // mod_proxy may have found the idle connection dead just now, and connected anew.
    reused_ = reused_ && record()->connection != nullptr;
    return BackendFault::none;
}

BackendFault RequestConnector::set_up_tls(MonotonicUs deadline) {
    const int status = set_up_connection(pool_.backend(), *connection_, r_);
    if (status != OK) {
        const bool no_engine = tls_ && !may_speak_tls(r_);
        return failed(no_engine ? BackendFault::no_tls : BackendFault::not_set_up, status);
    }
    const ConnectFault fault = reused_ ? ConnectFault::none : shake_hands(*connection_, deadline);
    if (fault != ConnectFault::none) {
        end_lease(fault);
    }
    switch (fault) {
        case ConnectFault::none:
            return BackendFault::none;
        case ConnectFault::timed_out:
            return BackendFault::tls_late;
        case ConnectFault::stopped:
            return BackendFault::stopping;
        default:
            return BackendFault::tls_failed;
    }
}

// The pool learns why the new connection failed.
void RequestConnector::end_lease(ConnectFault fault) {
    if (new_ != nullptr) {
        lease_.failed(fault);
    }
}

void RequestConnector::give_back() {
    if (shared_ && connection_ != nullptr) {
        connection_->forget_request();
        connection_ = nullptr;
        lease_.give_back();
        pool_.note_idle();
    }
}

void RequestConnector::release() {
    connection_ = nullptr;
    lease_.take();
}

}  // namespace wsp
