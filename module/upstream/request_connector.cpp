// Acquire, determine, connect, set up, shake hands: mod_proxy's steps, with our pool.
#include "upstream/request_connector.hpp"

#include <utility>

#include "upstream/backend_connect.hpp"

namespace wsp {
namespace {

// As ap_proxy_acquire_connection: a worker in error is tried again when its retry= is over.
bool is_in_use(proxy_worker* worker, const char* scheme, server_rec* server) {
    if (!PROXY_WORKER_IS_USABLE(worker)) {
        auto* const retry = APR_RETRIEVE_OPTIONAL_FN(ap_proxy_retry_worker);
        if (retry != nullptr) {
            retry(scheme, worker, server);
        }
    }
    return PROXY_WORKER_IS_USABLE(worker);
}

}  // namespace

RequestConnector::RequestConnector(request_rec* r, proxy_worker* worker, proxy_server_conf* conf,
                                   const wsp_dir_config& config, const char* scheme, bool tls,
                                   WorkerPoolMap& pools)
    : r_(r),
      worker_(worker),
      conf_(conf),
      scheme_(scheme),
      tls_(tls),
      worker_pool_(pools.worker_pool(worker, r->server, config)) {}

RequestConnector::~RequestConnector() = default;

RequestConnector::Fault RequestConnector::open(BackendRoute& route, MonotonicUs deadline,
                                               bool fresh) {
    shared_ = route.proxy_name == nullptr && worker_pool_.keeps(tls_);
    Fault fault = lease(deadline, fresh || !shared_);
    if (fault == Fault::none) {
        fault = determine(route, deadline);
    }
    if (fault == Fault::none) {
        fault = connect(deadline);
    }
    return fault;
}

RequestConnector::Fault RequestConnector::lease(MonotonicUs deadline, bool fresh) {
    new_.reset();
    connection_ = nullptr;
    lease_ = ConnectionPool::Lease();
    if (!is_in_use(worker_, scheme_, r_->server)) {
        return failed(Fault::out_of_use, HTTP_SERVICE_UNAVAILABLE);
    }
    AcquireFault fault = AcquireFault::none;
    lease_ = fresh ? worker_pool_.pool().acquire_fresh(deadline, fault)
                   : worker_pool_.pool().acquire(deadline, fault);
    if (!lease_) {
        return failed(fault == AcquireFault::shut_down ? Fault::stopping : Fault::crowded,
                      HTTP_SERVICE_UNAVAILABLE);
    }
    reused_ = lease_.is_reused();
    if (reused_) {
        connection_ = static_cast<BackendConnection*>(lease_.connection());
    } else {
        new_ = std::make_unique<BackendConnection>(worker_, r_->server, scheme_, tls_,
                                                   worker_pool_.stops().stop);
        connection_ = new_.get();
    }
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r_,
                  "WSP0107: %s: has acquired connection for (%s:%d)%s", scheme_,
                  worker_->s->hostname_ex, static_cast<int>(worker_->s->port),
                  reused_ ? ", an idle one" : "");
    return Fault::none;
}

// Resolves the backend's name and fills in the route.
int RequestConnector::determine_once(BackendRoute& route) {
    route.path = route.url;
    return ap_proxy_determine_connection(r_->pool, r_, conf_, worker_, record(), &route.uri,
                                         &route.path, route.proxy_name, route.proxy_port,
                                         route.server_port, sizeof route.server_port);
}

RequestConnector::Fault RequestConnector::determine(BackendRoute& route, MonotonicUs deadline) {
    int status = determine_once(route);
    if (status == OK && reused_ && record()->sock == nullptr) {
        // mod_proxy has closed the idle connection: the name has other addresses now (addressttl=), or this request asks
        // for another TLS name.
        const Fault fault = lease(deadline, true);
        if (fault != Fault::none) {
            return fault;
        }
        status = determine_once(route);
    }
    return status == OK ? Fault::none : failed(Fault::no_address, status);
}

RequestConnector::Fault RequestConnector::connect(MonotonicUs deadline) {
    ConnectFault fault = connect_socket(worker_pool_, *connection_, deadline, r_);
    if (fault != ConnectFault::none) {
        if (new_ != nullptr) {
            lease_.failed(fault);
        }
        return failed(fault == ConnectFault::stopped ? Fault::stopping : Fault::unreachable,
                      HTTP_SERVICE_UNAVAILABLE);
    }
    reused_ = reused_ &&
              record()->connection != nullptr;  // or it was closed just now, and a new one made
    const int status = set_up_connection(worker_pool_, *connection_, r_);
    if (status != OK) {
        const bool no_engine = tls_ && !may_speak_tls(r_);
        return failed(no_engine ? Fault::no_tls : Fault::not_set_up, status);
    }
    fault = reused_ ? ConnectFault::none : shake_hands(*connection_, deadline);
    if (fault != ConnectFault::none) {
        if (new_ != nullptr) {
            lease_.failed(fault);
        }
        return failed_tls(fault);
    }
    if (new_ != nullptr) {
        lease_.connected(std::move(new_));
    }
    if (shared_) {
        worker_pool_.note_use(scheme_, *record());
    }
    return Fault::none;
}

RequestConnector::Fault RequestConnector::failed_tls(ConnectFault fault) {
    switch (fault) {
        case ConnectFault::timed_out:
            return failed(Fault::tls_late, HTTP_GATEWAY_TIME_OUT);
        case ConnectFault::stopped:
            return failed(Fault::stopping, HTTP_SERVICE_UNAVAILABLE);
        default:
            return failed(Fault::tls_failed, HTTP_BAD_GATEWAY);
    }
}

void RequestConnector::give_back() {
    if (shared_ && connection_ != nullptr) {
        connection_->forget_request();
        connection_ = nullptr;
        lease_.give_back();
        worker_pool_.note_idle();
    }
}

void RequestConnector::release() {
    connection_ = nullptr;
    lease_.take();
}

}  // namespace wsp
