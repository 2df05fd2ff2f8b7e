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
    Closing closing;
    const std::lock_guard<std::mutex> lock(pool_->mutex_);
    place_->connection = std::move(connection);
    pool_->move_to(place_, ConnectionState::lent);
    ++pool_->statistics_.connects;
    pool_->statistics_.connects_ahead += place_->ahead ? 1 : 0;
    pool_->failures_in_a_row_ = 0;
    pool_->end_cooling(kNever, closing);
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
    for (;;) {
        Closing closing;
        std::unique_lock<std::mutex> lock(mutex_);
        last_acquire_ = clock_.now();
        const std::uint64_t ticket = next_ticket_++;
        queue_.push_back(ticket);
        await_turn(lock, ticket, fresh, deadline, fault);
        leave_queue(ticket);
        if (fault != AcquireFault::none) {
            return Lease();
        }
        drop_expired(closing);
        if (!fresh && statistics_.in(ConnectionState::idle) > 0) {
            const Place place =
                std::find_if(entries_.rbegin(), entries_.rend(), [](const Entry& e) {
                    return e.state == ConnectionState::idle;
                }).base();
            const Place newest = std::prev(place);
            newest->ahead = false;
            move_to(newest, ConnectionState::lent);
            Lease lease(this, newest, true);
            lock.unlock();
            if (lease.connection()->is_alive()) {
                lock.lock();
                ++statistics_.reused;
                return lease;
            }
            lock.lock();
            ++statistics_.died;
            lock.unlock();
            continue;  // closes it, and looks again
        }
        if (may_connect()) {
            const Place place = entries_.emplace(entries_.end());
            move_to(place, ConnectionState::connecting);
            return Lease(this, place, false);
        }
        // The idle connection that it was to have has expired: once more.
    }
}

// On return it is this ticket's turn, or `fault` says why it never was.
void BackendPool::await_turn(std::unique_lock<std::mutex>& lock, std::uint64_t ticket, bool fresh,
                             MonotonicUs deadline, AcquireFault& fault) {
    fault = AcquireFault::none;
    bool counted = false;
    while (!shut_down_ && !may_go_on(ticket, fresh)) {
        statistics_.waits += counted ? 0 : 1;
        counted = true;
        if (!clock_.wait(lock, changed_, deadline)) {
            if (shut_down_ || may_go_on(ticket, fresh)) {
                break;
            }
            ++statistics_.waits_timed_out;
            fault = AcquireFault::timed_out;
            return;
        }
    }
    fault = shut_down_ ? AcquireFault::shut_down : AcquireFault::none;
}

bool BackendPool::may_go_on(std::uint64_t ticket, bool fresh) const {
    return queue_.front() == ticket &&
           (may_connect() || (!fresh && statistics_.in(ConnectionState::idle) > 0));
}

void BackendPool::leave_queue(std::uint64_t ticket) noexcept {
    queue_.remove(ticket);
    if (!queue_.empty()) {
        changed_.notify_all();  // the next one's turn
    }
}

bool BackendPool::may_connect() const noexcept {
    return limits_.max_connecting == 0 ||
           statistics_.in(ConnectionState::connecting) < limits_.max_connecting;
}

// --- the filler -----------------------------------------------------------------------------------

BackendPool::Lease BackendPool::refill(std::size_t room) {
    Closing closing;
    const std::lock_guard<std::mutex> lock(mutex_);
    const MonotonicUs now = clock_.now();
    end_cooling(now, closing);
    const bool resting = last_acquire_ == kNever || now - last_acquire_ >= kRestAfter;
    const std::size_t there = statistics_.in(ConnectionState::idle) + making_ahead();
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

// Whoever is looked at is on lease meanwhile.
void BackendPool::drop_dead(const std::vector<int>& readable) {
    for (const int fd : readable) {
        std::unique_lock<std::mutex> lock(mutex_);
        const Place place = std::find_if(entries_.begin(), entries_.end(), [fd](const Entry& e) {
            return e.state == ConnectionState::idle && e.connection->fd() == fd;
        });
        if (place == entries_.end()) {
            continue;
        }
        const MonotonicUs idle_since = place->since;
        move_to(place, ConnectionState::lent);
        Lease lease(this, place, true);
        lock.unlock();
        const bool alive = lease.connection()->is_alive();
        lock.lock();
        if (alive) {
            move_to(place, ConnectionState::idle);
            place->since = idle_since;
            lease.pool_ = nullptr;
            continue;
        }
        ++statistics_.died;
        const bool at_once = place->ahead && clock_.now() - idle_since < kClosedAtOnce;
        const std::unique_ptr<PooledConnection> dead = std::move(place->connection);
        if (at_once) {
            cool(place, ConnectFault::closed_idle);
            lease.pool_ = nullptr;
        }
        lock.unlock();  // and then it is closed
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
        changed_.notify_all();
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

std::size_t BackendPool::making_ahead() const noexcept {
    return static_cast<std::size_t>(
        std::count_if(entries_.begin(), entries_.end(), [](const Entry& entry) {
            return entry.state == ConnectionState::connecting && entry.ahead;
        }));
}

void BackendPool::move_to(Place place, ConnectionState state) noexcept {
    const auto gauge = [this](ConnectionState of) -> std::size_t& {
        return statistics_.in_state[static_cast<std::size_t>(of)];
    };
    const bool frees_a_turn = place->state == ConnectionState::connecting;
    if (place->state != ConnectionState::gone) {
        --gauge(place->state);
    }
    if (state != ConnectionState::gone) {
        ++gauge(state);
    }
    place->state = state;
    place->since = clock_.now();
    if (!queue_.empty() && (frees_a_turn || state == ConnectionState::idle)) {
        changed_.notify_all();
    }
}

void BackendPool::drop(Place place, Closing& closing) noexcept {
    move_to(place, ConnectionState::gone);
    closing.splice(closing.end(), entries_, place);
}

void BackendPool::drop_expired(Closing& closing) noexcept {
    const MonotonicUs now = clock_.now();
    for (Place place = entries_.begin(); place != entries_.end() && limits_.ttl > 0;) {
        const Place here = place++;
        if (here->state == ConnectionState::idle && now - here->since >= limits_.ttl) {
            ++statistics_.expired;
            drop(here, closing);
        }
    }
}

void BackendPool::end_cooling(MonotonicUs now, Closing& closing) noexcept {
    for (Place place = entries_.begin(); place != entries_.end();) {
        const Place here = place++;
        if (here->state == ConnectionState::cooling && here->until <= now) {
            drop(here, closing);
        }
    }
}

void BackendPool::cool(Place place, ConnectFault fault) noexcept {
    ++statistics_.connects_failed;
    MonotonicUs until = clock_.now() + hold_down_after(fault, ++failures_in_a_row_);
    for (const Entry& entry : entries_) {
        if (entry.state == ConnectionState::cooling) {
            until = std::max(until, entry.until);
        }
    }
    Closing closing;
    end_cooling(kNever, closing);  // one of them is enough
    move_to(place, ConnectionState::cooling);
    place->until = until;
}

}  // namespace wsp
