// What a client is told whose handshake is refused, and the one line in the error log that says why and what to do.
#pragma once

#include "httpd/httpd.hpp"
#include "routing/mapping.hpp"
#include "upstream/backend_route.hpp"
#include "upstream/request_connector.hpp"
#include "upstream/upgrade_exchange.hpp"

namespace wsp {

// The refusals of one handshake. Each writes its line and returns the HTTP status, with what headers and notes go with it
// set. Request thread.
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

    // What any stranger can send, and what httpd's own stop brings about: nothing that an administrator is to be woken for.
    int refuse_quietly(int status, const char* id, const char* what) const;
    // Our own side's trouble, or the backend's: a warning, limited in rate.
    int refuse(int status, const char* id, const char* what, const char* hint = nullptr) const;
    int refuse_for(RequestConnector::Fault fault) const;
    int refuse_for(ExchangeFault fault) const;
    // The backend's own answer goes to the client whole. A Host, Origin or path that it does not want is a matter of
    // configuration; that it wants to know who the client is, or sends it elsewhere, is the application's everyday business.
    void log_backends_refusal(int status) const;

  private:
    const char* refusal_line(int status, const char* id, const char* what,
                             const char* hint = nullptr) const;
    const char* of_backend(const char* what) const;
    int refuse_for_no_address() const;

    request_rec* r_;
    const char* url_;
    const MappedUrl& target_;
    const BackendRoute& route_;
    proxy_worker* worker_;
    const RequestConnector& connector_;
};

}  // namespace wsp
