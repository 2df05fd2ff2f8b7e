// Looks whether there is something to read.
#include "surveying/tunnels_on_channel.hpp"

#include <poll.h>

namespace wsp {

// A process that was killed while it sent has left a wrong number behind, so the channel itself is asked.
bool TunnelsOnChannel::are_any() const noexcept {
    if (kept_ == nullptr || !kept_->page->is_any_under_way()) {
        return false;
    }
    pollfd asked{kept_->read_fd, POLLIN, 0};
    return ::poll(&asked, 1, 0) > 0;
}

}  // namespace wsp
