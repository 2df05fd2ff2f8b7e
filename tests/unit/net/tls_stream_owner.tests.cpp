// A TLS stream is on its own: whatever the peer sends, nothing that the SSL's former owner has left on it or on its
// context is called (docs/decisions/0009).
#include <catch2/catch.hpp>

#include "support/hostile_owner.hpp"
#include "support/stream_calls.hpp"
#include "support/tls_pair.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

// Our end is handed over by an owner that has left all its callbacks.
std::unique_ptr<TlsStream> hand_over(TlsPair& pair) {
    leave_callbacks(pair.ctx.get());
    allow_session_protection(pair.ctx.get());
    leave_callbacks(pair.ssl.get());
    calls_to_owner.clear();
    return pair.stream();
}

void say(TlsPeer& peer) {
    peer.say("words");
}
void nothing(TlsPeer&) {}

void update_keys(TlsPeer& peer) {
    for (int i = 0; i < 100; ++i)
        must(SSL_key_update(peer.ssl.get(), SSL_KEY_UPDATE_REQUESTED) == 1 &&
                 SSL_do_handshake(peer.ssl.get()) == 1,
             "no KeyUpdate");
    peer.send();
}

void ask_for_certificate(TlsPeer& peer) {
    SSL_set_verify(peer.ssl.get(), SSL_VERIFY_PEER, nullptr);
    must(SSL_verify_client_post_handshake(peer.ssl.get()) == 1 &&
             SSL_do_handshake(peer.ssl.get()) == 1,
         "no CertificateRequest");
    peer.send();
}

// A HelloRequest from a server, a ClientHello from a client.
void renegotiate(TlsPeer& peer) {
    SSL_renegotiate(peer.ssl.get());
    SSL_do_handshake(peer.ssl.get());
    ERR_clear_error();
    peer.send();
}

void send_rubbish(TlsPeer& peer) {
    send_all(peer.fd.get(), "this is certainly no TLS record");
}

void begin_record(TlsPeer& peer) {
    peer.write("never whole");
    peer.send(9);
    peer.drop_unsent();
}

void end_in_record(TlsPeer& peer) {
    begin_record(peer);
    peer.fin();
}

void close_notify_in_record(TlsPeer& peer) {
    begin_record(peer);
    peer.close_notify();
}

void send_fatal_alert(TlsPeer& peer) {
    // The peer finds what it receives to be no TLS.
    BIO_write(SSL_get_rbio(peer.ssl.get()), "this is certainly no TLS record", 31);
    peer.read();
    peer.send();
}

enum Roles { either, we_accept, we_connect };

struct Event {
    const char* name;
    void (*happen)(TlsPeer&);
    Roles roles;
    int version;  // 0: either
    IoStatus status;
};

const Event kEvents[] = {
    {"the stream's end", nothing, either, 0, IoStatus::would_block},
    {"data", say, either, 0, IoStatus::ok},
    {"100 KeyUpdates that want an answer", update_keys, either, TLS1_3_VERSION,
     IoStatus::would_block},
    {"250 tickets, under way since the handshake", nothing, we_connect, TLS1_3_VERSION,
     IoStatus::would_block},
    {"CertificateRequest", ask_for_certificate, we_connect, TLS1_3_VERSION, IoStatus::would_block},
    {"HelloRequest, or renegotiation", renegotiate, either, TLS1_2_VERSION, IoStatus::would_block},
    {"no TLS", send_rubbish, either, 0, IoStatus::error},
    {"FIN in mid-record", end_in_record, either, 0, IoStatus::eof},
    {"close_notify in mid-record", close_notify_in_record, either, 0, IoStatus::error},
    {"close_notify", [](TlsPeer& peer) { peer.close_notify(); }, either, 0, IoStatus::eof},
    {"FIN", [](TlsPeer& peer) { peer.fin(); }, either, 0, IoStatus::eof},
    {"a fatal alert", send_fatal_alert, either, 0, IoStatus::error},
};

struct Setting {
    const Event* event;
    bool we_accept;
    int version;
};

std::vector<Setting> all_settings() {
    std::vector<Setting> all;
    for (const Event& event : kEvents) {
        for (const bool accept : {true, false}) {
            for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
                const bool role_fits =
                    event.roles == either || (event.roles == we_accept) == accept;
                if (role_fits && (event.version == 0 || event.version == version))
                    all.push_back({&event, accept, version});
            }
        }
    }
    return all;
}

// Clients may be asked for a certificate, servers send many tickets.
TlsWishes wishes() {
    TlsWishes wishes;
    wishes.ours = [](SSL_CTX* ctx) {
        SSL_CTX_set_post_handshake_auth(ctx, 1);
        SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);  // of TLS 1.2: the session has an id
    };
    wishes.theirs = [](SSL_CTX* ctx) { SSL_CTX_set_num_tickets(ctx, 250); };
    return wishes;
}

// What reading finds once all has been read that the peer has sent.
IoStatus read_all(TlsStream& stream) {
    std::string got;
    IoStatus seen = IoStatus::would_block;
    while (stream.has_buffered_input() || wait_for(stream.fd(), POLLIN, 0)) {
        const IoResult outcome = read_from(stream, got);
        seen = outcome.status == IoStatus::would_block ? seen : outcome.status;
        if (outcome.status == IoStatus::eof || outcome.status == IoStatus::error)
            break;
    }
    return seen;
}

}  // namespace

TEST_CASE("nothing of an SSL's former owner is called, whatever the peer sends") {
    const Setting setting = GENERATE(from_range(all_settings()));
    CAPTURE(setting.event->name, setting.we_accept, setting.version);
    TlsPair pair(setting.we_accept, setting.version, unix_pair(), wishes());
    auto stream = hand_over(pair);
    setting.event->happen(pair.peer);
    CHECK(read_all(*stream) == setting.event->status);
    write_to(*stream, "an answer");
    std::string got;
    read_from(*stream, got);  // behind an end or an error too
    stream->shutdown_write();
    stream.reset();
    CHECK(calls_to_owner == std::set<std::string>{});
}

TEST_CASE("a stream goes on after everything that TLS sends besides data") {
    const Setting setting = GENERATE(from_range(all_settings()));
    CAPTURE(setting.event->name, setting.we_accept, setting.version);
    const IoStatus status = setting.event->status;
    if (status == IoStatus::error || status == IoStatus::eof)
        return;
    TlsPair pair(setting.we_accept, setting.version, unix_pair(), wishes());
    const auto stream = hand_over(pair);
    setting.event->happen(pair.peer);
    read_all(*stream);
    REQUIRE(write_to(*stream, "an answer").status == IoStatus::ok);
    if (setting.event->happen == renegotiate)
        return;  // OpenSSL's peer takes the refusal for an error
    CHECK(pair.peer.hear(9) == "an answer");
    pair.peer.say("as before");
    std::string got;
    CHECK(await_read(*stream, got).status == IoStatus::ok);
    CHECK(got == "as before");
}

TEST_CASE("a backend that asks for a certificate in an open tunnel is told that there is none") {
    TlsPair pair(false, TLS1_3_VERSION, unix_pair(), wishes());
    const auto stream = hand_over(pair);
    for (int i = 0; i < 3; ++i) {
        ask_for_certificate(pair.peer);  // fails as long as the one before is not answered
        read_all(*stream);
        write_to(*stream, "data");
        CHECK(pair.peer.hear(4) == "data");
    }
    CHECK(SSL_get0_verified_chain(pair.peer.ssl.get()) == nullptr);
}

TEST_CASE("an owner's callback for removed sessions is called for the owner's own connections") {
    TlsPair pair(true, TLS1_2_VERSION, unix_pair(), wishes());
    leave_callbacks(pair.ctx.get());
    allow_session_protection(pair.ctx.get());
    allow_session_protection(pair.ctx.get());  // no harm
    calls_to_owner.clear();
    pair.ssl.reset();  // ends without close_notify
    CHECK(calls_to_owner == std::set<std::string>{"session remove"});
}

TEST_CASE("a context without a callback for removed sessions gets none") {
    TlsPair pair;
    allow_session_protection(pair.ctx.get());
    CHECK(SSL_CTX_sess_get_remove_cb(pair.ctx.get()) == nullptr);
}
