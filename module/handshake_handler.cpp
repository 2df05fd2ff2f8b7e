// Check the client's handshake, connect, ask the backend, check its answer, open the tunnel.
#include "handshake_handler.hpp"

#include <algorithm>
#include <cstring>
#include <exception>
#include <string>

#include "backend_exchange.hpp"
#include "backend_link.hpp"
#include "child.hpp"
#include "client_check.hpp"
#include "dir_config.hpp"
#include "error_pages.hpp"
#include "handover.hpp"
#include "handshake_share.hpp"
#include "limited_log.hpp"
#include "mapping.hpp"
#include "protocol/handshake.hpp"
#include "protocol/header_tokens.hpp"
#include "refusal_hints.hpp"
#include "request_headers.hpp"
#include "response_relay.hpp"
#include "tunnel_slots.hpp"
#include "tunnel_terms.hpp"
#include "upgrade_page.hpp"
#include "worker_load.hpp"

namespace wsp {
namespace {

// The reserved bits that the extensions in the answer give a meaning, as it stands.
std::uint8_t rsv_bits(request_rec* r) {
    return rsv_bits_of_extensions(
        TableHeaders(r->pool, r->headers_out).get("Sec-WebSocket-Extensions"));
}

// A redirect, or a question for credentials.
bool is_everyday_refusal(int status) {
    return status < 400 || status == HTTP_UNAUTHORIZED ||
           status == HTTP_PROXY_AUTHENTICATION_REQUIRED;
}

// One handshake.
class Handshake {
  public:
    Handshake(request_rec* r, proxy_worker* worker, proxy_server_conf* conf, char* url,
              const MappedUrl& target)
        : r_(r),
          worker_(worker),
          conf_(conf),
          url_(url),
          path_(url),
          target_(target),
          config_(wsp_dir_config_resolved(&dir_config_of(r))),
          link_(r, worker, conf, config_, target.scheme, target.tls) {}

    int serve(const char* proxyname, apr_port_t proxyport);

  private:
    HandshakeError check_answer(const apr_table_t* fields) const;
    bool is_websocket() const { return iequals(protocol_, "websocket"); }
    int admit();
    int take_slot();
    bool has_a_thread_to_keep();
    int refuse_for_kept_threads();
    int exchange(const char* proxyname, apr_port_t proxyport);
    int refuse_for(LinkFault fault);
    int refuse_for_no_address();
    ExchangeFault ask();
    void note_answer();
    int refuse_for(ExchangeFault fault);
    int take_answer();
    void log_backends_refusal();
    int pass_on_refusal();
    int open_tunnel();
    int run_open_tunnel(MemberWatch::Tie member, std::uint8_t allowed_rsv);
    int refuse_quietly(int status, const char* id, const char* what);
    int refuse(int status, const char* id, const char* what, const char* hint = nullptr);
    const char* refusal_line(int status, const char* id, const char* what,
                             const char* hint = nullptr) const;
    const char* of_backend(const char* what) const;
    DurationUs handshake_timeout() const;

    request_rec* r_;
    proxy_worker* worker_;
    proxy_server_conf* conf_;
    char* url_;
    char* path_;  // of the URL, as the request line to the backend has it
    const MappedUrl& target_;
    TunnelSlot slot_;
    KeptThreads::Slot kept_;
    HandshakeShare share_;
    wsp_dir_config config_;
    BackendLink link_;
    apr_uri_t uri_{};
    const char* forward_proxy_ = nullptr;  // of ProxyRemote, where there is one
    char server_portstr_[32]{};
    MonotonicUs deadline_ = 0;  // of the 101
    const char* protocol_ = "websocket";
    Answer answer_;
};

int Handshake::serve(const char* proxyname, apr_port_t proxyport) {
    const ClientRefusal refusal = check_client(r_, *worker_, target_.websocket, protocol_);
    int status =
        refusal.status == OK ? admit() : refuse_quietly(refusal.status, "WSP0111", refusal.why);
    if (status == OK) {
        status = exchange(proxyname, proxyport);
    }
    return status == OK ? take_answer() : status;
}

// The one log line of a refusal: what, which mapping, what to do.
const char* Handshake::refusal_line(int status, const char* id, const char* what,
                                    const char* hint) const {
    return apr_psprintf(r_->pool, "%s: handshake refused with %d: %s; %s%s%s", id, status, what,
                        name_of_request(r_, url_), hint != nullptr ? "; hint: " : "",
                        hint != nullptr ? hint : "");
}

// What any stranger can send: nothing that an administrator is to be woken for.
// Nor when httpd stops.
int Handshake::refuse_quietly(int status, const char* id, const char* what) {
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r_, "%s", refusal_line(status, id, what));
    return status;
}

// Our own side's trouble, or the backend's.
int Handshake::refuse(int status, const char* id, const char* what, const char* hint) {
    warn(r_, link_.warnings().of(id), refusal_line(status, id, what, hint));
    return status;
}

DurationUs Handshake::handshake_timeout() const {
    if (config_.handshake_timeout_us != WSP_UNSET) {
        return config_.handshake_timeout_us;
    }
    if (worker_->s->timeout_set) {
        return worker_->s->timeout;
    }
    return conf_->timeout_set ? conf_->timeout : r_->server->timeout;
}

// What can be said without turning to the backend.
int Handshake::admit() {
    if (target_.tls && !ap_ssl_has_outgoing_handlers()) {
        return refuse(HTTP_INTERNAL_SERVER_ERROR, "WSP0112",
                      "mod_ssl is not loaded, and the backend speaks TLS",
                      "load mod_ssl, and write \"SSLProxyEngine on\" into the virtual host");
    }
    deadline_ = monotonic_now() + handshake_timeout();
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r_, "WSP0101: serving URL %.*s",
                  static_cast<int>(std::strcspn(url_, "?")), url_);
    if (!has_a_thread_to_keep()) {
        return refuse_for_kept_threads();
    }
    if (!share_.take(Child::current().handshake_threads())) {
        note_full_worker(r_, worker_);
        set_retry_soon(r_);
        return refuse(HTTP_SERVICE_UNAVAILABLE, "WSP0123",
                      "as many threads of this child process are in handshakes as "
                      "ProxyWebsocketHandshakeThreads allows",
                      "look at the backends, of which one is slow to answer, or raise the number");
    }
    return take_slot();
}

// A place under the worker's max=. acquire= of the worker is how long to wait for one.
int Handshake::take_slot() {
    const bool may_wait = worker_->s->acquire_set != 0;
    AcquireFault fault = slot_.take(worker_, 0);
    if (fault == AcquireFault::timed_out && may_wait) {
        const MonotonicUs now = monotonic_now();
        const MonotonicUs until = std::min<MonotonicUs>(now + worker_->s->acquire, deadline_);
        ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r_,
                      "WSP0134: the backend has as many live tunnels in this child process as max= "
                      "allows; waiting up to %" APR_INT64_T_FMT " ms for one of them to end",
                      (until - now) / kMillisecond);
        fault = slot_.take(worker_, until);
    }
    if (fault == AcquireFault::none) {
        return OK;
    }
    note_full_worker(r_, worker_);
    if (fault == AcquireFault::shut_down && may_wait) {
        set_retry_soon(r_);
        return refuse(HTTP_SERVICE_UNAVAILABLE, "WSP0138",
                      "this child process is ending, and has as many live tunnels to the backend "
                      "as max= allows");
    }
    return refuse(HTTP_SERVICE_UNAVAILABLE, "WSP0122",
                  may_wait ? "the backend has as many live tunnels in this child process as max= "
                             "allows, and none of them has ended within acquire="
                           : "the backend has as many live tunnels in this child process as max= "
                             "allows",
                  "raise max=, or add members");
}

// What leaves its thread needs none.
bool Handshake::has_a_thread_to_keep() {
    return !keeps_thread(r_, config_.async != 0) || kept_.take(Child::current().kept_threads());
}

// Its line is a rare one: visitors try again and again.
int Handshake::refuse_for_kept_threads() {
    KeptThreads& kept = Child::current().kept_threads();
    std::uint32_t left_out = 0;
    const bool due = kept.refusals().is_due(monotonic_now(), left_out);
    ap_log_rerror(
        APLOG_MARK, due ? APLOG_WARNING : APLOG_DEBUG, 0, r_,
        "WSP0132: handshake refused with 503: %" APR_INT64_T_FMT
        " tunnels keep their threads in this child process, as many as "
        "ProxyWebsocketMaxBlockingTunnels allows (%u more refused since this was last said); "
        "%s",
        kept.limits().most, left_out, name_of_request(r_, url_));
    note_full_worker(r_, worker_);
    set_retry_soon(r_);
    return HTTP_SERVICE_UNAVAILABLE;
}

// Connection, request, answer. An idle connection that the server has closed meanwhile is none of
// the client's business: the request, a GET of which no answer has begun, goes out again on a fresh
// one (RFC 9110 9.2.2).
int Handshake::exchange(const char* proxyname, apr_port_t proxyport) {
    if (proxyname != nullptr) {
        forward_proxy_ = apr_psprintf(r_->pool, "%s:%d", proxyname, static_cast<int>(proxyport));
    }
    for (bool fresh = false;; fresh = true) {
        BackendLink::Route route{
            &uri_, url_, proxyname, proxyport, server_portstr_, sizeof server_portstr_};
        const LinkFault link_fault = link_.open(route, deadline_, fresh);
        if (link_fault != LinkFault::none) {
            return refuse_for(link_fault);
        }
        path_ = route.url;
        const ExchangeFault fault = ask();
        if (fault == ExchangeFault::none) {
            return OK;
        }
        const bool unanswered = answer_.text.empty() && (fault == ExchangeFault::closed ||
                                                         fault == ExchangeFault::send_failed);
        if (!link_.is_reused() || !unanswered) {
            return refuse_for(fault);
        }
        ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r_,
                      "WSP0125: the backend has closed the idle connection: on a fresh one");
    }
}

// Whoever was connected to, or was to be.
const char* Handshake::of_backend(const char* what) const {
    const proxy_conn_rec& record = *link_.record();
    if (record.uds_path != nullptr) {
        return apr_psprintf(r_->pool, "the backend on the Unix socket %s %s", record.uds_path,
                            what);
    }
    if (forward_proxy_ != nullptr) {
        return apr_psprintf(r_->pool,
                            "the backend %s:%d, by way of the forward proxy %s (ProxyRemote), %s",
                            uri_.hostname, static_cast<int>(uri_.port), forward_proxy_, what);
    }
    return apr_psprintf(r_->pool, "the backend %s:%d %s", record.hostname, record.port, what);
}

// mod_proxy's own line, for an administrator who knows what it looks up and why.
int Handshake::refuse_for_no_address() {
    if (uri_.hostname == nullptr) {
        return refuse(link_.status(), "WSP0127", "the backend's URL has no host",
                      "mend the mapping or the RewriteRule");
    }
    const char* const what =
        forward_proxy_ != nullptr
            ? apr_psprintf(r_->pool, "the forward proxy %s (ProxyRemote) cannot be looked up",
                           forward_proxy_)
            : apr_psprintf(r_->pool, "the backend's name %s cannot be looked up", uri_.hostname);
    return refuse(link_.status(), "WSP0127", what,
                  "mend the name, or look at this machine's resolver (resolv.conf, hosts)");
}

int Handshake::refuse_for(LinkFault fault) {
    switch (fault) {
        case LinkFault::none:
            return OK;
        case LinkFault::out_of_use:
            set_retry_after(r_, worker_);
            return refuse(link_.status(), "WSP0113",
                          "the backend is marked as failed, stopped or disabled",
                          hint_for_unusable_worker(r_, *worker_));
        case LinkFault::stopping:
            return refuse_quietly(link_.status(), "WSP0116", "httpd has stopped meanwhile");
        case LinkFault::crowded:
            note_full_worker(r_, worker_);
            set_retry_soon(r_);
            return refuse(link_.status(), "WSP0124",
                          "max-connecting= connections to the backend were being opened all the "
                          "time until ProxyWebsocketHandshakeTimeout",
                          "look at the backend, which is slow to accept, or raise the number");
        case LinkFault::no_address:
            return refuse_for_no_address();
        case LinkFault::unreachable:
            set_retry_after(r_, worker_);
            return refuse(link_.status(), "WSP0114", of_backend("cannot be reached"),
                          hint_for_connect(r_, link_.connection()));
        case LinkFault::not_set_up:
            return refuse(link_.status(), "WSP0115",
                          "the connection to the backend could not be set up",
                          "mod_proxy's line before this one says why");
        case LinkFault::no_tls:
            return refuse(link_.status(), "WSP0112",
                          "\"SSLProxyEngine on\" is missing, and the backend speaks TLS",
                          hint_for_missing_tls(r_));
        case LinkFault::tls_failed:
            return refuse(link_.status(), "WSP0116",
                          of_backend("did not complete the TLS handshake"),
                          hint_for_tls(r_, target_, link_.connection()));
        case LinkFault::tls_late:
            apr_table_setn(r_->notes, "proxy_timedout", "1");
            return refuse(link_.status(), "WSP0116",
                          of_backend("did not complete the TLS handshake in time"),
                          hint_for_tls(r_, target_, link_.connection()));
    }
    return HTTP_INTERNAL_SERVER_ERROR;
}

// What access logs may ask, under the names of mod_proxy_http. The status is the backend's, which may not be the client's.
void Handshake::note_answer() {
    const apr_sockaddr_t* const source = link_.record()->connection->local_addr;
    apr_table_setn(r_->notes, "proxy-source-port",
                   apr_itoa(r_->pool, source != nullptr ? source->port : 0));
    if (answer_.head.status != 0) {
        apr_table_setn(r_->notes, "proxy-status", apr_itoa(r_->pool, answer_.head.status));
    }
}

ExchangeFault Handshake::ask() {
    BackendConnection& backend = link_.connection();
    const BackendIo::Limit limit(backend.io(), deadline_);
    answer_ = Answer();
    ExchangeFault fault =
        send_request(r_, backend, worker_, conf_, &uri_, path_, server_portstr_, protocol_);
    if (fault == ExchangeFault::none) {
        ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r_,
                      "WSP0102: connected; handshake sent to the backend");
        fault = read_answer(backend, *conf_, answer_);
        note_answer();
    }
    if (fault == ExchangeFault::none && (answer_.head.left_out > 0 || !answer_.body.empty())) {
        warn(
            r_, link_.warnings().of("WSP0139"),
            apr_psprintf(r_->pool,
                         "WSP0139: the backend's response head has a line that is no header field: "
                         "it is %s (ProxyBadHeader); %s",
                         answer_.body.empty() ? "left out" : "where the body begins",
                         name_of_request(r_, url_)));
    }
    return fault;
}

int Handshake::refuse_for(ExchangeFault fault) {
    const bool late = fault == ExchangeFault::timed_out;
    if (late) {
        apr_table_setn(r_->notes, "proxy_timedout", "1");  // for a balancer's failontimeout
    }
    if (fault == ExchangeFault::stopping) {
        return refuse_quietly(HTTP_SERVICE_UNAVAILABLE, "WSP0116", of_backend(text_of(fault)));
    }
    return refuse(
        late ? HTTP_GATEWAY_TIME_OUT : HTTP_BAD_GATEWAY, "WSP0116", of_backend(text_of(fault)),
        hint_for_no_answer(r_, target_, link_.connection(), fault == ExchangeFault::closed));
}

int Handshake::take_answer() {
    const ResponseHead& head = answer_.head;
    if (head.status != HTTP_SWITCHING_PROTOCOLS) {
        if (head.status < 300) {
            // A success that is no 101 means that this is no WebSocket server: its page is of no
            // use to the client.
            return refuse(HTTP_BAD_GATEWAY, "WSP0119",
                          apr_psprintf(r_->pool,
                                       "the backend answered %d instead of 101; is there a "
                                       "WebSocket server at this path?",
                                       head.status));
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
        return refuse(http_status_of(error), "WSP0119", text_of(error).data());
    }
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r_, "WSP0103: 101 from the backend");
    if (!take_over_headers(r_, head)) {
        return HTTP_BAD_GATEWAY;
    }
    add_via(r_, *conf_, server_portstr_);
    return open_tunnel();
}

// The client sees it whole. A Host, Origin or path that the backend does not want is a matter of configuration; that it wants
// to know who the client is, or sends it elsewhere, is the application's everyday business.
void Handshake::log_backends_refusal() {
    const int status = answer_.head.status;
    const char* const whose =
        forward_proxy_ != nullptr
            ? apr_psprintf(r_->pool, "an answer by way of the forward proxy %s (ProxyRemote)",
                           forward_proxy_)
            : "the backend's own answer";
    const char* const line =
        refusal_line(status, "WSP0119", whose,
                     hint_for_answer(r_, target_, link_.connection(), uri_, path_, status));
    if (is_everyday_refusal(status)) {
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r_, "%s", line);
    } else {
        warn(r_, link_.warnings().of(kBackendsAnswer), line);
    }
}

int Handshake::pass_on_refusal() {
    if (!take_over_headers(r_, answer_.head)) {
        return HTTP_BAD_GATEWAY;
    }
    add_via(r_, *conf_, server_portstr_);
    log_backends_refusal();
    bool whole = false;
    const int status = relay_refusal(r_, link_.connection(), answer_, handshake_timeout(), whole);
    if (whole) {
        link_.give_back();
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
    share_.leave();
    MemberWatch::Tie member;
    if (config_.on_member_down != 0) {
        member = Child::current().member_watch().tie(worker_);
    }
    const std::uint8_t chosen = rsv_bits(r_);
    if (!send_switching_protocols(r_, protocol_)) {
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r_,
                      "WSP0105: the client went away before its 101 could be sent; %s",
                      name_of_request(r_, url_));
        return OK;
    }
    try {
        // What a Header directive has taken out, or put in, one of the two sides knows nothing of.
        return run_open_tunnel(member, chosen & rsv_bits(r_));
    } catch (const std::exception& e) {
        // Behind a 101 no status can be sent, only the end of the connection.
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r_,
                      "WSP0145: the tunnel ends before it has begun: %s; %s", e.what(),
                      name_of_request(r_, url_));
        return OK;
    }
}

int Handshake::run_open_tunnel(MemberWatch::Tie member, std::uint8_t allowed_rsv) {
    OpenTunnel tunnel{r_,
                      link_,
                      terms_for(r_, *worker_, *conf_, config_, allowed_rsv, !is_websocket()),
                      config_.async != 0,
                      url_,
                      std::move(kept_),
                      std::move(slot_),
                      member};
    return run_tunnel(tunnel);
}

}  // namespace

int handle_handshake(request_rec* r, proxy_worker* worker, proxy_server_conf* conf, char* url,
                     const char* proxyname, apr_port_t proxyport) {
    make_subrequest_plain(r);
    const MappedUrl* const target = websocket_url_of(r, worker, url);
    if (target == nullptr) {
        return DECLINED;
    }
    const int status = refuse_what_is_never_a_handshake(r, url);
    if (status != OK) {
        return status;
    }
    if (!Child::exists()) {
        warn(r,
             apr_psprintf(r->pool,
                          "WSP0146: handshake refused with 503: this child process had no memory "
                          "for tunnels when it began; %s",
                          name_of_request(r, url)),
             {APLOG_ERR});
        return HTTP_SERVICE_UNAVAILABLE;
    }
    const int served = Handshake(r, worker, conf, url, *target).serve(proxyname, proxyport);
    if (served == HTTP_UPGRADE_REQUIRED) {
        explain_upgrade_required(r);
    }
    return served;
}

}  // namespace wsp
