// Passes the body of a backend's refusal on to the client, piece by piece, and keeps none of it. Request thread.
#pragma once

#include "base/clock.hpp"
#include "httpd/httpd.hpp"
#include "upstream/upgrade_exchange.hpp"

namespace wsp {

// Sends the body of `answer` and the end of the response. Blocks while the body flows. All waiting for the backend
// together may take `patience`; each KiB that arrives gives a second of it back. A body that breaks off or is given up
// is logged, and the client's connection ends within the response. Returns true when the body was read to its end.
bool relay_body(request_rec* r, BackendConnection& backend, const UpgradeResponse& answer,
                DurationUs patience);

}  // namespace wsp
