// Who may act, what, and the line that says so.
#include "status/actions.hpp"

#include <string>
#include <string_view>

#include "config/dir_config.hpp"
#include "exposition/action_request.hpp"
#include "exposition/json_writer.hpp"
#include "metrics/series_names.hpp"
#include "protocol/clean_text.hpp"
#include "protocol/header_tokens.hpp"
#include "protocol/origin_check.hpp"
#include "status/action_token.hpp"
#include "status/known_names.hpp"
#include "status/responses.hpp"

namespace wsp {
namespace {

constexpr std::size_t kMostBody = 8192;
constexpr std::size_t kLongestLine = 600;
constexpr char kForm[] = "application/x-www-form-urlencoded";

std::string_view header(const request_rec* r, const char* name) {
    const char* const value = apr_table_get(r->headers_in, name);
    return value != nullptr ? value : "";
}

// --- refusals ---------------------------------------------------------------------------------------

struct Refusal {
    int status = OK;
    std::string sentence;
};

int refuse(request_rec* r, const Refusal& why) {
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r,
                  "WSP0199: an order on the status page is refused with %d: %s", why.status,
                  clean_text(why.sentence, kLongestLine).c_str());
    return send_error(r, why.status, why.sentence);
}

// A name that a stranger can make lead to this server's address (DNS rebinding) is none that the configuration has. An
// address is nobody's to give away, and neither is localhost.
bool is_name_of_ours(const request_rec* r) {
    const std::string_view host(r->hostname != nullptr ? r->hostname : "");
    if (host.empty()) {
        return false;
    }
    if (host.find_first_not_of("0123456789.") == std::string_view::npos ||
        host.find(':') != std::string_view::npos || iequals(host, "localhost") ||
        iequals(host, r->server->server_hostname != nullptr ? r->server->server_hostname : "")) {
        return true;
    }
    for (const apr_array_header_t* const names : {r->server->names, r->server->wild_names}) {
        for (int i = 0; names != nullptr && i < names->nelts; ++i) {
            const char* const name = APR_ARRAY_IDX(names, i, const char*);
            if (name != nullptr && ap_strcasecmp_match(r->hostname, name) == 0) {
                return true;
            }
        }
    }
    return false;
}

bool is_from_browser(const request_rec* r) {
    return apr_table_get(r->headers_in, "Origin") != nullptr ||
           apr_table_get(r->headers_in, "Sec-Fetch-Site") != nullptr;
}

// What every browser says of a request that a page has made (Fetch 3.1 and Fetch Metadata 2.2).
Refusal refusal_of_other_site(const request_rec* r) {
    const std::string_view site = header(r, "Sec-Fetch-Site");
    const std::string_view host = header(r, "Host");
    const bool is_other =
        (!site.empty() && site != "same-origin" && site != "none") ||
        (apr_table_get(r->headers_in, "Origin") != nullptr &&
         check_origin(header(r, "Origin"), host, host) != OriginCheck::same_origin);
    if (is_other) {
        return {
            HTTP_FORBIDDEN,
            "The order comes from a page of another site. Behind a proxy that changes the Host, "
            "make it leave the Host as it is (ProxyPreserveHost On)."};
    }
    if (!is_name_of_ours(r)) {
        return {
            HTTP_FORBIDDEN,
            "The Host of the request is no name of this virtual host: orders from browsers need "
            "one that ServerName or ServerAlias has."};
    }
    return {};
}

Refusal refusal_before_body(const request_rec* r) {
    if (!are_actions_on(r)) {
        return {HTTP_FORBIDDEN,
                "Orders are not accepted here: ProxyWebsocketStatusActions is not On."};
    }
    std::string_view type = header(r, "Content-Type");
    type = trim(type.substr(0, type.find(';')));
    if (!iequals(type, kForm)) {
        return {HTTP_UNSUPPORTED_MEDIA_TYPE,
                "The Content-Type of an order must be application/x-www-form-urlencoded."};
    }
    return is_from_browser(r) ? refusal_of_other_site(r) : Refusal{};
}

// OK with the body, or the status of a refusal.
Refusal read_body(request_rec* r, std::string& body) {
    const int status = ap_setup_client_block(r, REQUEST_CHUNKED_DECHUNK);
    if (status != OK) {
        return {status, "The body of the request cannot be read."};
    }
    char piece[2048];
    if (ap_should_client_block(r) == 0) {
        return {};
    }
    for (;;) {
        const long got = ap_get_client_block(r, piece, sizeof piece);
        if (got < 0) {
            return {HTTP_BAD_REQUEST, "The body of the request is not whole."};
        }
        if (got == 0) {
            return {};
        }
        body.append(piece, static_cast<std::size_t>(got));
        if (body.size() > kMostBody) {
            return {HTTP_REQUEST_ENTITY_TOO_LARGE, "An order has at most 8192 bytes."};
        }
    }
}

// --- acting -----------------------------------------------------------------------------------------

struct Outcome {
    int status = OK;
    std::size_t matched = 0;  // tunnels that end, or series that a pause is about
    std::size_t silent = 0;
    std::string sentence;
};

std::string count_of(std::size_t number, const char* one, const char* many) {
    return std::to_string(number) + ' ' + (number == 1 ? one : many);
}

Outcome close_tunnels(StatusSource& source, const ActionRequest& order) {
    const CloseAnswer answer =
        source.close({order.target, order.value}, {order.code, order.reason, order.spread});
    if (!answer.asked) {
        return {HTTP_SERVICE_UNAVAILABLE, 0, 0,
                "The tunnels could not be asked: there is no shared memory for it, or others ask "
                "all the time. Try again."};
    }
    Outcome outcome{OK, answer.matched, answer.silent, {}};
    outcome.sentence = count_of(answer.matched, "tunnel is", "tunnels are") +
                       (order.spread > 0 ? " going to be closed." : " being closed.");
    if (answer.silent > 0) {
        outcome.sentence += ' ' +
                            count_of(answer.silent, "child process has", "child processes have") +
                            " not answered in time; the order holds for their tunnels, too.";
    }
    return outcome;
}

Outcome pause_or_resume(StatusSource& source, const ActionRequest& order) {
    PauseTable* const pauses = source.pauses();
    const bool pausing = order.action == OperatorAction::pause;
    const ServerSnapshot statistics = source.snapshot();
    if (pausing) {
        const std::string unknown =
            unknown_name(ap_server_conf, statistics, order.vhost, order.backend);
        if (!unknown.empty()) {
            return {HTTP_BAD_REQUEST, 0, 0, unknown};
        }
    }
    if (pauses == nullptr || (pausing && !pauses->pause(order.vhost, order.backend))) {
        return {HTTP_SERVICE_UNAVAILABLE, 0, 0, "There is no room for another pause."};
    }
    Outcome outcome;
    for (const SeriesSnapshot& series : statistics.series) {
        outcome.matched +=
            (order.vhost.empty() || names_vhost(order.vhost, series.vhost)) &&
                    (order.backend.empty() || names_backend(order.backend, series.backend))
                ? 1
                : 0;
    }
    const std::string about = count_of(outcome.matched, "pair", "pairs") +
                              " of a virtual host and a backend that the statistics know so far.";
    if (pausing) {
        outcome.sentence = "New tunnels are paused until somebody resumes them: " + about;
        return outcome;
    }
    const bool all = order.vhost.empty() && order.backend.empty();
    const bool found = all ? pauses->resume_all() > 0 : pauses->resume(order.vhost, order.backend);
    outcome.sentence = found
                           ? "The pause is over: " + about
                           : "There was no such pause; a pause ends with the fields that began it.";
    return outcome;
}

void log_action(request_rec* r, const ActionRequest& order, const Outcome& outcome) {
    const bool closes = order.action == OperatorAction::close;
    ap_log_rerror(APLOG_MARK, APLOG_NOTICE, 0, r,
                  "WSP0196: status page: %s, by user %s from %s: %s%s%s%s%s",
                  clean_text(text_of(order), kLongestLine).c_str(),
                  r->user != nullptr ? r->user : "-", r->useragent_ip,
                  (closes ? count_of(outcome.matched, "tunnel", "tunnels")
                          : count_of(outcome.matched, "pair of virtual host and backend",
                                     "pairs of virtual host and backend"))
                      .c_str(),
                  order.reason.empty() ? "" : "; reason \"", order.reason.c_str(),
                  order.reason.empty() ? "" : "\"",
                  outcome.status != OK ? "; it could not be carried out" : "");
}

bool accepts(const request_rec* r, std::string_view type) {
    return header(r, "Accept").find(type) != std::string_view::npos;
}

// A browser's form goes back to the page, which shows what has become of the order.
int answer(request_rec* r, const ActionRequest& order, const Outcome& outcome) {
    if (outcome.status != OK) {
        return send_error(r, outcome.status, outcome.sentence);
    }
    if (accepts(r, "application/json")) {
        std::string json;
        JsonWriter(json)
            .open('{')
            .key("action")
            .text(row_of(order.action).name)
            .key("matched")
            .number(outcome.matched)
            .key("silent")
            .number(outcome.silent)
            .key("text")
            .text(outcome.sentence)
            .close('}');
        return send(r, "application/json", json + "\n");
    }
    if (accepts(r, "text/html")) {
        apr_table_setn(r->headers_out, "Location",
                       apr_pstrcat(r->pool, ap_escape_uri(r->pool, r->uri), "#tunnels", nullptr));
        r->status = HTTP_SEE_OTHER;
        return send(r, "text/plain; charset=utf-8", outcome.sentence + "\n");
    }
    return send(r, "text/plain; charset=utf-8", outcome.sentence + "\n");
}

}  // namespace

bool are_actions_on(const request_rec* r) {
    return wsp_dir_config_resolved(&dir_config_of(r)).status_actions != 0;
}

int handle_action(request_rec* r, StatusSource& source) {
    Refusal refusal = refusal_before_body(r);
    std::string body;
    if (refusal.status == OK) {
        refusal = read_body(r, body);
    }
    if (refusal.status != OK) {
        return refuse(r, refusal);
    }
    const ActionRequest order = parse_action_request(body);
    if (is_from_browser(r) && !is_action_token(r, order.token)) {
        return refuse(r, {HTTP_FORBIDDEN,
                          "The field token is not the one that the page shows: an order from a "
                          "browser needs it. Reload the page, and try again."});
    }
    if (!order.error.empty()) {
        return refuse(r, {HTTP_BAD_REQUEST, order.error});
    }
    const Outcome outcome = order.action == OperatorAction::close ? close_tunnels(source, order)
                                                                  : pause_or_resume(source, order);
    log_action(r, order, outcome);
    return answer(r, order, outcome);
}

}  // namespace wsp
