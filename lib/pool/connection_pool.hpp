// The connections to one backend before they are tunnels. A connection cannot be shared after its 101 (RFC 6455 section
// 4.2.2). So a pool has three tasks: it keeps preconnected connections, it keeps connections whose upgrade was refused,
// and it limits how many connections are being made at a time.
//
//            acquire, preconnect        connected()             give_back()
//   (none) ------------------> connecting ---------> lent ------------------> idle
//                                  |  failed()        ^  |  take(), ~Lease     |  dead, too old, too many
//                                  v                  |  v                     v
//                              held_down --> (gone)   | (gone)               (gone)
//                                         end of      +------ acquire ---------'
//                                         hold-down
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
#include "metrics/series_counters.hpp"
#include "pool/connect_fault.hpp"
#include "pool/pool_clock.hpp"
#include "pool/pool_statistics.hpp"

namespace wsp {

// What is pooled. The destructor closes it.
class PooledConnection {
  public:
    virtual ~PooledConnection() = default;
    // Whether the server has neither closed it nor sent anything on it. Never blocks.
    virtual bool is_alive() noexcept = 0;
    // The descriptor to poll while the connection is idle.
    virtual int fd() const noexcept = 0;
};

struct PoolLimits {
    std::size_t preconnect = 0;      // how many idle connections preconnecting keeps (warm=)
    std::size_t max_idle = 0;        // the most idle connections; `preconnect` if that is more
    std::size_t max_connecting = 0;  // the most connects at a time; 0: no limit
    DurationUs ttl = 0;              // the longest that a connection may be idle; 0: no limit
};

// - Threads: every function may be called from any thread. Only acquire() and acquire_fresh() block. One mutex guards
//   the whole pool. While it is held signals are held off (SignalSafeLock), and no connection is looked at or closed.
// - Ownership: the pool owns idle connections, a lease owns the connection that it was lent. A lease must not outlive
//   its pool.
// - Memory: functions that make an entry for a connection may throw std::bad_alloc, and leave the pool as it was.
class ConnectionPool {
    struct Entry {
        ConnectionState state = ConnectionState::gone;
        std::unique_ptr<PooledConnection> connection;
        MonotonicUs since = 0;                    // when the state began
        MonotonicUs until = 0;                    // held_down: when the hold-down ends
        ConnectFault fault = ConnectFault::none;  // held_down: its cause
        bool preconnected = false;                // no request has had it yet
    };
    using Place = std::list<Entry>::iterator;

  public:
    // How long after the last request the pool goes on preconnecting.
    static constexpr DurationUs kRestAfter = 600 * kSecond;
    // If the server closes a preconnected connection sooner than this, that counts as a failed connect. Such failures
    // have a hold-down of their own. It ends only with its time, and doubles until a preconnected connection has been
    // idle for longer than this: a connect that succeeds does not show that the server keeps idle connections.
    static constexpr DurationUs kClosedAtOnce = 1 * kSecond;

    // A connection, or the permission to make one. Movable; one thread at a time.
    class Lease {
      public:
        Lease() noexcept = default;
        Lease(Lease&& from) noexcept;
        Lease& operator=(Lease&& from) noexcept;
        // Closes the connection, unless it was given back or taken.
        ~Lease();

        explicit operator bool() const noexcept { return pool_ != nullptr; }
        // It is the permission to make a connection. connected() or failed() must follow.
        bool is_connecting() const noexcept;
        // The connection was idle before.
        bool is_reused() const noexcept { return reused_; }
        PooledConnection* connection() const noexcept;

        // Hands over the connection that was made. The lease goes on.
        void connected(std::unique_ptr<PooledConnection> connection) noexcept;
        // No connection could be made. Ends the lease.
        void failed(ConnectFault fault) noexcept;
        // Makes the connection idle, so that another request may have it. Ends the lease.
        void give_back() noexcept;
        // Takes the connection out of the pool for good. Ends the lease.
        std::unique_ptr<PooledConnection> take() noexcept;

      private:
        friend class ConnectionPool;
        Lease(ConnectionPool* pool, Place place, bool reused) noexcept
            : pool_(pool), place_(place), reused_(reused) {}

        ConnectionPool* pool_ = nullptr;
        Place place_;
        bool reused_ = false;
    };

    // `counters`: where the pool is counted.
    ConnectionPool(PoolLimits limits, PoolClock& clock, SeriesCounters counters = {}) noexcept;
    ~ConnectionPool() = default;
    ConnectionPool(const ConnectionPool&) = delete;
    ConnectionPool& operator=(const ConnectionPool&) = delete;

    // For a request: the idle connection that was used last, if it is alive, else the permission to connect. While
    // max_connecting others connect it waits for its turn, first come first served; a connection that becomes idle
    // meanwhile is as good. If the lease is empty, `fault` says why.
    Lease acquire(MonotonicUs deadline, AcquireFault& fault);
    // The same without idle connections.
    Lease acquire_fresh(MonotonicUs deadline, AcquireFault& fault);

    // For the preconnecting thread: the permission to make one connection. The lease is empty
    // - when there are enough connections; `room` is how many more the backend takes;
    // - while a failed connect is held down;
    // - while requests wait for their turn;
    // - when no request has come for kRestAfter.
    Lease preconnect_lease(std::size_t room);
    // Closes idle connections that are too old or too many, and those whose descriptor is in `readable` if they are
    // dead. `watched_since`: when the caller asked for the descriptors that it has polled. If a connection became idle
    // later than that, its descriptor was readable for the request that had it meanwhile, so this does not look at it.
    // Returns when to call this again; kNever: when something has changed.
    MonotonicUs sweep(std::size_t room, const std::vector<int>& readable,
                      MonotonicUs watched_since = kNever);
    // Adds the descriptors of the idle connections. Any of them may be lent before the caller polls it.
    void idle_descriptors(std::vector<int>& to) const;

    // Closes the idle connections.
    void close_idle() noexcept;
    // Closes the idle connections for good: requests that wait or come later get no lease, and a connection that is
    // given back is closed.
    void shut_down() noexcept;

    PoolStatistics statistics() const;

  private:
    using Closing = std::list<Entry>;  // closed without the lock, by its destructor

    // One call of acquire(), on the caller's stack.
    struct Waiter {
        explicit Waiter(bool wants_fresh) noexcept : fresh(wants_fresh) {}
        const bool fresh;              // takes no idle connection
        bool has_waited = false;       // is counted in the statistics
        std::uint64_t ticket = 0;      // its number in the queue, which it keeps
        std::condition_variable turn;  // its turn has come, or the pool is shut down
    };
    enum class Turn : std::uint8_t { none, reuse, connect };

    // What keeps the pool from preconnecting. A successful connect ends the first kind, and not the second.
    enum class HoldDown : std::uint8_t { connects, closed_at_once };
    static HoldDown kind_of(ConnectFault fault) noexcept {
        return fault == ConnectFault::closed_idle ? HoldDown::closed_at_once : HoldDown::connects;
    }

    Lease acquire(MonotonicUs deadline, bool fresh, AcquireFault& fault);
    AcquireFault await_turn(SignalSafeLock& lock, Waiter& waiter, MonotonicUs deadline);
    Turn turn_of(const Waiter& waiter) noexcept;
    void wake_waiters() noexcept;
    Place newest_idle() noexcept;
    bool is_alive(SignalSafeLock& lock, Place place) noexcept;
    bool is_expired(const Entry& entry, MonotonicUs now) const noexcept;
    bool may_connect() const noexcept;
    std::size_t most_idle() const noexcept;
    std::size_t unfinished_preconnects() const noexcept;
    void move_to(Place place, ConnectionState state) noexcept;
    void count_state(const Entry& entry, int by) noexcept;
    void count(PoolEvent event) noexcept;
    void drop(Place place, Closing& closing) noexcept;
    void drop_expired(Closing& closing) noexcept;
    void end_hold_down(HoldDown kind, MonotonicUs now) noexcept;
    void drop_dead(const std::vector<int>& readable, MonotonicUs watched_since);
    void hold_down(Place place, ConnectFault fault) noexcept;

    const PoolLimits limits_;
    PoolClock& clock_;
    SeriesCounters counters_;
    // Guards everything below. Whenever nobody holds it:
    // - statistics_.in_state counts entries_ by state;
    // - each waiter whose turn has come has been notified of it;
    // - only idle and lent entries have a connection.
    mutable std::mutex mutex_;
    std::list<Entry> entries_;  // idle ones in the order in which they became idle
    std::list<Waiter*> queue_;  // by ticket
    std::uint64_t next_ticket_ = 0;
    std::uint64_t times_closed_idle_ = 0;
    MonotonicUs last_acquire_ = kNever;  // kNever: no request has come yet
    unsigned failures_in_a_row_ = 0;     // failed connects
    unsigned closed_in_a_row_ = 0;       // preconnected connections that the server closed at once
    bool shut_down_ = false;
    PoolStatistics statistics_;
};

}  // namespace wsp
