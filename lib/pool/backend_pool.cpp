// States change in move_to() and nowhere else.
#include "pool/backend_pool.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace wsp {

bool SystemPoolClock::wait(std::unique_lock<std::mutex>& lock, std::condition_variable& changed,
                           MonotonicUs deadline) {
    const DurationUs left = deadline - now();
    if (left <= 0) {
        return false;
    }
    // Bounded, since a sum with the clock's own time may overflow.
    changed.wait_for(lock, std::chrono::microseconds(std::min<DurationUs>(left, 3600 * kSecond)));
    return now() < deadline;
}

// --- leases ---------------------------------------------------------------------------------------

BackendPool::Lease::Lease(Lease&& from) noexcept
    : pool_(std::exchange(from.pool_, nullptr)), place_(from.place_), reused_(from.reused_) {}

BackendPool::Lease& BackendPool::Lease::operator=(Lease&& from) noexcept {
    std::swap(pool_, from.pool_);
    std::swap(place_, from.place_);
    std::swap(reused_, from.reused_);
    return *this;
}

BackendPool::Lease::~Lease() {
    take();  // and closed here
}

bool BackendPool::Lease::is_connecting() const noexcept {
    // The state of an entry on lease is changed by its lease alone.
    return pool_ != nullptr && place_->state == ConnectionState::connecting;
}

PooledConnection* BackendPool::Lease::connection() const noexcept {
    return pool_ != nullptr ? place_->connection.get() : nullptr;
}

void BackendPool::Lease::connected(std::unique_ptr<PooledConnection> connection) noexcept {
    const std::lock_guard<std::mutex> lock(pool_->mutex_);
    place_->connection = std::move(connection);
    pool_->move_to(place_, ConnectionState::lent);
    ++pool_->statistics_.connects;
    pool_->statistics_.connects_ahead += place_->ahead ? 1 : 0;
    pool_->failures_in_a_row_ = 0;
    pool_->end_cooling([](const Entry& entry) { return entry.fault != ConnectFault::closed_idle; });
}

void BackendPool::Lease::failed(ConnectFault fault) noexcept {
    BackendPool& pool = *std::exchange(pool_, nullptr);
    const std::lock_guard<std::mutex> lock(pool.mutex_);
    pool.cool(place_, fault);
}

void BackendPool::Lease::give_back() noexcept {
    BackendPool& pool = *std::exchange(pool_, nullptr);
    Closing closing;
    const std::lock_guard<std::mutex> lock(pool.mutex_);
    ++pool.statistics_.given_back;
    if (pool.shut_down_ || pool.statistics_.in(ConnectionState::idle) >= pool.keeps()) {
        ++pool.statistics_.surplus;
        pool.drop(place_, closing);
        return;
    }
    pool.entries_.splice(pool.entries_.end(), pool.entries_, place_);
    pool.move_to(place_, ConnectionState::idle);
}

std::unique_ptr<PooledConnection> BackendPool::Lease::take() noexcept {
    if (pool_ == nullptr) {
        return nullptr;
    }
    BackendPool& pool = *std::exchange(pool_, nullptr);
    Closing closing;
    const std::lock_guard<std::mutex> lock(pool.mutex_);
    std::unique_ptr<PooledConnection> connection = std::move(place_->connection);
    pool.drop(place_, closing);
    return connection;
}

// --- requests -------------------------------------------------------------------------------------

BackendPool::BackendPool(PoolLimits limits, PoolClock& clock) noexcept
    : limits_(limits), clock_(clock) {}

BackendPool::Lease BackendPool::acquire(MonotonicUs deadline, AcquireFault& fault) {
    return acquire(deadline, false, fault);
}

BackendPool::Lease BackendPool::acquire_fresh(MonotonicUs deadline, AcquireFault& fault) {
    return acquire(deadline, true, fault);
}

BackendPool::Lease BackendPool::acquire(MonotonicUs deadline, bool fresh, AcquireFault& fault) {
    Waiter waiter(fresh);
    Closing closing, made(1);
    std::unique_lock<std::mutex> lock(mutex_);
    last_acquire_ = clock_.now();
    waiter.ticket = next_ticket_++;
    for (;;) {
        fault = await_turn(lock, waiter, deadline);
        if (fault != AcquireFault::none) {
            return Lease();  // it had no turn, so nobody behind it has one now
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
            place->ahead = false;
            ++statistics_.reused;
            return Lease(this, place, true);
        }
    }
}

// Waits for `waiter`'s turn. With another fault than none it has not come.
AcquireFault BackendPool::await_turn(std::unique_lock<std::mutex>& lock, Waiter& waiter,
                                     MonotonicUs deadline) {
    const auto must_wait = [&] { return !shut_down_ && turn_of(waiter) == Turn::none; };
    bool in_time = true;
    if (must_wait()) {
        const auto after = std::find_if(queue_.begin(), queue_.end(), [&](const Waiter* other) {
            return other->ticket > waiter.ticket;
        });
        queue_.insert(after, &waiter);
        statistics_.waits += waiter.has_waited ? 0 : 1;
        waiter.has_waited = true;
        while (in_time && must_wait()) {
            in_time = clock_.wait(lock, waiter.turn, deadline);
        }
        queue_.remove(&waiter);
    }
    if (shut_down_) {
        return AcquireFault::shut_down;
    }
    if (must_wait()) {
        ++statistics_.waits_timed_out;
        return AcquireFault::timed_out;
    }
    return AcquireFault::none;
}

// Who wants a fresh connection leaves the idle ones to those behind it.
BackendPool::Turn BackendPool::turn_of(const Waiter& waiter) noexcept {
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

// Everybody whose turn it is; behind the first who may reuse there is nobody.
void BackendPool::wake() noexcept {
    for (Waiter* waiter : queue_) {
        if (turn_of(*waiter) != Turn::none) {
            waiter->turn.notify_one();
        }
        if (!waiter->fresh) {
            break;
        }
    }
}

// entries_.end() when there is none but expired ones.
BackendPool::Place BackendPool::newest_idle() noexcept {
    for (Place place = entries_.end(); place != entries_.begin();) {
        --place;
        if (place->state == ConnectionState::idle) {
            return is_expired(*place, clock_.now()) ? entries_.end() : place;
        }
    }
    return entries_.end();
}

// Looks at an idle connection without the lock; on lease meanwhile, so that nobody else has it. True:
// it still is. False: it is closed and gone.
bool BackendPool::is_alive(std::unique_lock<std::mutex>& lock, Place place) noexcept {
    const MonotonicUs idle_since = place->since;
    move_to(place, ConnectionState::lent);
    lock.unlock();
    const bool alive = place->connection->is_alive();
    lock.lock();
    if (alive) {
        return true;
    }
    ++statistics_.died;
    Closing closing;
    std::unique_ptr<PooledConnection> dead = std::move(place->connection);
    if (place->ahead && clock_.now() - idle_since < kClosedAtOnce) {
        cool(place, ConnectFault::closed_idle);
    } else {
        drop(place, closing);
    }
    lock.unlock();
    dead.reset();
    lock.lock();
    return false;
}

bool BackendPool::may_connect() const noexcept {
    return limits_.max_connecting == 0 ||
           statistics_.in(ConnectionState::connecting) < limits_.max_connecting;
}

// --- the filler -----------------------------------------------------------------------------------

BackendPool::Lease BackendPool::refill(std::size_t room) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const MonotonicUs now = clock_.now();
    end_cooling([now](const Entry& entry) { return entry.until <= now; });
    const bool resting = last_acquire_ == kNever || now - last_acquire_ >= kRestAfter;
    const std::size_t there = statistics_.in(ConnectionState::idle) + coming();
    if (shut_down_ || resting || !queue_.empty() || !may_connect() ||
        statistics_.in(ConnectionState::cooling) > 0 || there >= std::min(limits_.warm, room)) {
        return Lease();
    }
    const Place place = entries_.emplace(entries_.end());
    place->ahead = true;
    move_to(place, ConnectionState::connecting);
    return Lease(this, place, false);
}

MonotonicUs BackendPool::sweep(std::size_t room, const std::vector<int>& readable) {
    drop_dead(readable);
    Closing closing;
    const std::lock_guard<std::mutex> lock(mutex_);
    drop_expired(closing);
    MonotonicUs next = kNever;
    std::size_t surplus = statistics_.in(ConnectionState::idle);
    surplus -= std::min(surplus, std::min(keeps(), room));
    for (Place place = entries_.begin(); place != entries_.end();) {
        const Place here = place++;
        if (here->state == ConnectionState::idle && surplus > 0) {  // the oldest first
            --surplus;
            ++statistics_.surplus;
            drop(here, closing);
        } else if (here->state == ConnectionState::idle && limits_.ttl > 0) {
            next = std::min(next, here->since + limits_.ttl);
        } else if (here->state == ConnectionState::cooling) {
            next = std::min(next, here->until);
        }
    }
    return next;
}

void BackendPool::drop_dead(const std::vector<int>& readable) {
    for (const int fd : readable) {
        Closing closing;
        std::unique_lock<std::mutex> lock(mutex_);
        const Place place = std::find_if(entries_.begin(), entries_.end(), [fd](const Entry& e) {
            return e.state == ConnectionState::idle && e.connection->fd() == fd;
        });
        if (place == entries_.end()) {
            continue;
        }
        const MonotonicUs idle_since = place->since;
        const std::uint64_t times_let_go = times_let_go_;
        if (!is_alive(lock, place)) {
            continue;
        }
        if (times_let_go == times_let_go_) {
            move_to(place, ConnectionState::idle);
            place->since = idle_since;
        } else {
            drop(place, closing);
        }
    }
}

void BackendPool::idle_descriptors(std::vector<int>& to) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const Entry& entry : entries_) {
        if (entry.state == ConnectionState::idle) {
            to.push_back(entry.connection->fd());
        }
    }
}

void BackendPool::let_go() noexcept {
    Closing closing;
    const std::lock_guard<std::mutex> lock(mutex_);
    ++times_let_go_;
    for (Place place = entries_.begin(); place != entries_.end();) {
        const Place here = place++;
        if (here->state == ConnectionState::idle) {
            drop(here, closing);
        }
    }
}

void BackendPool::shut_down() noexcept {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        shut_down_ = true;
        for (Waiter* waiter : queue_) {
            waiter->turn.notify_one();
        }
    }
    let_go();
}

PoolStatistics BackendPool::statistics() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return statistics_;
}

// --- states; all with the lock held ---------------------------------------------------------------

std::size_t BackendPool::keeps() const noexcept {
    return std::max(limits_.max_idle, limits_.warm);
}

// Made ahead and not idle yet, or being looked at.
std::size_t BackendPool::coming() const noexcept {
    return static_cast<std::size_t>(
        std::count_if(entries_.begin(), entries_.end(), [](const Entry& entry) {
            return entry.ahead && (entry.state == ConnectionState::connecting ||
                                   entry.state == ConnectionState::lent);
        }));
}

bool BackendPool::is_expired(const Entry& entry, MonotonicUs now) const noexcept {
    return limits_.ttl > 0 && now - entry.since >= limits_.ttl;
}

void BackendPool::move_to(Place place, ConnectionState state) noexcept {
    const auto gauge = [this](ConnectionState of) -> std::size_t& {
        return statistics_.in_state[static_cast<std::size_t>(of)];
    };
    const MonotonicUs now = clock_.now();
    if (place->state == ConnectionState::idle && place->ahead &&
        now - place->since >= kClosedAtOnce) {
        closed_in_a_row_ = 0;  // the server does keep them
    }
    if (place->state != ConnectionState::gone) {
        --gauge(place->state);
    }
    if (state != ConnectionState::gone) {
        ++gauge(state);
    }
    place->state = state;
    place->since = now;
    wake();
}

void BackendPool::drop(Place place, Closing& closing) noexcept {
    move_to(place, ConnectionState::gone);
    closing.splice(closing.end(), entries_, place);
}

void BackendPool::drop_expired(Closing& closing) noexcept {
    const MonotonicUs now = clock_.now();
    for (Place place = entries_.begin(); place != entries_.end();) {
        const Place here = place++;
        if (here->state == ConnectionState::idle && is_expired(*here, now)) {
            ++statistics_.expired;
            drop(here, closing);
        }
    }
}

// Nothing to close in these, so it may be done with the lock held.
template <class Predicate>
void BackendPool::end_cooling(Predicate is_over) noexcept {
    Closing nothing;
    for (Place place = entries_.begin(); place != entries_.end();) {
        const Place here = place++;
        if (here->state == ConnectionState::cooling && is_over(*here)) {
            drop(here, nothing);
        }
    }
}

// One entry holds down for failed connects, one for connections closed at once: a connect that is
// successful ends the first and says nothing about the second.
void BackendPool::cool(Place place, ConnectFault fault) noexcept {
    const bool closed_idle = fault == ConnectFault::closed_idle;
    const MonotonicUs now = clock_.now();
    MonotonicUs until = now;
    for (const Entry& entry : entries_) {
        if (entry.state == ConnectionState::cooling &&
            (entry.fault == ConnectFault::closed_idle) == closed_idle) {
            until = std::max(until, entry.until);
        }
    }
    if (closed_idle && until > now) {
        // It was made before the hold-down began, with the one that caused it.
    } else if (closed_idle) {
        until = now + hold_down_after(fault, ++closed_in_a_row_);
    } else {
        until = std::max(until, now + hold_down_after(fault, ++failures_in_a_row_));
    }
    ++statistics_.connects_failed;
    end_cooling([closed_idle](const Entry& entry) {
        return (entry.fault == ConnectFault::closed_idle) == closed_idle;
    });
    place->until = until;
    place->fault = fault;
    move_to(place, ConnectionState::cooling);
}

}  // namespace wsp
