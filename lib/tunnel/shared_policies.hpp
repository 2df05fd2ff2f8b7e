// Keeps one shared copy of each distinct policy. Tunnels with the same configuration share a copy, and a tunnel that
// outlives its request still has its policy.
//
// Any thread; one mutex. Policies are kept for as long as this object lives.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "tunnel/policy.hpp"

namespace wsp {

class SharedPolicies {
  public:
    // May throw bad_alloc.
    std::shared_ptr<const Policy> share(const Policy& policy);

  private:
    std::mutex mutex_;
    std::vector<std::shared_ptr<const Policy>> policies_;
};

}  // namespace wsp
