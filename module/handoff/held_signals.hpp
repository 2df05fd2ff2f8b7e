// Prefork's signals while a tunnel keeps the process's only thread.
//
// Prefork tells its child to end by signals whose handlers end the process on the spot (prefork.c just_die) or wait for
// the request to end (stop_listening). Here they are held off until the tunnel has ended, seen through a descriptor
// meanwhile, and turned into what child_stopping tells a child of another MPM. On an MPM with threads nothing is held
// off.
#pragma once

#include <csignal>
#include <initializer_list>

#include "base/unique_fd.hpp"
#include "tunnel/blocking_pump.hpp"

namespace wsp {

class TunnelHost;

// Request thread. `tunnels` outlives it.
class HeldSignals final : public FdHandler {
  public:
    explicit HeldSignals(TunnelHost& tunnels);
    ~HeldSignals() override;
    HeldSignals(const HeldSignals&) = delete;
    HeldSignals& operator=(const HeldSignals&) = delete;

    int fd() const noexcept override { return seen_.get(); }
    void on_readable() noexcept override;
    // A signal waits that will end the process as soon as it is let through.
    bool process_will_die() const;

  private:
    bool waits(std::initializer_list<int> signals) const;

    TunnelHost& tunnels_;
    UniqueFd seen_;
    sigset_t before_{};
    bool holds_ = false;
};

}  // namespace wsp
