// Each way in which a handshake fails: status, number, sentence, hint.
#include "handshake/handshake_refusals.hpp"

#include "handshake/refusal_hints.hpp"
#include "httpd/limited_log.hpp"
#include "upstream/retry_after.hpp"
#include "upstream/worker_state.hpp"

namespace wsp {
namespace {

// A redirect, or a question for credentials.
bool is_everyday_refusal(int status) {
    return status < 400 || status == HTTP_UNAUTHORIZED ||
           status == HTTP_PROXY_AUTHENTICATION_REQUIRED;
}

}  // namespace

// The one log line of a refusal: what, which mapping, what to do.
const char* Refusals::refusal_line(int status, const char* id, const char* what,
                                   const char* hint) const {
    return apr_psprintf(r_->pool, "%s: handshake refused with %d: %s; %s%s%s", id, status, what,
                        name_of_request(r_, url_), hint != nullptr ? "; hint: " : "",
                        hint != nullptr ? hint : "");
}

int Refusals::refuse_quietly(int status, const char* id, const char* what) const {
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r_, "%s", refusal_line(status, id, what));
    return status;
}

int Refusals::refuse(int status, const char* id, const char* what, const char* hint) const {
    warn(r_, connector_.warnings().of(id), refusal_line(status, id, what, hint));
    return status;
}

// Whoever was connected to, or was to be.
const char* Refusals::of_backend(const char* what) const {
    const proxy_conn_rec& record = *connector_.record();
    if (record.uds_path != nullptr) {
        return apr_psprintf(r_->pool, "the backend on the Unix socket %s %s", record.uds_path,
                            what);
    }
    if (const char* const proxy = route_.forward_proxy(r_->pool)) {
        return apr_psprintf(r_->pool,
                            "the backend %s:%d, by way of the forward proxy %s (ProxyRemote), %s",
                            route_.uri.hostname, static_cast<int>(route_.uri.port), proxy, what);
    }
    return apr_psprintf(r_->pool, "the backend %s:%d %s", record.hostname, record.port, what);
}

// mod_proxy's own line, for an administrator who knows what it looks up and why.
int Refusals::refuse_for_no_address() const {
    if (route_.uri.hostname == nullptr) {
        return refuse(connector_.status(), "WSP0127", "the backend's URL has no host",
                      "mend the mapping or the RewriteRule");
    }
    const char* const proxy = route_.forward_proxy(r_->pool);
    const char* const what =
        proxy != nullptr
            ? apr_psprintf(r_->pool, "the forward proxy %s (ProxyRemote) cannot be looked up",
                           proxy)
            : apr_psprintf(r_->pool, "the backend's name %s cannot be looked up",
                           route_.uri.hostname);
    return refuse(connector_.status(), "WSP0127", what,
                  "mend the name, or look at this machine's resolver (resolv.conf, hosts)");
}

int Refusals::refuse_for(RequestConnector::Fault fault) const {
    switch (fault) {
        case RequestConnector::Fault::none:
            return OK;
        case RequestConnector::Fault::out_of_use:
            set_retry_after(r_, worker_);
            return refuse(connector_.status(), "WSP0113",
                          "the backend is marked as failed, stopped or disabled",
                          hint_for_unusable_worker(r_, *worker_));
        case RequestConnector::Fault::stopping:
            return refuse_quietly(connector_.status(), "WSP0116", "httpd has stopped meanwhile");
        case RequestConnector::Fault::crowded:
            note_full_worker(r_, worker_);
            set_retry_soon(r_);
            return refuse(connector_.status(), "WSP0124",
                          "max-connecting= connections to the backend were being opened all the "
                          "time until ProxyWebsocketHandshakeTimeout",
                          "look at the backend, which is slow to accept, or raise the number");
        case RequestConnector::Fault::no_address:
            return refuse_for_no_address();
        case RequestConnector::Fault::unreachable:
            set_retry_after(r_, worker_);
            return refuse(connector_.status(), "WSP0114", of_backend("cannot be reached"),
                          hint_for_connect(r_, connector_.connection()));
        case RequestConnector::Fault::not_set_up:
            return refuse(connector_.status(), "WSP0115",
                          "the connection to the backend could not be set up",
                          "mod_proxy's line before this one says why");
        case RequestConnector::Fault::no_tls:
            return refuse(connector_.status(), "WSP0112",
                          "\"SSLProxyEngine on\" is missing, and the backend speaks TLS",
                          hint_for_missing_tls(r_));
        case RequestConnector::Fault::tls_failed:
            return refuse(connector_.status(), "WSP0116",
                          of_backend("did not complete the TLS handshake"),
                          hint_for_tls(r_, target_, connector_.connection()));
        case RequestConnector::Fault::tls_late:
            apr_table_setn(r_->notes, "proxy_timedout", "1");
            return refuse(connector_.status(), "WSP0116",
                          of_backend("did not complete the TLS handshake in time"),
                          hint_for_tls(r_, target_, connector_.connection()));
    }
    return HTTP_INTERNAL_SERVER_ERROR;
}

int Refusals::refuse_for(ExchangeFault fault) const {
    const bool late = fault == ExchangeFault::timed_out;
    if (late) {
        apr_table_setn(r_->notes, "proxy_timedout", "1");  // for a balancer's failontimeout
    }
    if (fault == ExchangeFault::stopping) {
        return refuse_quietly(HTTP_SERVICE_UNAVAILABLE, "WSP0116", of_backend(text_of(fault)));
    }
    return refuse(
        late ? HTTP_GATEWAY_TIME_OUT : HTTP_BAD_GATEWAY, "WSP0116", of_backend(text_of(fault)),
        hint_for_no_answer(r_, target_, connector_.connection(), fault == ExchangeFault::closed));
}

// The client sees it whole. A Host, Origin or path that the backend does not want is a matter of configuration; that it wants
// to know who the client is, or sends it elsewhere, is the application's everyday business.
void Refusals::log_backends_refusal(int status) const {
    const char* const proxy = route_.forward_proxy(r_->pool);
    const char* const whose =
        proxy != nullptr
            ? apr_psprintf(r_->pool, "an answer by way of the forward proxy %s (ProxyRemote)",
                           proxy)
            : "the backend's own answer";
    const char* const line = refusal_line(
        status, "WSP0119", whose,
        hint_for_answer(r_, target_, connector_.connection(), route_.uri, route_.path, status));
    if (is_everyday_refusal(status)) {
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r_, "%s", line);
    } else {
        warn(r_, connector_.warnings().of(kBackendsAnswer), line);
    }
}

}  // namespace wsp
