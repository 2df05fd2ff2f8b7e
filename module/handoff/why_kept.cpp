// Looks at the two connections' filters, sockets and TLS.
#include "handoff/why_kept.hpp"

#include <array>
#include <atomic>
#include <iterator>
#include <string_view>

#include "httpd/connection_context.hpp"

namespace wsp {
namespace {

// The filters that may be left behind: they move bytes (core), are what we continue (mod_ssl), only
// time the request (mod_reqtimeout), only count (mod_logio), or have done all they had to do before any request could
// be read: mod_remoteip's takes the PROXY protocol's header off, keeps nothing, and then passes everything through
// (mod_remoteip.c remoteip_input_filter). Ours is gone after the first answer.
bool may_be_left(const char* filter) {
    static constexpr std::string_view kKnown[] = {
        "core",           "core_in",          "ssl/tls filter",
        "reqtimeout",     "log_input_output", "ssl/tls coalescing filter",
        "remoteip_input", "wsp_connect_offer"};
    for (const std::string_view known : kKnown) {
        if (strcasecmp(known.data(), filter) == 0) {
            return true;
        }
    }
    return false;
}

const char* foreign_filter(const ap_filter_t* filter) {
    for (; filter != nullptr; filter = filter->next) {
        if (!may_be_left(filter->frec->name)) {
            return filter->frec->name;
        }
    }
    return nullptr;
}

}  // namespace

Obstacle obstacle_of(conn_rec* c) {
    const ConnectionContext* const context = connection_context_of(c);
    if (context == nullptr || ap_get_conn_socket(c) == nullptr) {
        return {WhyKept::no_socket};
    }
    for (const ap_filter_t* const filters : {c->input_filters, c->output_filters}) {
        if (const char* const foreign = foreign_filter(filters)) {
            return {WhyKept::filter, foreign};
        }
    }
    return {ap_ssl_conn_is_ssl(c) && context->ssl == nullptr ? WhyKept::foreign_tls
                                                             : WhyKept::none};
}

Obstacle obstacle_of_client(conn_rec* client, bool async) {
    if (client->master != nullptr) {
        return {WhyKept::http2};
    }
    return async ? obstacle_of(client) : Obstacle{WhyKept::async_off};
}

void log_kept_thread(request_rec* r, const Obstacle& obstacle) {
    // One set per process, like the log that it is about.
    static std::array<std::atomic<bool>, std::size(Table<WhyKept>::kRows)> told;
    const auto reason = static_cast<std::size_t>(obstacle.why);
    const bool first = !told[reason].exchange(true);
    const char* const detail = obstacle.detail;
    ap_log_rerror(APLOG_MARK, first ? APLOG_INFO : APLOG_DEBUG, 0, r,
                  "WSP0110: the tunnel keeps its request thread: %s%s%s%s",
                  text_of(obstacle.why).data(), detail != nullptr ? ": " : "",
                  detail != nullptr ? detail : "", first ? " (said once per child process)" : "");
}

}  // namespace wsp
