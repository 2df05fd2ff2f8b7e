// Such a request ends as mod_proxy_balancer's pre_request has left it: with 503, and without a handler that was run.
#include "handshake/balancer_refusal.hpp"

#include "handshake/handshake_refusals.hpp"
#include "handshake/refusal_hints.hpp"
#include "httpd/proxy_workers.hpp"
#include "httpd/request_context.hpp"
#include "httpd/request_headers.hpp"
#include "httpd/series_labels.hpp"
#include "routing/mapping.hpp"
#include "statistics/statistics.hpp"
#include "upstream/worker_state.hpp"

namespace wsp {
namespace {

// How many members the line tells of.
constexpr int kMostMembers = 4;

// Whether its members' handshakes are ours. A balancer without members has nobody to say so but its mapping.
bool is_ours(request_rec* r, const proxy_balancer& balancer) {
    const RequestContext* const context = find_request_context(r);
    bool ours = context != nullptr && context->mapped_by_proxy_pass_ws;
    each_member(balancer, [&](const proxy_worker* member) {
        ours = ours || websocket_url_of(r, member, name_of(*member)) != nullptr;
    });
    return ours;
}

// What each member does, and what keeps the request from those that could serve it.
const char* hint_for_members(request_rec* r, const proxy_balancer& balancer) {
    const char* hint = "";
    int told = 0;
    bool is_bound = false;
    each_member(balancer, [&](const proxy_worker* member) {
        const bool usable = takes_new_sessions(*member);
        is_bound = is_bound || (usable && binds_sessions(balancer));
        if (++told <= kMostMembers) {
            hint = apr_pstrcat(r->pool, hint, told == 1 ? "" : "; ", name_of(*member), ": ",
                               usable ? "usable" : hint_for_unusable_worker(r, *member), nullptr);
        }
    });
    if (told == 0) {
        return "it has no members: add one (BalancerMember)";
    }
    const char* const rest =
        told > kMostMembers ? apr_psprintf(r->pool, "; and %d more", told - kMostMembers) : "";
    return apr_pstrcat(r->pool,
                       is_bound ? "the member of this session is not usable, and nofailover=On "
                                  "allows no other; "
                                : "",
                       hint, rest, nullptr);
}

}  // namespace

void explain_missing_member(const HandshakeServices* services, int status, request_rec* r) {
    if (services == nullptr || status != HTTP_SERVICE_UNAVAILABLE || !asks_for_websocket(r)) {
        return;
    }
    const RequestContext* const context = find_request_context(r);
    const bool was_asked = context != nullptr && context->asked_handler;
    const proxy_balancer* const balancer = was_asked ? nullptr : balancer_of(r);
    if (balancer == nullptr || !is_ours(r, *balancer)) {
        return;
    }
    const RefusalRow& row = row_of(RefusalCause::no_member);
    services->statistics.of(r->server, *balancer)
        .counters.add(Metric::refused, 1, cell_of(RefusalCause::no_member));
    refuse(r, proxied_url_of(r), gates_of_child().of(row.number), row,
           {apr_pstrdup(r->pool, label_of(*balancer).c_str()), hint_for_members(r, *balancer)});
}

}  // namespace wsp
