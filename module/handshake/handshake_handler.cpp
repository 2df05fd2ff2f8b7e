// Check the client's handshake, connect, ask the backend, check its answer, open the tunnel.
#include "handshake/handshake_handler.hpp"

#include <cstring>
#include <exception>
#include <string>
#include <utility>

#include "config/dir_config.hpp"
#include "handoff/handover.hpp"
#include "handoff/tunnel_host.hpp"
#include "handshake/admission.hpp"
#include "handshake/client_check.hpp"
#include "handshake/handshake_refusals.hpp"
#include "handshake/resolve_terms.hpp"
#include "handshake/response_relay.hpp"
#include "handshake/tunnel_tag.hpp"
#include "handshake/upgrade_page.hpp"
#include "httpd/limited_log.hpp"
#include "httpd/request_context.hpp"
#include "httpd/request_headers.hpp"
#include "log/tunnel_log.hpp"
#include "protocol/handshake.hpp"
#include "protocol/header_tokens.hpp"
#include "routing/error_pages.hpp"
#include "routing/mapping.hpp"
#include "upstream/request_connector.hpp"
#include "upstream/upgrade_exchange.hpp"
#include "upstream/worker_parameters.hpp"

namespace wsp {
namespace {

// The reserved bits (RFC 6455 5.2) that the extensions in the current answer use.
std::uint8_t rsv_bits(request_rec* r) {
    return rsv_bits_of_extensions(
        TableHeaders(r->pool, r->headers_out).get("Sec-WebSocket-Extensions"));
}

// One handshake.
class Handshake {
  public:
    Handshake(const HandshakeServices& services, request_rec* r, proxy_worker* worker,
              proxy_server_conf* conf, char* url, const MappedUrl& target, const char* proxyname,
              apr_port_t proxyport)
        : services_(services),
          r_(r),
          worker_(worker),
          conf_(conf),
          url_(url),
          target_(target),
          config_(wsp_dir_config_resolved(&dir_config_of(r))),
          connector_(r, worker, conf, config_, target.scheme, target.tls, services.pools),
          route_(url, proxyname, proxyport),
          refusals_(r, url, target, route_, worker, connector_),
          admission_(r, worker, config_, connector_.series().labels, refusals_, services),
          asked_before_(services.tunnels.last_question()) {}

    int serve();

  private:
    HandshakeError check_answer(const apr_table_t* fields) const;
    bool is_websocket() const { return iequals(protocol_, "websocket"); }
    int admit();
    int exchange();
    BackendFault ask();
    void note_answer();
    int take_answer();
    int pass_on_refusal();
    int open_tunnel();
    int run_open_tunnel(TunnelTerms terms, const TunnelIdentity& identity, OpeningTunnel opening);
    DurationUs handshake_timeout() const;

    const HandshakeServices& services_;
    request_rec* r_;
    proxy_worker* worker_;
    proxy_server_conf* conf_;
    char* url_;
    const MappedUrl& target_;
    wsp_dir_config config_;
    RequestConnector connector_;
    BackendRoute route_;
    Refusals refusals_;
    Admission admission_;
    // An operator's orders to close that come later are about this tunnel, too.
    std::uint32_t asked_before_;
    MonotonicUs deadline_ = 0;  // of the 101
    const char* protocol_ = "websocket";
    UpgradeResponse answer_;
};

int Handshake::serve() {
    const ClientRefusal refusal = check_client(r_, *worker_, target_.websocket, protocol_);
    int status = refusal.error == HandshakeError::none
                     ? admit()
                     : refusals_.refuse(refusal.error, {refusal.detail});
    if (status == OK) {
        status = exchange();
    }
    return status == OK ? take_answer() : status;
}

DurationUs Handshake::handshake_timeout() const {
    if (config_.handshake_timeout_us != WSP_UNSET) {
        return config_.handshake_timeout_us;
    }
    return timeout_of(*worker_, *conf_, *r_->server);
}

// What can be decided before the backend is asked.
int Handshake::admit() {
    if (target_.tls && !ap_ssl_has_outgoing_handlers()) {
        return refusals_.refuse(RefusalCause::no_mod_ssl);
    }
    deadline_ = monotonic_now() + handshake_timeout();
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r_, "WSP0101: serving URL %.*s",
                  static_cast<int>(std::strcspn(url_, "?")), url_);
    return admission_.ask(deadline_);
}

// Connection, request, answer. The server may have closed an idle connection meanwhile. The client need not know: the
// request is a GET without an answer, so it is sent again on a new connection (RFC 9110 9.2.2).
int Handshake::exchange() {
    for (bool fresh = false;; fresh = true) {
        const BackendFault no_connection = connector_.open(route_, deadline_, fresh);
        if (no_connection != BackendFault::none) {
            return refusals_.refuse_for(no_connection);
        }
        const BackendFault fault = ask();
        if (fault == BackendFault::none) {
            return OK;
        }
        const bool unanswered = answer_.text.empty() && (fault == BackendFault::closed ||
                                                         fault == BackendFault::send_failed);
        if (!connector_.is_reused() || !unanswered) {
            return refusals_.refuse_for(fault);
        }
        ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r_,
                      "WSP0125: the backend has closed the idle connection; the handshake is sent "
                      "again on a new one");
    }
}

// Notes for access logs, with mod_proxy_http's names. The status is the backend's; the client's may differ.
void Handshake::note_answer() {
    const apr_sockaddr_t* const source = connector_.record()->connection->local_addr;
    apr_table_setn(r_->notes, "proxy-source-port",
                   apr_itoa(r_->pool, source != nullptr ? source->port : 0));
    if (answer_.head.status != 0) {
        apr_table_setn(r_->notes, "proxy-status", apr_itoa(r_->pool, answer_.head.status));
    }
}

BackendFault Handshake::ask() {
    BackendConnection& backend = connector_.connection();
    const BackendIo::Limit limit(backend.io(), deadline_);
    answer_ = UpgradeResponse();
    BackendFault fault = send_upgrade_request(r_, backend, conf_, route_, protocol_);
    if (fault == BackendFault::none) {
        ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r_,
                      "WSP0102: connected; handshake sent to the backend");
        fault = read_upgrade_response(backend, *conf_, answer_);
        note_answer();
    }
    if (fault == BackendFault::none && (answer_.head.ignored_lines > 0 || !answer_.body.empty())) {
        warn(
            r_, connector_.warnings().of("WSP0139"),
            apr_psprintf(r_->pool,
                         "WSP0139: the backend's response head has a line that is no header field: "
                         "it is %s (ProxyBadHeader); %s",
                         answer_.body.empty() ? "left out" : "where the body begins",
                         name_of_request(r_, url_)));
    }
    return fault;
}

int Handshake::take_answer() {
    const ResponseHead& head = answer_.head;
    if (head.status != HTTP_SWITCHING_PROTOCOLS) {
        if (head.status < 300) {
            // A success other than 101: this is no WebSocket server, and the client cannot use its page.
            return refusals_.refuse(HandshakeError::backend_not_switching,
                                    {apr_itoa(r_->pool, head.status)});
        }
        return pass_on_refusal();
    }
    apr_table_t* const fields = apr_table_make(r_->pool, static_cast<int>(head.fields.size()));
    for (const HeaderField& field : head.fields) {
        apr_table_addn(fields, apr_pstrmemdup(r_->pool, field.name.data(), field.name.size()),
                       apr_pstrmemdup(r_->pool, field.value.data(), field.value.size()));
    }
    const HandshakeError error = check_answer(fields);
    if (error != HandshakeError::none) {
        return refusals_.refuse(error);
    }
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r_, "WSP0103: 101 from the backend");
    const RefusalCause unusable = take_over_headers(r_, head);
    if (unusable != RefusalCause::none) {
        return refusals_.refuse(unusable);
    }
    add_via(r_, *conf_, route_.server_port);
    return open_tunnel();
}

int Handshake::pass_on_refusal() {
    const RefusalCause unusable = take_over_headers(r_, answer_.head);
    if (unusable != RefusalCause::none) {
        return refusals_.refuse(unusable);
    }
    add_via(r_, *conf_, route_.server_port);
    refusals_.log_backends_refusal(answer_.head.status);
    bool whole = false;
    const int status =
        relay_refusal(r_, connector_.connection(), answer_, handshake_timeout(), whole);
    if (whole) {
        connector_.give_back();
    }
    return status;
}

HandshakeError Handshake::check_answer(const apr_table_t* fields) const {
    const TableHeaders answer(r_->pool, fields);
    if (is_websocket()) {
        return check_response(TableHeaders(r_->pool, r_->headers_in), answer_.head.status, answer);
    }
    return iequals(trim(answer.get("Upgrade")), protocol_) ? HandshakeError::none
                                                           : HandshakeError::backend_no_upgrade;
}

int Handshake::open_tunnel() {
    admission_.leave_handshake();
    // Before the 101, since these allocate: without memory the client can still be answered with a status.
    TunnelTerms terms =
        resolve_terms(services_.policies, r_, *worker_, *conf_, config_, !is_websocket());
    terms.group = group_for(services_.members, worker_, config_);
    terms.surveyed = asked_before_;
    const TunnelIdentity identity =
        identity_of(r_, url_, tag_of(r_, config_, connector_.warnings().of("WSP0198")));
    const std::uint8_t chosen = rsv_bits(r_);
    OpeningTunnel opening = services_.tunnels.announce_tunnel();
    if (!send_switching_protocols(r_, protocol_)) {
        refusals_.count(RefusalCause::client_gone);
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r_,
                      "WSP0105: the client went away before its 101 could be sent; %s",
                      name_of_request(r_, url_));
        return OK;
    }
    try {
        // Header directives may add or remove extensions in the 101. Only those count that both sides know.
        terms.allowed_rsv = chosen & rsv_bits(r_);
        set_opening_notes(r_);
        if (config_.log_open != 0) {
            log_open_tunnel(r_, identity);
        }
        return run_open_tunnel(std::move(terms), identity, std::move(opening));
    } catch (const std::exception& e) {
        // After the 101 no status can be sent; the connection just ends.
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r_,
                      "WSP0145: the tunnel ends before it has begun: %s; %s", e.what(),
                      name_of_request(r_, url_));
        return OK;
    }
}

int Handshake::run_open_tunnel(TunnelTerms terms, const TunnelIdentity& identity,
                               OpeningTunnel opening) {
    OpenTunnel tunnel{r_,
                      connector_,
                      std::move(terms),
                      config_.async != 0,
                      config_.own_records != 0,
                      identity,
                      admission_.take_kept_thread(),
                      admission_.take_permit(),
                      TunnelCount::opened(connector_.series(), apr_time_now() - r_->request_time),
                      std::move(opening)};
    return run_tunnel(tunnel, services_.tunnels);
}

}  // namespace

int handle_handshake(const HandshakeServices* services, request_rec* r, proxy_worker* worker,
                     proxy_server_conf* conf, char* url, const char* proxyname,
                     apr_port_t proxyport) {
    make_subrequest_plain(r);
    const MappedUrl* const target = websocket_url_of(r, worker, url);
    if (target == nullptr) {
        return DECLINED;
    }
    request_context_of(r).asked_handler = true;
    const int status = refuse_what_is_never_a_handshake(r, url);
    if (status != OK) {
        return status;
    }
    if (services == nullptr) {
        const RefusalRow& row = row_of(RefusalCause::child_without_memory);
        return refuse(r, url, gates_of_child().of(row.number), row);
    }
    const int served =
        Handshake(*services, r, worker, conf, url, *target, proxyname, proxyport).serve();
    if (served == HTTP_UPGRADE_REQUIRED) {
        explain_upgrade_required(r);
    }
    return served;
}

}  // namespace wsp
