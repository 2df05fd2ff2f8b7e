// Second descriptors of the clients' connections whose tunnels keep their threads. When a child is told to stop at once, event and
// worker close the sockets that their threads are busy with before they tell anybody (close_worker_sockets in event.c and
// worker.c): a Close could not be sent any more, by HTTP/1.1 or HTTP/2. What has a second descriptor is still connected, and is
// given back to httpd's socket for as long as the Closes take.
//
// Threads: a Hold belongs to its tunnel's thread; everything else is called from child_stopping. One mutex guards the list.
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
    // For as long as a tunnel keeps its thread. `client`: its connection, or HTTP/2 stream. Without a descriptor left, or on an
    // MPM without threads, which closes nothing, there is no second one.
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

    // Sockets that the MPM has closed are open again. May throw bad_alloc.
    void give_back();
    // Waits until no tunnel is left, for at most `patience`, and then ends the connections that were given back, so that nobody
    // lingers for their clients.
    void end_with_tunnels(DurationUs patience) noexcept;

  private:
    std::mutex mutex_;
    std::condition_variable none_left_;
    Hold* first_ = nullptr;
    std::vector<UniqueFd> given_back_;
};

}  // namespace wsp
