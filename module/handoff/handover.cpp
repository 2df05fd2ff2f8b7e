// Takes connections out of httpd.
//
// How a connection leaves: its descriptor is duplicated, and an idle socket of ours takes the old
// number (dup3). From then on nothing that httpd does to "its" socket, reading, writing, shutdown
// or lingering close, can reach the peer. What httpd's filters have read already is fetched from
// them: they find the idle socket empty instead of reading on, so it is no more than they hold. TLS
// lives on in our reference to the SSL object.
#include "handoff/handover.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>

#include "handoff/blocking_tunnel.hpp"
#include "handoff/handoff.hpp"
#include "handoff/tunnel_host.hpp"
#include "handoff/why_kept.hpp"
#include "httpd/connection_context.hpp"
#include "httpd/socket_fd.hpp"

namespace wsp {
namespace {

Obstacle obstacle_of_tunnel(const OpenTunnel& tunnel) {
    const Obstacle found = obstacle_of_client(tunnel.r->connection, tunnel.async);
    return found ? found : obstacle_of(tunnel.backend.record()->connection);
}

// The bytes from the peer that httpd's filters have already read.
std::string drain_filters(conn_rec* c) {
    std::string early;
    apr_bucket_brigade* const brigade = apr_brigade_create(c->pool, c->bucket_alloc);
    char piece[8192];
    for (;;) {
        const apr_status_t status = ap_get_brigade(c->input_filters, brigade, AP_MODE_READBYTES,
                                                   APR_NONBLOCK_READ, sizeof piece);
        apr_size_t size = sizeof piece;
        // After an end or an error, the next read of the socket finds it again.
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

// Afterwards httpd has the stand-in in place of its socket.
TakenConnection take(conn_rec* c, UniqueFd duplicate, int stand_in) {
    TakenConnection taken;
    const int fd = fd_of(ap_get_conn_socket(c));
    while (::dup3(stand_in, fd, O_CLOEXEC) < 0 && errno == EINTR) {
    }
    taken.fd = std::move(duplicate);
    taken.early = drain_filters(c);
    ConnectionContext& context = *connection_context_of(c);
    if (context.ssl != nullptr) {
        SSL_up_ref(context.ssl);
        taken.ssl.reset(context.ssl);
        taken.secrets = std::move(context.secrets);
    }
    // httpd must neither write a close_notify nor linger. server/connection.c ap_start_lingering_close, mod_ssl's
    // ssl_io_filter_output and mod_proxy's connection_shutdown look at these fields.
    c->keepalive = AP_CONN_CLOSE;
    c->aborted = 1;
    return taken;
}

// Decides whether the TLS session of `taken`, the `side`'s connection, may leave OpenSSL, and logs it.
void decide_on_records(request_rec* r, const char* side, bool own_records, TakenConnection& taken) {
    if (!taken.ssl) {
        return;
    }
    const TlsDeparture obstacle = !own_records     ? TlsDeparture::switched_off
                                  : !taken.secrets ? TlsDeparture::no_secrets
                                                   : taken.secrets->obstacle(taken.ssl.get());
    if (obstacle == TlsDeparture::none || obstacle == TlsDeparture::handshake) {
        ap_log_rerror(
            APLOG_MARK, APLOG_DEBUG, 0, r,
            "WSP0160: the TLS session of the %s leaves OpenSSL for records of our own (%s)", side,
            SSL_get_cipher_name(taken.ssl.get()));
        return;
    }
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r,
                  "WSP0161: the TLS session of the %s stays with OpenSSL: %s", side,
                  text_of(obstacle).data());
    TlsSecrets::detach(taken.ssl.get());
    taken.secrets.reset();
}

UniqueFd duplicate_of(conn_rec* c) {
    return UniqueFd(::fcntl(fd_of(ap_get_conn_socket(c)), F_DUPFD_CLOEXEC, 3));
}

// Leaves connection filters only, and of these none that waits for more data or for the end of the request.
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

// When it returns an obstacle, both connections are still httpd's, unchanged.
Obstacle leave(OpenTunnel& tunnel, TunnelHost& tunnels) {
    Pump* const pump = tunnels.pump();
    if (pump == nullptr) {
        return {WhyKept::no_pump};
    }
    request_rec* const r = tunnel.r;
    conn_rec* const client = r->connection;
    conn_rec* const backend = tunnel.backend.record()->connection;
    UniqueFd client_fd = duplicate_of(client);
    UniqueFd backend_fd = duplicate_of(backend);
    if (!client_fd.valid() || !backend_fd.valid()) {
        return {WhyKept::no_descriptor};
    }
    TakenConnection from_client = take(client, std::move(client_fd), tunnels.idle_fd());
    TakenConnection from_backend = take(backend, std::move(backend_fd), tunnels.idle_fd());
    decide_on_records(tunnel.r, "client", tunnel.own_records, from_client);
    decide_on_records(tunnel.r, "backend", tunnel.own_records, from_backend);
    // After take(): by now mod_logio has counted everything that went through httpd.
    LogRecord log(r, tunnel.identity, tunnel.log());
    auto handoff = std::make_shared<Handoff>(
        std::move(from_client), std::move(from_backend), tunnel.terms,
        TunnelContext{std::move(log), tunnel.backend.worker(), std::move(tunnel.permit),
                      std::move(tunnel.count), tunnel.terms.group.exists()},
        std::move(tunnel.opening), tunnels, *pump);
    connection_context_of(client)->handoff = handoff;
    connection_context_of(backend)->handoff = std::move(handoff);
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r, "WSP0104: tunnel handed over to the pump: %s",
                  name_of_tunnel(tunnel.identity).c_str());
    tunnel.backend.release();
    return {};
}

}  // namespace

bool keeps_thread(request_rec* r, bool async) {
    return static_cast<bool>(obstacle_of_client(r->connection, async));
}

int run_tunnel(OpenTunnel& tunnel, TunnelHost& tunnels) {
    strip_filters(tunnel.r, tunnel.backend.record()->connection);
    Obstacle obstacle = obstacle_of_tunnel(tunnel);
    if (!obstacle) {
        obstacle = leave(tunnel, tunnels);
    }
    if (obstacle) {
        log_kept_thread(tunnel.r, obstacle);
        if (!tunnel.kept) {
            tunnel.kept = tunnels.kept_threads().take_anyway();
        }
        pump_on_this_thread(tunnel, tunnels);
    }
    return OK;
}

}  // namespace wsp
