// Takes connections out of httpd, or explains why that cannot be done.
//
// How a connection leaves: its descriptor is duplicated, and an idle socket of ours takes the old
// number (dup3). From then on nothing that httpd does to "its" socket, reading, writing, shutdown
// or lingering close, can reach the peer. What httpd's filters have read already is fetched from
// them: they find the idle socket empty instead of reading on, so it is no more than they hold. TLS
// lives on in our reference to the SSL object.
#include "handoff/handover.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <memory>
#include <string_view>
#include <utility>

#include "apr_portable.h"
#include "child/child.hpp"
#include "handoff/blocking_tunnel.hpp"
#include "handoff/handoff.hpp"
#include "httpd/boundary.hpp"
#include "httpd/connection_context.hpp"

namespace wsp {
namespace {

// Why a connection cannot leave. Each is logged once per child.
enum class Stays { no, http2, off, no_socket, filter, foreign_tls, no_pump, no_descriptor, kCount };

const char* text_of(Stays why) {
    switch (why) {
        case Stays::http2:
            return "the client's connection is an HTTP/2 stream";
        case Stays::off:
            return "ProxyWebsocketAsync is Off";
        case Stays::no_socket:
            return "the connection has no socket";
        case Stays::filter:
            return "a connection filter is in place that has to see the data";
        case Stays::foreign_tls:
            return "its TLS is not mod_ssl's";
        case Stays::no_pump:
            return "the child has no pump";
        case Stays::no_descriptor:
            return "the process has no descriptor left; raise ulimit -n";
        default:
            return "";
    }
}

void log_stays(request_rec* r, Stays why, const char* detail) {
    static std::array<std::atomic<bool>, static_cast<std::size_t>(Stays::kCount)> told;
    const bool first = !told[static_cast<std::size_t>(why)].exchange(true);
    ap_log_rerror(APLOG_MARK, first ? APLOG_INFO : APLOG_DEBUG, 0, r,
                  "WSP0110: the tunnel keeps its request thread: %s%s%s%s", text_of(why),
                  detail ? ": " : "", detail ? detail : "",
                  first ? " (said once per child process)" : "");
}

// The filters that may be left behind: they move bytes (core), are what we continue (mod_ssl), only
// time the request (mod_reqtimeout), only count (mod_logio), or have done all they had to do before any request could be
// read: mod_remoteip's takes the PROXY protocol's header off, keeps nothing, and then passes everything through
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

Stays why_connection_stays(conn_rec* c, const char*& detail) {
    const ConnectionContext* const context = connection_context_of(c);
    if (context == nullptr || ap_get_conn_socket(c) == nullptr) {
        return Stays::no_socket;
    }
    detail = foreign_filter(c->input_filters);
    if (detail == nullptr) {
        detail = foreign_filter(c->output_filters);
    }
    if (detail != nullptr) {
        return Stays::filter;
    }
    return ap_ssl_conn_is_ssl(c) && context->ssl == nullptr ? Stays::foreign_tls : Stays::no;
}

Stays why_client_stays(conn_rec* client, bool async, const char*& detail) {
    if (client->master != nullptr) {
        return Stays::http2;
    }
    return async ? why_connection_stays(client, detail) : Stays::off;
}

Stays why_stays(const OpenTunnel& tunnel, const char*& detail) {
    const Stays why = why_client_stays(tunnel.r->connection, tunnel.async, detail);
    return why != Stays::no ? why
                            : why_connection_stays(tunnel.backend.record()->connection, detail);
}

int descriptor_of(conn_rec* c) {
    apr_os_sock_t fd = -1;
    apr_os_sock_get(&fd, ap_get_conn_socket(c));
    return fd;
}

// What httpd's filters hold of what the peer has sent.
std::string drain_filters(conn_rec* c) {
    std::string early;
    apr_bucket_brigade* const brigade = apr_brigade_create(c->pool, c->bucket_alloc);
    char piece[8192];
    for (;;) {
        const apr_status_t status = ap_get_brigade(c->input_filters, brigade, AP_MODE_READBYTES,
                                                   APR_NONBLOCK_READ, sizeof piece);
        apr_size_t size = sizeof piece;
        // An end or an error is found again by whoever reads the socket next.
        if (status != APR_SUCCESS || apr_brigade_flatten(brigade, piece, &size) != APR_SUCCESS ||
            size == 0) {
            break;
        }
        early.append(piece, size);
        apr_brigade_cleanup(brigade);
    }
    apr_brigade_destroy(brigade);
    return early;
}

// From here on httpd has a stand-in for a socket.
TakenConnection take(conn_rec* c, UniqueFd duplicate) {
    TakenConnection taken;
    const int fd = descriptor_of(c);
    while (::dup3(Child::current().idle_fd(), fd, O_CLOEXEC) < 0 && errno == EINTR) {
    }
    taken.fd = std::move(duplicate);
    taken.early = drain_filters(c);
    if (SSL* const ssl = connection_context_of(c)->ssl) {
        SSL_up_ref(ssl);
        taken.ssl.reset(ssl);
    }
    // Nobody is to write a close_notify or to linger (server/connection.c ap_start_lingering_close,
    // mod_ssl's ssl_io_filter_output, mod_proxy's connection_shutdown look at this).
    c->keepalive = AP_CONN_CLOSE;
    c->aborted = 1;
    return taken;
}

UniqueFd duplicate_of(conn_rec* c) {
    return UniqueFd(::fcntl(descriptor_of(c), F_DUPFD_CLOEXEC, 3));
}

// Only connection filters, and none of those that wait for more or for the request's end.
void strip_filters(request_rec* r, conn_rec* backend) {
    for (conn_rec* c : {r->connection, backend}) {
        ap_remove_output_filter_byhandle(c->output_filters, "SSL/TLS Coalescing Filter");
    }
    BackendIo::take_off(backend);
    ap_remove_input_filter_byhandle(r->connection->input_filters, "reqtimeout");
    r->input_filters = r->proto_input_filters = r->connection->input_filters;
    r->output_filters = r->proto_output_filters = r->connection->output_filters;
    r->connection->keepalive = AP_CONN_CLOSE;
}

// Nothing has happened yet when the result is not Stays::no.
Stays leave(OpenTunnel& tunnel) {
    Child& child = Child::current();
    Pump* const pump = child.pump();
    if (pump == nullptr) {
        return Stays::no_pump;
    }
    request_rec* const r = tunnel.r;
    conn_rec* const client = r->connection;
    conn_rec* const backend = tunnel.backend.record()->connection;
    UniqueFd client_fd = duplicate_of(client);
    UniqueFd backend_fd = duplicate_of(backend);
    if (!client_fd.valid() || !backend_fd.valid()) {
        return Stays::no_descriptor;
    }
    TakenConnection from_client = take(client, std::move(client_fd));
    TakenConnection from_backend = take(backend, std::move(backend_fd));
    // Now that mod_logio has counted everything that went through httpd.
    LogRecord log(r, tunnel.backend_url, tunnel.log());
    const std::string about = log.about();  // the record moves on
    auto handoff = std::make_shared<Handoff>(
        std::move(from_client), std::move(from_backend), tunnel.terms,
        TunnelContext{std::move(log), tunnel.backend.worker(), std::move(tunnel.permit)},
        TunnelHost{*pump, child.access_log_writer(), child.neutral_tls(), child.stopping()});
    connection_context_of(client)->handoff = handoff;
    connection_context_of(backend)->handoff = std::move(handoff);
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r, "WSP0104: tunnel handed over to the pump: %s",
                  about.c_str());
    tunnel.backend.release();
    return Stays::no;
}

}  // namespace

bool keeps_thread(request_rec* r, bool async) {
    const char* detail = nullptr;
    return why_client_stays(r->connection, async, detail) != Stays::no;
}

int run_tunnel(OpenTunnel& tunnel) {
    strip_filters(tunnel.r, tunnel.backend.record()->connection);
    const char* detail = nullptr;
    Stays why = why_stays(tunnel, detail);
    if (why == Stays::no) {
        why = leave(tunnel);
    }
    if (why != Stays::no) {
        log_stays(tunnel.r, why, detail);
        tunnel.kept.take_anyway(Child::current().kept_threads());
        pump_on_this_thread(tunnel);
    }
    return OK;
}

}  // namespace wsp
