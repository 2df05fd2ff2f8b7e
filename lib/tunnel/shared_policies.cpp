// Searches for an equal policy before it makes a copy. A configuration has few policies, so the search is short.
#include "tunnel/shared_policies.hpp"

#include <algorithm>

#include "base/signal_safe_lock.hpp"

namespace wsp {

std::shared_ptr<const Policy> SharedPolicies::share(const Policy& policy) {
    const SignalSafeLock lock(mutex_);
    const auto same = [&policy](const std::shared_ptr<const Policy>& known) {
        return *known == policy;
    };
    const auto known = std::find_if(policies_.begin(), policies_.end(), same);
    if (known != policies_.end()) {
        return *known;
    }
    policies_.push_back(std::make_shared<const Policy>(policy));
    return policies_.back();
}

}  // namespace wsp
