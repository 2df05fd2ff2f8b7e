// The two filters. Both check the limit before each attempt, since with a peer that is always ready they never wait.
#include "upstream/backend_io.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>

#include "httpd/socket_fd.hpp"

namespace wsp {
namespace {

// How often they look whether the child stops: each time is a system call.
constexpr DurationUs kStopInterval = 100 * kMillisecond;

// mod_ssl's filters and mod_logio's are above, httpd's core below.
constexpr auto kNextToNetwork = static_cast<ap_filter_type>(AP_FTYPE_NETWORK - 1);
constexpr char kName[] = "WSP_BACKEND_IO";

// One per process: httpd registers a filter by its name, once.
ap_filter_rec_t* the_input = nullptr;
ap_filter_rec_t* the_output = nullptr;

// In other modes a blocking read does not wait (core_filters.c ap_core_input_filter).
bool can_wait(ap_input_mode_t mode) {
    return mode == AP_MODE_READBYTES || mode == AP_MODE_GETLINE || mode == AP_MODE_SPECULATIVE;
}

// Whether core's filter had nothing to read. At the end of the stream it returns that once before it reports the end.
bool is_nothing_yet(apr_status_t status, const apr_bucket_brigade* brigade) {
    return APR_STATUS_IS_EAGAIN(status) || APR_STATUS_IS_EINTR(status) ||
           (status == APR_SUCCESS && APR_BRIGADE_EMPTY(brigade));
}

void drop_front(apr_bucket_brigade* brigade, std::size_t size) {
    while (!APR_BRIGADE_EMPTY(brigade)) {
        apr_bucket* const first = APR_BRIGADE_FIRST(brigade);
        if (first->length > size) {
            if (size > 0) {
                apr_bucket_split(first, size);
                apr_bucket_delete(first);
            }
            return;
        }
        size -= first->length;
        apr_bucket_delete(first);
    }
}

// Sends as much of the brigade as the socket takes, and removes that from the brigade.
apr_status_t send_some(int fd, apr_bucket_brigade* from) {
    iovec pieces[16];
    int count = 16;
    const apr_status_t status = apr_brigade_to_iovec(from, pieces, &count);
    if (status != APR_SUCCESS) {
        return status;
    }
    msghdr message{};
    message.msg_iov = pieces;
    message.msg_iovlen = static_cast<std::size_t>(count);
    const ssize_t sent = ::sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) {
        return errno;
    }
    drop_front(from, static_cast<std::size_t>(sent));
    return APR_SUCCESS;
}

}  // namespace

void BackendIo::register_filters() {
    the_input = ap_register_input_filter(kName, on_read, nullptr, kNextToNetwork);
    the_output = ap_register_output_filter(kName, on_write, nullptr, kNextToNetwork);
}

void BackendIo::put_on(conn_rec* c) {
    first_size_ = 0;
    ap_add_input_filter_handle(the_input, this, nullptr, c);
    ap_add_output_filter_handle(the_output, this, nullptr, c);
}

void BackendIo::take_off(conn_rec* c) {
    ap_remove_input_filter_byhandle(c->input_filters, kName);
    ap_remove_output_filter_byhandle(c->output_filters, kName);
}

apr_status_t BackendIo::on_read(ap_filter_t* f, apr_bucket_brigade* to, ap_input_mode_t mode,
                                apr_read_type_e block, apr_off_t size) noexcept {
    auto& io = *static_cast<BackendIo*>(f->ctx);
    if (!io.is_limited() || !can_wait(mode)) {
        return ap_get_brigade(f->next, to, mode, block, size);
    }
    return io.read(f, to, mode, block, size);
}

apr_status_t BackendIo::on_write(ap_filter_t* f, apr_bucket_brigade* from) noexcept {
    auto& io = *static_cast<BackendIo*>(f->ctx);
    // Core's filter must first send what it has kept.
    if (!io.is_limited() || f->c->aborted || f->c->data_in_output_filters) {
        return ap_pass_brigade(f->next, from);
    }
    return io.write(f->c, from);
}

// False when the limit is over: the deadline has passed, or the child stops.
bool BackendIo::may_go_on() {
    const MonotonicUs now = monotonic_now();
    if (now >= deadline_) {
        fault_ = Fault::timed_out;
    } else if (now >= next_look_) {
        next_look_ = now + kStopInterval;
        pollfd stop{stop_fd_, POLLIN, 0};
        fault_ = ::poll(&stop, 1, 0) > 0 ? Fault::stopping : fault_;
    }
    return fault_ == Fault::none;
}

// Waits until the peer is ready or the limit is over. False when the limit is over.
bool BackendIo::wait_for(conn_rec* c, short events) {
    pollfd watched[] = {{fd_of(ap_get_conn_socket(c)), events, 0}, {stop_fd_, POLLIN, 0}};
    ::poll(watched, 2, poll_timeout_until(deadline_, monotonic_now()));
    if (watched[1].revents != 0) {
        fault_ = Fault::stopping;
    }
    return may_go_on();
}

apr_status_t BackendIo::read(ap_filter_t* f, apr_bucket_brigade* to, ap_input_mode_t mode,
                             apr_read_type_e block, apr_off_t size) {
    bool goes_on = may_go_on();
    while (goes_on) {
        const apr_status_t status = ap_get_brigade(f->next, to, mode, APR_NONBLOCK_READ, size);
        if (block == APR_NONBLOCK_READ || !is_nothing_yet(status, to)) {
            if (status == APR_SUCCESS && mode != AP_MODE_SPECULATIVE) {
                keep_first_bytes(to);
            }
            return status;
        }
        goes_on = wait_for(f->c, POLLIN);
    }
    return status_of_fault();
}

// Reading the buckets does not block: core has read them into memory.
void BackendIo::keep_first_bytes(apr_bucket_brigade* of) {
    if (first_size_ < first_.size()) {
        apr_size_t size = first_.size() - first_size_;
        apr_brigade_flatten(of, first_.data() + first_size_, &size);
        first_size_ += size;
    }
}

// Goes around core's filter, which would block (core_filters.c ap_core_output_filter). As there, an error marks the
// connection as aborted.
apr_status_t BackendIo::write(conn_rec* c, apr_bucket_brigade* from) {
    apr_status_t status = may_go_on() ? APR_SUCCESS : status_of_fault();
    while (status == APR_SUCCESS && !APR_BRIGADE_EMPTY(from)) {
        status = send_some(fd_of(ap_get_conn_socket(c)), from);
        if (APR_STATUS_IS_EAGAIN(status) || APR_STATUS_IS_EINTR(status)) {
            status = wait_for(c, POLLOUT) ? APR_SUCCESS : status_of_fault();
        }
    }
    if (status != APR_SUCCESS) {
        c->aborted = 1;
        apr_brigade_cleanup(from);
    }
    return status;
}

}  // namespace wsp
