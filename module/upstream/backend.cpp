// The address that a backend was reached at last.
#include "upstream/backend.hpp"

#include "base/signal_safe_lock.hpp"

namespace wsp {

void Backend::note_good_address(const ConnectAddress& address) {
    const SignalSafeLock lock(mutex_);
    good_address_ = address;
    has_good_address_ = true;
}

bool Backend::good_address(ConnectAddress& address) const {
    const SignalSafeLock lock(mutex_);
    address = good_address_;
    return has_good_address_;
}

}  // namespace wsp
