// The connections to one backend before they are tunnels. A WebSocket connection cannot be shared
// after its 101 (RFC 6455 4.2.2), so a pool is about the moments before: connections made ahead,
// connections whose upgrade was refused, and how many are being made at a time.
//
//            acquire, refill            connected()             give_back()
//   (none) ------------------> connecting ---------> lent ------------------> idle
//                                  |  failed()        ^  |  take(), ~Lease     |  dead, too old, too many
//                                  v                  |  v                     v
//                               cooling --> (gone)    | (gone)               (gone)
//                                         end of      +------ acquire ---------'
//                                         hold-down
//
// Threads: every function from any thread. One mutex guards all of a pool; it is held with signals held
// off, and never while a connection is looked at or closed. Only acquire() blocks. Functions may throw std::bad_alloc where
// they make a connection's entry, and leave the pool as it was.
// Ownership: the pool owns idle connections, a lease the one that it was lent. Leases must not
// outlive their pool. Times are on the monotonic clock, in microseconds.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <vector>

#include "base/clock.hpp"
#include "base/signal_safe_lock.hpp"
#include "pool/connect_fault.hpp"
#include "pool/pool_clock.hpp"

namespace wsp {

// What is pooled. The destructor closes it.
class PooledConnection {
  public:
    virtual ~PooledConnection() = default;
    // The peek: still open, and nothing has come that nobody asked for. Never blocks.
    virtual bool is_alive() noexcept = 0;
    // To be watched while it is idle.
    virtual int fd() const noexcept = 0;
};

struct PoolLimits {
    std::size_t warm = 0;            // idle connections to keep ahead
    std::size_t max_idle = 0;        // idle connections at most; `warm` where that is more
    std::size_t max_connecting = 0;  // connects at a time; 0: no limit
    DurationUs ttl = 0;              // how long one may be idle; 0: no limit
};

enum class ConnectionState : std::uint8_t { connecting, idle, lent, cooling, gone };

struct PoolStatistics {
    std::uint64_t connects = 0;              // that were successful, ahead or not
    std::uint64_t preconnects = 0;           // of these
    std::uint64_t connects_failed = 0;       //
    std::uint64_t reused = 0;                // idle connections that were lent
    std::uint64_t given_back = 0;            // by requests and by the preconnecting thread
    std::uint64_t surplus = 0;               // closed because there were idle ones enough
    std::uint64_t expired = 0;               // closed at the end of their ttl
    std::uint64_t died = 0;                  // found dead while idle
    std::uint64_t waits = 0;                 // acquires that had to wait
    std::uint64_t waits_timed_out = 0;       // and in vain
    std::size_t in_state[4] = {0, 0, 0, 0};  // by ConnectionState
    std::size_t in(ConnectionState state) const {
        return in_state[static_cast<std::size_t>(state)];
    }
};

class ConnectionPool {
    struct Entry {
        ConnectionState state = ConnectionState::gone;
        std::unique_ptr<PooledConnection> connection;
        MonotonicUs since = 0;                    // of the state
        MonotonicUs until = 0;                    // cooling: its end
        ConnectFault fault = ConnectFault::none;  // cooling: its cause
        bool ahead = false;                       // made ahead, and not asked for yet
    };
    using Place = std::list<Entry>::iterator;

  public:
    // How long after the last request connections are still made ahead.
    static constexpr DurationUs kRestAfter = 600 * kSecond;
    // A connection made ahead that the server closes sooner than this counts as a failed connect. Such
    // failures have a hold-down of their own, which only its time ends and which doubles until one
    // made ahead has been idle for longer: connects say nothing about idle connections.
    static constexpr DurationUs kClosedAtOnce = 1 * kSecond;

    // One connection, or the permission to make one. Movable; one thread at a time.
    class Lease {
      public:
        Lease() noexcept = default;
        Lease(Lease&& from) noexcept;
        Lease& operator=(Lease&& from) noexcept;
        // What has not been given back or taken is closed.
        ~Lease();

        explicit operator bool() const noexcept { return pool_ != nullptr; }
        // It is the permission: connected() or failed() must follow.
        bool is_connecting() const noexcept;
        // The connection has been idle before.
        bool is_reused() const noexcept { return reused_; }
        PooledConnection* connection() const noexcept;

        void connected(std::unique_ptr<PooledConnection> connection) noexcept;
        // Ends the lease.
        void failed(ConnectFault fault) noexcept;
        // Ends the lease; another may have the connection.
        void give_back() noexcept;
        // Ends the lease; the connection is the caller's, and the pool's no more.
        std::unique_ptr<PooledConnection> take() noexcept;

      private:
        friend class ConnectionPool;
        Lease(ConnectionPool* pool, Place place, bool reused) noexcept
            : pool_(pool), place_(place), reused_(reused) {}

        ConnectionPool* pool_ = nullptr;
        Place place_;
        bool reused_ = false;
    };

    ConnectionPool(PoolLimits limits, PoolClock& clock) noexcept;
    ~ConnectionPool() = default;
    ConnectionPool(const ConnectionPool&) = delete;
    ConnectionPool& operator=(const ConnectionPool&) = delete;

    // For a request: the idle connection that was used last, if it is alive, else the permission to
    // connect. Waits for its turn, first come first served, while max_connecting others connect; a
    // connection that becomes idle meanwhile will do. An empty lease comes with the reason.
    Lease acquire(MonotonicUs deadline, AcquireFault& fault);
    // The same, never with an idle connection.
    Lease acquire_fresh(MonotonicUs deadline, AcquireFault& fault);

    // For the preconnecting thread: the permission to make one connection ahead. Empty when there are enough (`room`: how many more
    // connections the backend takes), while a failed connect is held against the backend, while requests wait for their
    // turn, and when no request has come for kRestAfter.
    Lease preconnect_lease(std::size_t room);
    // Closes idle connections that are too old, too many, or, among those whose descriptors are in
    // `readable`, dead. `watched_since`: when it was asked which are idle; what somebody has had since then was readable
    // for him, and is not taken away from the next to look at it. Returns when to come again; kNever: not before something
    // happens.
    MonotonicUs sweep(std::size_t room, const std::vector<int>& readable,
                      MonotonicUs watched_since = kNever);
    // Adds the descriptors of the idle connections, to be watched; any of them may be lent by then.
    void idle_descriptors(std::vector<int>& to) const;

    // Closes the idle connections.
    void close_idle() noexcept;
    // The same for good: whoever waits or comes later gets no lease, what is given back is closed.
    void shut_down() noexcept;

    PoolStatistics statistics() const;

  private:
    using Closing = std::list<Entry>;  // closed when it goes out of scope, without the lock

    // One acquire(), on its own stack.
    struct Waiter {
        explicit Waiter(bool wants_fresh) noexcept : fresh(wants_fresh) {}
        const bool fresh;              // an idle connection will not do
        bool has_waited = false;       // it is in the statistics
        std::uint64_t ticket = 0;      // its place in the queue, for good
        std::condition_variable turn;  // its turn has come, or the pool is shut down
    };
    enum class Turn : std::uint8_t { none, reuse, connect };

    // What keeps the pool from connecting ahead; a connect that is successful ends the first and
    // says nothing about the second.
    enum class HoldDown : std::uint8_t { connects, closed_at_once };
    static HoldDown kind_of(ConnectFault fault) noexcept {
        return fault == ConnectFault::closed_idle ? HoldDown::closed_at_once : HoldDown::connects;
    }

    Lease acquire(MonotonicUs deadline, bool fresh, AcquireFault& fault);
    AcquireFault await_turn(SignalSafeLock& lock, Waiter& waiter, MonotonicUs deadline);
    Turn turn_of(const Waiter& waiter) noexcept;
    void wake() noexcept;
    Place newest_idle() noexcept;
    bool is_alive(SignalSafeLock& lock, Place place) noexcept;
    bool is_expired(const Entry& entry, MonotonicUs now) const noexcept;
    bool may_connect() const noexcept;
    std::size_t keeps() const noexcept;
    std::size_t coming() const noexcept;
    void move_to(Place place, ConnectionState state) noexcept;
    void drop(Place place, Closing& closing) noexcept;
    void drop_expired(Closing& closing) noexcept;
    void end_cooling(HoldDown kind, MonotonicUs now) noexcept;
    void drop_dead(const std::vector<int>& readable, MonotonicUs watched_since);
    void cool(Place place, ConnectFault fault) noexcept;

    const PoolLimits limits_;
    PoolClock& clock_;
    // Guards all below. Whenever it is free: the gauges count entries_ by state, nobody who waits has
    // a turn without having been woken for it, and only idle and lent entries have a connection.
    mutable std::mutex mutex_;
    std::list<Entry> entries_;  // the idle ones in the order in which they became idle
    std::list<Waiter*> queue_;  // those who wait, by ticket
    std::uint64_t next_ticket_ = 0;
    std::uint64_t times_closed_idle_ = 0;
    MonotonicUs last_acquire_ = kNever;  // kNever: none yet
    unsigned failures_in_a_row_ = 0;     // of connects
    unsigned closed_in_a_row_ = 0;       // connections made ahead and closed at once
    bool shut_down_ = false;
    PoolStatistics statistics_;
};

}  // namespace wsp
