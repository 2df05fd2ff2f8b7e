// Refuses handshakes: the client gets a status, and the error log one line that says why, for which mapping, and what
// to do. Numbers, statuses, levels and texts are rows of protocol/handshake_errors.def, upstream/backend_faults.def and
// refusal_causes.def.
#pragma once

#include "handshake/refusal_cells.hpp"
#include "httpd/httpd.hpp"
#include "httpd/limited_log.hpp"
#include "routing/mapping.hpp"
#include "upstream/backend_fault.hpp"
#include "upstream/backend_route.hpp"
#include "upstream/request_connector.hpp"

namespace wsp {

// What the row of a refusal does not know.
struct RefusalDetails {
    const char* what = "";       // for {} in the row's text
    const char* hint = nullptr;  // in place of the row's; null: the row's
    int status = 0;              // where the row has none
};

// Writes the line of a refusal about `r`, which is mapped to `url`; a warning goes through `gate`. Returns the status.
int refuse(request_rec* r, const char* url, LogRateLimit& gate, const RefusalRow& row,
           const RefusalDetails& details = {});

// The refusals of one handshake. Each function writes a line, sets the headers and notes that go with the refusal, and
// returns the HTTP status. Request thread.
class Refusals {
  public:
    // All of these outlive it. `url`: what the request is mapped to.
    Refusals(request_rec* r, const char* url, const MappedUrl& target, const BackendRoute& route,
             proxy_worker* worker, const RequestConnector& connector)
        : r_(r),
          url_(url),
          target_(target),
          route_(route),
          worker_(worker),
          connector_(connector) {}

    // `why`: of any table of RefusalRows. Every refused handshake comes here, once.
    template <typename Enum>
    int refuse(Enum why, const RefusalDetails& details = {}) const {
        count(why);
        return wsp::refuse(r_, url_, connector_.warnings().of(row_of(why).number), row_of(why),
                           details);
    }
    template <typename Enum>
    void count(Enum why) const {
        connector_.series().counters.add(Metric::refused, 1, cell_of(why));
    }
    // Too much goes on already: the client, and a balancer, learn that it is no failure.
    int refuse_for_now(RefusalCause why, const RefusalDetails& details = {}) const;
    int refuse_for(BackendFault fault) const;
    // The line about a backend's own answer, which goes to the client whole.
    void log_backends_refusal(int status) const;

  private:
    const char* detail_of(BackendFault fault) const;
    const char* hint_for(BackendFault fault) const;
    const char* name_of_backend() const;
    const char* name_looked_up() const;
    void advise_client(BackendFault fault) const;

    request_rec* r_;
    const char* url_;
    const MappedUrl& target_;
    const BackendRoute& route_;
    proxy_worker* worker_;
    const RequestConnector& connector_;
};

}  // namespace wsp
