// What the preconnecting thread does with a pool: preconnecting, and looking after idle connections.
#include <algorithm>

#include "pool/connection_pool.hpp"

namespace wsp {

ConnectionPool::Lease ConnectionPool::preconnect_lease(std::size_t room) {
    const SignalSafeLock lock(mutex_);
    const MonotonicUs now = clock_.now();
    end_hold_down(HoldDown::connects, now);
    end_hold_down(HoldDown::closed_at_once, now);
    const bool resting = last_acquire_ == kNever || now - last_acquire_ >= kRestAfter;
    const std::size_t there = statistics_.in(ConnectionState::idle) + unfinished_preconnects();
    if (shut_down_ || resting || !queue_.empty() || !may_connect() ||
        statistics_.in(ConnectionState::held_down) > 0 ||
        there >= std::min(limits_.preconnect, room)) {
        return Lease();
    }
    const Place place = entries_.emplace(entries_.end());
    place->preconnected = true;
    move_to(place, ConnectionState::connecting);
    return Lease(this, place, false);
}

MonotonicUs ConnectionPool::sweep(std::size_t room, const std::vector<int>& readable,
                                  MonotonicUs watched_since) {
    drop_dead(readable, watched_since);
    Closing closing;
    const SignalSafeLock lock(mutex_);
    drop_expired(closing);
    MonotonicUs next = kNever;
    std::size_t surplus = statistics_.in(ConnectionState::idle);
    surplus -= std::min(surplus, std::min(most_idle(), room));
    for (Place place = entries_.begin(); place != entries_.end();) {
        const Place here = place++;
        if (here->state == ConnectionState::idle && surplus > 0) {  // the oldest first
            --surplus;
            drop(here, closing);
        } else if (here->state == ConnectionState::idle && limits_.ttl > 0) {
            next = std::min(next, here->since + limits_.ttl);
        } else if (here->state == ConnectionState::held_down) {
            next = std::min(next, here->until);
        }
    }
    return next;
}

void ConnectionPool::drop_dead(const std::vector<int>& readable, MonotonicUs watched_since) {
    for (const int fd : readable) {
        Closing closing;
        SignalSafeLock lock(mutex_);
        const Place place = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) {
            return e.state == ConnectionState::idle && e.connection->fd() == fd &&
                   e.since <= watched_since;
        });
        if (place == entries_.end()) {
            continue;
        }
        const MonotonicUs idle_since = place->since;
        const std::uint64_t times_closed_idle = times_closed_idle_;
        if (!is_alive(lock, place)) {
            continue;
        }
        if (times_closed_idle == times_closed_idle_) {
            move_to(place, ConnectionState::idle);
            place->since = idle_since;
        } else {
            drop(place, closing);
        }
    }
}

void ConnectionPool::idle_descriptors(std::vector<int>& to) const {
    const SignalSafeLock lock(mutex_);
    for (const Entry& entry : entries_) {
        if (entry.state == ConnectionState::idle) {
            to.push_back(entry.connection->fd());
        }
    }
}

}  // namespace wsp
