// The body of a backend's refusal on its way to the client, a piece at a time: nothing of it is kept. Request thread.
#pragma once

#include "base/clock.hpp"
#include "httpd/httpd.hpp"
#include "upstream/upgrade_exchange.hpp"

namespace wsp {

// Sends the body of `answer`, and the end of the response. Blocks for as long as it flows: the waiting for the backend
// may come to `patience` in all, and each KiB that arrives gives a second of that back. What breaks off, or is given up, is
// logged, and the client's connection ends within the response. True: it has been read to its end.
bool relay_body(request_rec* r, BackendConnection& backend, const UpgradeResponse& answer,
                DurationUs patience);

}  // namespace wsp
