// Bounds how long a thread waits for a backend, whatever goes on above it: mod_ssl's handshake, the lines of an answer, the
// body of a refusal.
//
// A socket's timeout is for one read or one write. A peer that moves a byte now and then starts it anew each time, and mod_ssl
// cannot shake hands with a backend without blocking (ssl_engine_io.c ssl_io_filter_handshake). So two filters sit next to the
// network. Under a Limit they read and write without blocking, and wait in poll(2): for the peer, for the limit's deadline, and
// for the child to be told to stop. Without one they pass everything on.
#pragma once

#include <array>
#include <string_view>

#include "base/clock.hpp"
#include "httpd/httpd.hpp"
#include "protocol/detect_protocol.hpp"

namespace wsp {

// Belongs to a BackendConnection, and to the thread that has it.
class BackendIo {
  public:
    enum class Fault {
        none,
        timed_out,  // the limit's deadline has passed
        stopping,   // httpd stops meanwhile, and not gracefully
    };

    // `stop_fd` is readable from when the child is told to end at once; it outlives this object.
    explicit BackendIo(int stop_fd) : stop_fd_(stop_fd) {}

    // register_hooks.
    static void register_filters();
    // Takes them off the connection: it becomes a tunnel.
    static void take_off(conn_rec* c);

    // Puts them on a new connection, which must not outlive this object.
    void put_on(conn_rec* c);

    // While it is there, reads and writes fail when the deadline has passed or the child stops.
    class Limit {
      public:
        Limit(BackendIo& io, MonotonicUs deadline) : io_(io) {
            io_.deadline_ = deadline;
            io_.next_look_ = 0;
            io_.fault_ = Fault::none;
        }
        ~Limit() { io_.deadline_ = kNever; }
        Limit(const Limit&) = delete;
        Limit& operator=(const Limit&) = delete;

      private:
        BackendIo& io_;
    };

    // The first that came on the connection, below TLS; see protocol/detect_protocol.
    std::string_view first_bytes() const { return {first_.data(), first_size_}; }

    // Whether the limit was it that made a read or a write fail. Until the next limit.
    Fault fault() const { return fault_; }

  private:
    static apr_status_t on_read(ap_filter_t* f, apr_bucket_brigade* to, ap_input_mode_t mode,
                                apr_read_type_e block, apr_off_t size) noexcept;
    static apr_status_t on_write(ap_filter_t* f, apr_bucket_brigade* from) noexcept;

    apr_status_t read(ap_filter_t* f, apr_bucket_brigade* to, ap_input_mode_t mode,
                      apr_read_type_e block, apr_off_t size);
    apr_status_t write(conn_rec* c, apr_bucket_brigade* from);
    void keep_first_bytes(apr_bucket_brigade* of);
    bool is_limited() const { return deadline_ != kNever; }
    bool may_go_on();
    bool wait_for(conn_rec* c, short events);
    apr_status_t status_of_fault() const {
        return fault_ == Fault::timed_out ? APR_TIMEUP : APR_ECONNABORTED;
    }

    const int stop_fd_;
    MonotonicUs deadline_ = kNever;
    MonotonicUs next_look_ =
        0;  // when to ask again whether the child stops, unless there is something to wait for
    Fault fault_ = Fault::none;
    std::array<char, kDetectBytes> first_{};
    std::size_t first_size_ = 0;
};

}  // namespace wsp
