// Limits how long a thread waits for a backend in total: for mod_ssl's handshake, for the response, for its body.
//
// A socket's timeout does not do that. It is for one read or one write, so that it starts anew with each byte that the
// peer moves. And mod_ssl's handshake with a backend always blocks (ssl_engine_io.c ssl_io_filter_handshake). So there
// are two filters next to the network. While a Limit exists they read and write without blocking, and wait in poll(2)
// for the peer, for the limit's deadline, and for the child process to stop. Without a Limit they pass everything on.
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
    // Removes the filters from a connection that becomes a tunnel.
    static void take_off(conn_rec* c);

    // Adds the filters to a new connection, which must not outlive this object.
    void put_on(conn_rec* c);

    // As long as it exists, reads and writes fail once the deadline has passed or the child stops.
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

    // The first bytes that came on the connection, below TLS; see protocol/detect_protocol.
    std::string_view first_bytes() const { return {first_.data(), first_size_}; }

    // Why the last Limit has made a read or a write fail; `none` if it has not. The next Limit resets it.
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
    // When to look again whether the child stops, if reading and writing go on without waiting.
    MonotonicUs next_look_ = 0;
    Fault fault_ = Fault::none;
    std::array<char, kDetectBytes> first_{};
    std::size_t first_size_ = 0;
};

}  // namespace wsp
