// Second descriptors of client connections whose tunnels keep their threads. When a child is told to stop at once,
// event and worker first close the sockets of all busy threads (close_worker_sockets in event.c and worker.c), and call
// child_stopping afterwards. No Close could be sent then, over HTTP/1.1 or HTTP/2. A connection with a second
// descriptor is still open. It is given back to httpd's socket until the Closes are sent.
//
// Threads: a Hold belongs to its tunnel's thread; everything else is called from child_stopping. One mutex guards the
// list.
#pragma once

#include <condition_variable>
#include <mutex>
#include <vector>

#include "base/clock.hpp"
#include "base/unique_fd.hpp"
#include "httpd/httpd.hpp"

namespace wsp {

class SpareSockets {
  public:
    // Lives as long as its tunnel keeps the thread. `client` is the tunnel's connection or HTTP/2 stream. There is no
    // second descriptor when the process has none left, or on an MPM without threads, which closes nothing.
    class Hold {
      public:
        Hold(SpareSockets& all, conn_rec* client);
        ~Hold();
        Hold(const Hold&) = delete;
        Hold& operator=(const Hold&) = delete;

      private:
        friend class SpareSockets;
        SpareSockets& all_;
        apr_socket_t* socket_;
        apr_interval_time_t timeout_ = -1;
        UniqueFd spare_;
        Hold* next_ = nullptr;
        Hold** link_ = nullptr;  // what points at this one
    };

    // Opens the sockets again that the MPM has closed. May throw bad_alloc.
    void give_back();
    // Waits until no tunnel is left, for at most `patience`. Then ends the connections that were given back, so that
    // httpd does not linger for their clients.
    void end_with_tunnels(DurationUs patience) noexcept;

  private:
    std::mutex mutex_;
    std::condition_variable none_left_;
    Hold* first_ = nullptr;
    std::vector<UniqueFd> given_back_;
};

}  // namespace wsp
