// What requests do with a pool: they wait for their turn, and get a connection or the permission to make one. Also the
// states of connections, which only move_to() changes. What a lease does is in connection_pool_lease.cpp, what the
// preconnecting thread does in connection_pool_upkeep.cpp.
#include "pool/connection_pool.hpp"

#include <algorithm>
#include <utility>

namespace wsp {

// --- requests -------------------------------------------------------------------------------------

ConnectionPool::ConnectionPool(PoolLimits limits, PoolClock& clock,
                               SeriesCounters counters) noexcept
    : limits_(limits), clock_(clock), counters_(counters) {}

ConnectionPool::Lease ConnectionPool::acquire(MonotonicUs deadline, AcquireFault& fault) {
    return acquire(deadline, false, fault);
}

ConnectionPool::Lease ConnectionPool::acquire_fresh(MonotonicUs deadline, AcquireFault& fault) {
    return acquire(deadline, true, fault);
}

ConnectionPool::Lease ConnectionPool::acquire(MonotonicUs deadline, bool fresh,
                                              AcquireFault& fault) {
    Waiter waiter(fresh);
    Closing closing, made(1);
    SignalSafeLock lock(mutex_);
    last_acquire_ = clock_.now();
    waiter.ticket = next_ticket_++;
    for (;;) {
        fault = await_turn(lock, waiter, deadline);
        if (fault != AcquireFault::none) {
            return Lease();  // its turn had not come, so that no other waiter has to be woken
        }
        drop_expired(closing);
        if (turn_of(waiter) == Turn::connect) {
            const Place place = made.begin();
            entries_.splice(entries_.end(), made);
            move_to(place, ConnectionState::connecting);
            return Lease(this, place, false);
        }
        const Place place = newest_idle();
        if (is_alive(lock, place)) {
            place->preconnected = false;
            count(PoolEvent::reused);
            return Lease(this, place, true);
        }
    }
}

// Waits for `waiter`'s turn. With any fault its turn has not come.
AcquireFault ConnectionPool::await_turn(SignalSafeLock& lock, Waiter& waiter,
                                        MonotonicUs deadline) {
    const auto must_wait = [&] { return !shut_down_ && turn_of(waiter) == Turn::none; };
    bool in_time = true;
    if (must_wait()) {
        const auto after = std::find_if(queue_.begin(), queue_.end(), [&](const Waiter* other) {
            return other->ticket > waiter.ticket;
        });
        queue_.insert(after, &waiter);
        counters_.adjust(Metric::pool_waiting, 1);
        if (!std::exchange(waiter.has_waited, true)) {
            count(PoolEvent::waits);
        }
        while (in_time && must_wait()) {
            in_time = wait_for_turn(clock_, lock, waiter.turn, deadline);
        }
        queue_.remove(&waiter);
        counters_.adjust(Metric::pool_waiting, -1);
    }
    if (shut_down_) {
        return AcquireFault::shut_down;
    }
    if (must_wait()) {
        count(PoolEvent::waits_timed_out);
        return AcquireFault::timed_out;
    }
    return AcquireFault::none;
}

// A waiter may take an idle connection if all waiters before it want a fresh one. Only the first waiter may connect.
ConnectionPool::Turn ConnectionPool::turn_of(const Waiter& waiter) noexcept {
    bool is_first = true;
    bool may_reuse = !waiter.fresh;
    for (const Waiter* other : queue_) {
        if (other->ticket >= waiter.ticket) {
            break;
        }
        is_first = false;
        may_reuse = may_reuse && other->fresh;
    }
    if (may_reuse && newest_idle() != entries_.end()) {
        return Turn::reuse;
    }
    return is_first && may_connect() ? Turn::connect : Turn::none;
}

// Notifies each waiter whose turn has come. No waiter can have its turn behind one that takes idle connections: idle
// connections go to the earlier one, and only the first waiter connects.
void ConnectionPool::wake_waiters() noexcept {
    for (Waiter* waiter : queue_) {
        if (turn_of(*waiter) != Turn::none) {
            waiter->turn.notify_one();
        }
        if (!waiter->fresh) {
            break;
        }
    }
}

// The idle connection that was used last; entries_.end() if there is none, or if it has expired.
ConnectionPool::Place ConnectionPool::newest_idle() noexcept {
    for (Place place = entries_.end(); place != entries_.begin();) {
        --place;
        if (place->state == ConnectionState::idle) {
            return is_expired(*place, clock_.now()) ? entries_.end() : place;
        }
    }
    return entries_.end();
}

// Looks at an idle connection. That is done without the lock, so the connection is lent meanwhile, which keeps others
// away from it. True: it is alive, and still lent. False: it was dead, and is closed now.
bool ConnectionPool::is_alive(SignalSafeLock& lock, Place place) noexcept {
    const MonotonicUs idle_since = place->since;
    move_to(place, ConnectionState::lent);
    lock.held().unlock();
    const bool alive = place->connection->is_alive();
    lock.held().lock();
    if (alive) {
        return true;
    }
    count(PoolEvent::died);
    Closing closing;
    std::unique_ptr<PooledConnection> dead = std::move(place->connection);
    if (place->preconnected && clock_.now() - idle_since < kClosedAtOnce) {
        hold_down(place, ConnectFault::closed_idle);
    } else {
        drop(place, closing);
    }
    lock.held().unlock();
    dead.reset();
    lock.held().lock();
    return false;
}

bool ConnectionPool::may_connect() const noexcept {
    return limits_.max_connecting == 0 ||
           statistics_.in(ConnectionState::connecting) < limits_.max_connecting;
}

// --- closing --------------------------------------------------------------------------------------

void ConnectionPool::close_idle() noexcept {
    Closing closing;
    const SignalSafeLock lock(mutex_);
    ++times_closed_idle_;
    for (Place place = entries_.begin(); place != entries_.end();) {
        const Place here = place++;
        if (here->state == ConnectionState::idle) {
            drop(here, closing);
        }
    }
}

void ConnectionPool::shut_down() noexcept {
    {
        const SignalSafeLock lock(mutex_);
        shut_down_ = true;
        for (Waiter* waiter : queue_) {
            waiter->turn.notify_one();
        }
    }
    close_idle();
}

PoolStatistics ConnectionPool::statistics() const {
    const SignalSafeLock lock(mutex_);
    return statistics_;
}

// --- states; all with the lock held ---------------------------------------------------------------

std::size_t ConnectionPool::most_idle() const noexcept {
    return std::max(limits_.max_idle, limits_.preconnect);
}

// Preconnected connections that are not idle yet, or are being looked at.
std::size_t ConnectionPool::unfinished_preconnects() const noexcept {
    return static_cast<std::size_t>(
        std::count_if(entries_.begin(), entries_.end(), [](const Entry& entry) {
            return entry.preconnected && (entry.state == ConnectionState::connecting ||
                                          entry.state == ConnectionState::lent);
        }));
}

bool ConnectionPool::is_expired(const Entry& entry, MonotonicUs now) const noexcept {
    return limits_.ttl > 0 && now - entry.since >= limits_.ttl;
}

void ConnectionPool::move_to(Place place, ConnectionState state) noexcept {
    const MonotonicUs now = clock_.now();
    if (place->state == ConnectionState::idle && place->preconnected &&
        now - place->since >= kClosedAtOnce) {
        closed_in_a_row_ = 0;  // the server keeps idle connections after all
    }
    count_state(*place, -1);
    place->state = state;
    count_state(*place, 1);
    place->since = now;
    wake_waiters();
}

void ConnectionPool::count_state(const Entry& entry, int by) noexcept {
    if (entry.state == ConnectionState::gone) {
        return;
    }
    const auto state = static_cast<std::size_t>(entry.state);
    statistics_.in_state[state] += static_cast<std::size_t>(by);
    counters_.adjust(Metric::pool_connections, by, state);
    if (entry.state == ConnectionState::idle && entry.preconnected) {
        counters_.adjust(Metric::pool_warm, by);
    }
}

void ConnectionPool::count(PoolEvent event) noexcept {
    ++(statistics_.*row_of(event).field);
    counters_.add(Metric::pool_events, 1, static_cast<std::size_t>(event));
}

void ConnectionPool::drop(Place place, Closing& closing) noexcept {
    move_to(place, ConnectionState::gone);
    closing.splice(closing.end(), entries_, place);
}

void ConnectionPool::drop_expired(Closing& closing) noexcept {
    const MonotonicUs now = clock_.now();
    for (Place place = entries_.begin(); place != entries_.end();) {
        const Place here = place++;
        if (here->state == ConnectionState::idle && is_expired(*here, now)) {
            drop(here, closing);
        }
    }
}

// Ends the hold-down of that kind if its time is over at `now`; with kNever in any case. A held-down entry has no
// connection, so that it may be destroyed with the lock held.
void ConnectionPool::end_hold_down(HoldDown kind, MonotonicUs now) noexcept {
    Closing nothing;
    for (Place place = entries_.begin(); place != entries_.end();) {
        const Place here = place++;
        if (here->state == ConnectionState::held_down && kind_of(here->fault) == kind &&
            here->until <= now) {
            drop(here, nothing);
        }
    }
}

// Turns the entry into the one hold-down of its kind. If a hold-down of this kind lasts already, the connect was begun
// before it, or by a request, and requests are not held down. Such a failure can only make the hold-down longer. It is
// not counted as one more in a row: that takes a failure after the end of the hold-down.
void ConnectionPool::hold_down(Place place, ConnectFault fault) noexcept {
    const HoldDown kind = kind_of(fault);
    const MonotonicUs now = clock_.now();
    MonotonicUs until = now;
    for (const Entry& entry : entries_) {
        if (entry.state == ConnectionState::held_down && kind_of(entry.fault) == kind) {
            until = std::max(until, entry.until);
        }
    }
    unsigned& in_a_row = kind == HoldDown::closed_at_once ? closed_in_a_row_ : failures_in_a_row_;
    in_a_row += until > now ? 0 : 1;
    count(PoolEvent::connects_failed);
    end_hold_down(kind, kNever);
    place->until = std::max(until, now + hold_down_after(fault, in_a_row));
    place->fault = fault;
    move_to(place, ConnectionState::held_down);
}

}  // namespace wsp
