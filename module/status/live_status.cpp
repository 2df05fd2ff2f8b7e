// Nothing is counted yet.
#include "status/live_status.hpp"

#include "httpd/httpd.hpp"

namespace wsp {

ServerSnapshot LiveStatus::snapshot() {
    ServerSnapshot snapshot;
    snapshot.taken_at = apr_time_sec(apr_time_now());
    snapshot.started_at = snapshot.taken_at;
    return snapshot;
}

}  // namespace wsp
