// The functions of a lease: what its holder does with the connection.
#include <utility>

#include "pool/connection_pool.hpp"

namespace wsp {

ConnectionPool::Lease::Lease(Lease&& from) noexcept
    : pool_(std::exchange(from.pool_, nullptr)), place_(from.place_), reused_(from.reused_) {}

ConnectionPool::Lease& ConnectionPool::Lease::operator=(Lease&& from) noexcept {
    std::swap(pool_, from.pool_);
    std::swap(place_, from.place_);
    std::swap(reused_, from.reused_);
    return *this;
}

ConnectionPool::Lease::~Lease() {
    take();  // what it returns is closed here
}

bool ConnectionPool::Lease::is_connecting() const noexcept {
    // No lock: only the lease changes the state of its entry.
    return pool_ != nullptr && place_->state == ConnectionState::connecting;
}

PooledConnection* ConnectionPool::Lease::connection() const noexcept {
    return pool_ != nullptr ? place_->connection.get() : nullptr;
}

void ConnectionPool::Lease::connected(std::unique_ptr<PooledConnection> connection) noexcept {
    const SignalSafeLock lock(pool_->mutex_);
    place_->connection = std::move(connection);
    pool_->move_to(place_, ConnectionState::lent);
    pool_->count(PoolEvent::connects);
    if (place_->preconnected) {
        pool_->count(PoolEvent::preconnects);
    }
    pool_->failures_in_a_row_ = 0;
    pool_->end_hold_down(HoldDown::connects, kNever);
}

void ConnectionPool::Lease::failed(ConnectFault fault) noexcept {
    ConnectionPool& pool = *std::exchange(pool_, nullptr);
    const SignalSafeLock lock(pool.mutex_);
    pool.hold_down(place_, fault);
}

void ConnectionPool::Lease::give_back() noexcept {
    ConnectionPool& pool = *std::exchange(pool_, nullptr);
    Closing closing;
    const SignalSafeLock lock(pool.mutex_);
    if (pool.shut_down_ || pool.statistics_.in(ConnectionState::idle) >= pool.most_idle()) {
        pool.drop(place_, closing);
        return;
    }
    pool.entries_.splice(pool.entries_.end(), pool.entries_, place_);
    pool.move_to(place_, ConnectionState::idle);
}

std::unique_ptr<PooledConnection> ConnectionPool::Lease::take() noexcept {
    if (pool_ == nullptr) {
        return nullptr;
    }
    ConnectionPool& pool = *std::exchange(pool_, nullptr);
    Closing closing;
    const SignalSafeLock lock(pool.mutex_);
    std::unique_ptr<PooledConnection> connection = std::move(place_->connection);
    pool.drop(place_, closing);
    return connection;
}

}  // namespace wsp
