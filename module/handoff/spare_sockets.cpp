// Duplicates, and apr_os_sock_put(), which gives a closed apr_socket_t a descriptor again.
#include "handoff/spare_sockets.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <chrono>
#include <utility>

#include "apr_portable.h"
#include "base/signal_safe_lock.hpp"
#include "httpd/mpm_query.hpp"
#include "httpd/socket_fd.hpp"

namespace wsp {
namespace {

apr_socket_t* socket_of(conn_rec* client) {
    return is_threaded_mpm()
               ? ap_get_conn_socket(client->master != nullptr ? client->master : client)
               : nullptr;
}

}  // namespace

SpareSockets::Hold::Hold(SpareSockets& all, conn_rec* client)
    : all_(all), socket_(socket_of(client)) {
    if (socket_ != nullptr) {
        apr_socket_timeout_get(socket_, &timeout_);
        spare_.reset(::fcntl(fd_of(socket_), F_DUPFD_CLOEXEC, 3));
    }
    const SignalSafeLock lock(all_.mutex_);
    next_ = all_.first_;
    link_ = &all_.first_;
    all_.first_ = this;
    if (next_ != nullptr) {
        next_->link_ = &next_;
    }
}

SpareSockets::Hold::~Hold() {
    const SignalSafeLock lock(all_.mutex_);
    *link_ = next_;
    if (next_ != nullptr) {
        next_->link_ = link_;
    }
    if (all_.first_ == nullptr) {
        all_.none_left_.notify_all();
    }
}

void SpareSockets::give_back() {
    const SignalSafeLock lock(mutex_);
    for (Hold* hold = first_; hold != nullptr; hold = hold->next_) {
        // Several streams of one HTTP/2 connection have the same socket.
        if (!hold->spare_.valid() || fd_of(hold->socket_) >= 0) {
            continue;
        }
        given_back_.reserve(given_back_.size() + 1);
        // The socket's own from here on: httpd closes it, as it would have closed the first one.
        apr_os_sock_t fd = ::fcntl(hold->spare_.get(), F_DUPFD_CLOEXEC, 3);
        if (fd >= 0) {
            apr_os_sock_put(&hold->socket_, &fd, nullptr);
            apr_socket_timeout_set(hold->socket_, hold->timeout_);  // event has set it to 0
            given_back_.push_back(std::move(hold->spare_));
        }
    }
}

void SpareSockets::end_with_tunnels(DurationUs patience) noexcept {
    SignalSafeLock lock(mutex_);
    none_left_.wait_for(lock.held(), std::chrono::microseconds(patience),
                        [this] { return first_ == nullptr; });
    for (const UniqueFd& spare : given_back_) {
        ::shutdown(spare.get(), SHUT_RDWR);
    }
    given_back_.clear();
}

}  // namespace wsp
