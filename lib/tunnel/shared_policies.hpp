// One shared copy of each distinct policy: tunnels of one configuration have the same one, and a tunnel that outlives its
// request still has it.
//
// Any thread; one mutex. Policies are kept until the object goes.
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
