// A TLS session that leaves OpenSSL: when it does, when it does not, and what only records of our own do. What every TLS
// stream does is in tls_stream.tests.cpp and tls_stream_ends.tests.cpp.
#include "net/record_stream.hpp"

#include <catch2/catch.hpp>

#include "support/stream_calls.hpp"
#include "support/tls_pair.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

TlsWishes suite(const char* name) {
    TlsWishes wishes;
    wishes.ours = wishes.theirs = [name](SSL_CTX* ctx) { SSL_CTX_set_ciphersuites(ctx, name); };
    return wishes;
}

const char* any_suite() {
    return GENERATE("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                    "TLS_CHACHA20_POLY1305_SHA256");
}

// With records of its own, and the same moving before each call.
std::unique_ptr<Stream> own_or_moving(TlsPair& pair) {
    std::unique_ptr<Stream> own = pair.own_records();
    if (GENERATE(false, true)) {
        return std::make_unique<MovingStream>(std::move(own), TlsPair::workspace());
    }
    return own;
}

void update_keys(TlsPeer& peer, int count, int type) {
    for (int i = 0; i < count; ++i) {
        must(SSL_key_update(peer.ssl.get(), type) == 1 && SSL_do_handshake(peer.ssl.get()) == 1,
             "no KeyUpdate");
    }
}

void check_echo(Stream& stream, TlsPeer& peer, const std::string& text) {
    peer.say(text);
    std::string all, got;
    while (all.size() < text.size() && await_read(stream, got).status == IoStatus::ok) {
        all += got;
    }
    CHECK(all == text);
    for (std::size_t at = 0; at < text.size();) {
        const IoResult put = write_to(stream, std::string_view(text).substr(at));
        REQUIRE(put.status == IoStatus::ok);
        at += put.size;
    }
    CHECK(peer.hear(text.size()) == text);
}

int owners_lines = 0;
void owners_key_log(const SSL*, const char*) {
    ++owners_lines;
}

}  // namespace

TEST_CASE("a session leaves OpenSSL with each suite, in both roles, and goes on") {
    TlsPair pair(GENERATE(true, false), TLS1_3_VERSION, unix_pair(), suite(any_suite()));
    if (GENERATE(false, true)) {
        // Records of both directions before it leaves.
        pair.peer.say("to OpenSSL");
        char got[20];
        REQUIRE(SSL_read(pair.ssl.get(), got, sizeof got) == 10);
        REQUIRE(SSL_write(pair.ssl.get(), "from OpenSSL", 12) == 12);
        CHECK(pair.peer.hear(12) == "from OpenSSL");
    }
    const auto stream = own_or_moving(pair);
    check_echo(*stream, pair.peer, "x");
    check_echo(*stream, pair.peer, std::string(60'000, 'y'));
    CHECK_FALSE(stream->awaits_successor());
}

TEST_CASE("a session leaves only between two records, wherever the stream of bytes is cut") {
    TlsPair pair(GENERATE(true, false));
    const auto stream = pair.leaving_stream();
    pair.peer.write("first");
    pair.peer.write("second");
    std::string all, got;
    const std::size_t cut = GENERATE(range(1, 50));
    const std::size_t record = 22;
    const std::size_t on_wire = 2 * record + 5 + 6;
    pair.peer.send(cut);
    REQUIRE(wait_for(stream->fd(), POLLIN));
    while (read_from(*stream, got).status == IoStatus::ok) {
        all += got;
    }
    const bool between = cut == record + 5;
    std::unique_ptr<Stream> own = stream->successor(TlsPair::workspace());
    CHECK((own != nullptr) == between);
    CHECK(stream->awaits_successor() == !between);
    pair.peer.send(on_wire);
    Stream& now = own ? *own : *stream;
    while (all.size() < 11 && await_read(now, got).status == IoStatus::ok) {
        all += got;
    }
    CHECK(all == "firstsecond");
    if (!own) {
        own = stream->successor(TlsPair::workspace());
    }
    REQUIRE(own);
    check_echo(*own, pair.peer, "and on");
}

TEST_CASE("a session does not leave while decrypted bytes or an unfinished write are in it") {
    TlsPair pair;
    shrink_buffers(pair.fd.get());
    const auto stream = pair.leaving_stream();
    pair.peer.say("words");
    std::string got;
    REQUIRE(await_read(*stream, got, 2).status == IoStatus::ok);
    CHECK(stream->successor(TlsPair::workspace()) == nullptr);
    REQUIRE(read_from(*stream, got).status == IoStatus::ok);
    const std::string much(50'000, 'x');
    while (write_to(*stream, much).status == IoStatus::ok) {
    }
    CHECK(stream->successor(TlsPair::workspace()) == nullptr);
    IoResult put;
    do {
        pair.peer.receive();
        pair.peer.read();
        put = write_to(*stream, much);
    } while (put.status == IoStatus::would_block);
    CHECK(stream->successor(TlsPair::workspace()) != nullptr);
}

TEST_CASE("an end that is found before it leaves stays in the stream that found it") {
    TlsPair pair;
    const auto stream = pair.leaving_stream();
    pair.peer.write("last words");
    pair.peer.close_notify();
    std::string got;
    REQUIRE(await_read(*stream, got).status == IoStatus::ok);
    CHECK(stream->successor(TlsPair::workspace()) == nullptr);
    CHECK(read_from(*stream, got).status == IoStatus::eof);
}

TEST_CASE("a session stays with OpenSSL for good, and its secrets say why") {
    SECTION("TLS 1.2") {
        TlsPair pair(true, TLS1_2_VERSION);
        CHECK(pair.secrets->obstacle(pair.ssl.get()) == TlsDeparture::version);
        const auto stream = pair.leaving_stream();
        CHECK(stream->successor(TlsPair::workspace()) == nullptr);
        CHECK_FALSE(stream->awaits_successor());
        CHECK(write_to(*stream, "as before").status == IoStatus::ok);
        CHECK(pair.peer.hear(9) == "as before");
    }
    SECTION("a KeyUpdate of the peer") {
        TlsPair pair;
        const auto stream = pair.leaving_stream();
        update_keys(pair.peer, 1, SSL_KEY_UPDATE_NOT_REQUESTED);
        pair.peer.say("x");
        std::string got;
        REQUIRE(await_read(*stream, got).status == IoStatus::ok);
        CHECK(stream->successor(TlsPair::workspace()) == nullptr);
        CHECK_FALSE(stream->awaits_successor());
        CHECK(write_to(*stream, "as before").status == IoStatus::ok);
        CHECK(pair.peer.hear(9) == "as before");
    }
    SECTION("another cipher suite") {
        TlsPair pair(true, TLS1_3_VERSION, unix_pair(), suite("TLS_AES_128_CCM_SHA256"));
        CHECK(pair.secrets->obstacle(pair.ssl.get()) == TlsDeparture::cipher_suite);
    }
    SECTION("records of limited size") {
        TlsWishes wishes;
        wishes.theirs = [](SSL_CTX* ctx) {
            SSL_CTX_set_tlsext_max_fragment_length(ctx, TLSEXT_max_fragment_length_1024);
        };
        TlsPair pair(true, TLS1_3_VERSION, unix_pair(), wishes);
        CHECK(pair.secrets->obstacle(pair.ssl.get()) == TlsDeparture::record_limit);
    }
    SECTION("a key log callback that came later") {
        TlsPair first;
        SSL_CTX_set_keylog_callback(first.ctx.get(), owners_key_log);
        TlsSecrets secrets;
        const UniqueSsl ssl(SSL_new(first.ctx.get()));
        secrets.attach(ssl.get());
        SocketPair sockets = unix_pair();
        SSL_set_fd(ssl.get(), sockets.ours.get());
        SSL_set_accept_state(ssl.get());
        prepare_tunnel_socket(sockets.ours.get());
        TlsPeer peer(first.peer_ctx.get(), std::move(sockets.theirs));
        SSL_set_connect_state(peer.ssl.get());
        for (int i = 0; i < 3; ++i) {
            SSL_do_handshake(peer.ssl.get());
            peer.send();
            SSL_do_handshake(ssl.get());
            peer.receive();
        }
        ERR_clear_error();
        REQUIRE(SSL_is_init_finished(ssl.get()) == 1);
        CHECK(secrets.obstacle(ssl.get()) == TlsDeparture::no_secrets);
        TlsSecrets::detach(ssl.get());
    }
}

TEST_CASE("an owner's key log callback is called as before") {
    owners_lines = 0;
    TlsWishes wishes;
    wishes.ours = [](SSL_CTX* ctx) { SSL_CTX_set_keylog_callback(ctx, owners_key_log); };
    TlsPair pair(true, TLS1_3_VERSION, unix_pair(), wishes);
    CHECK(owners_lines >= 4);
    const int before = owners_lines;
    check_echo(*pair.own_records(), pair.peer, "and its session leaves");
    CHECK(owners_lines == before);
}

TEST_CASE("bytes on the wire are counted on from where OpenSSL was") {
    TlsPair pair;
    const auto stream = pair.leaving_stream();
    pair.peer.say("hello");
    std::string got;
    REQUIRE(await_read(*stream, got).status == IoStatus::ok);
    REQUIRE(write_to(*stream, "hello").status == IoStatus::ok);
    const std::uint64_t read = stream->wire_bytes_read();
    const std::uint64_t written = stream->wire_bytes_written();
    const auto own = stream->successor(TlsPair::workspace());
    REQUIRE(own);
    CHECK(own->wire_bytes_read() == read);
    CHECK(own->wire_bytes_written() == written);
    pair.peer.say("hello");
    REQUIRE(await_read(*own, got).status == IoStatus::ok);
    REQUIRE(write_to(*own, "hello").status == IoStatus::ok);
    CHECK(own->wire_bytes_read() == read + 5 + kRecordOverhead);
    CHECK(own->wire_bytes_written() == written + 5 + kRecordOverhead);
}

TEST_CASE("the session can still be resumed when its SSL object is gone") {
    TlsPair pair;
    SSL_up_ref(pair.ssl.get());
    const UniqueSsl ssl(pair.ssl.get());
    const auto own = pair.own_records();
    CHECK(SSL_SESSION_is_resumable(SSL_get_session(ssl.get())) == 1);
    CHECK(SSL_get_shutdown(ssl.get()) == (SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN));
}

TEST_CASE("a client's session takes tickets that were under way when it left") {
    TlsWishes wishes;
    wishes.theirs = [](SSL_CTX* ctx) { SSL_CTX_set_num_tickets(ctx, 50); };
    TlsPair pair(false, TLS1_3_VERSION, unix_pair(), wishes);
    const auto own = pair.own_records();
    check_echo(*own, pair.peer, "behind the tickets");
}

TEST_CASE("however many KeyUpdates want an answer, one goes out, with the next data") {
    TlsPair pair(GENERATE(true, false));
    const auto stream = own_or_moving(pair);
    const std::uint64_t before = stream->wire_bytes_written();
    update_keys(pair.peer, 100, SSL_KEY_UPDATE_REQUESTED);
    pair.peer.say("x");
    std::string got;
    REQUIRE(await_read(*stream, got).status == IoStatus::ok);
    CHECK(stream->wire_bytes_written() == before);
    REQUIRE(write_to(*stream, "y").status == IoStatus::ok);
    CHECK(stream->wire_bytes_written() ==
          before + RecordWriter::kKeyUpdateRecord + 1 + kRecordOverhead);
    CHECK(pair.peer.hear(1) == "y");
    check_echo(*stream, pair.peer, "with new keys");
}

TEST_CASE("a flood of KeyUpdates is taken in turns, each with more to come") {
    TlsPair pair(true, TLS1_3_VERSION, make_pair(true));
    const auto stream = own_or_moving(pair);
    update_keys(pair.peer, 500, SSL_KEY_UPDATE_NOT_REQUESTED);
    pair.peer.write("behind it");
    while (pair.peer.send(4096) > 0) {
    }
    std::string got;
    int turns = 0;
    REQUIRE(wait_for(stream->fd(), POLLIN));
    while (read_from(*stream, got).status == IoStatus::would_block && turns < 1000) {
        ++turns;
        REQUIRE((stream->has_buffered_input() || wait_for(stream->fd(), POLLIN)));
    }
    CHECK(got == "behind it");
    CHECK(turns > 10);
    CHECK_FALSE(stream->has_buffered_input());
}

TEST_CASE("records of all sizes come through rooms of all sizes") {
    TlsPair pair;
    const auto stream = own_or_moving(pair);
    const std::size_t room = GENERATE(1, 100, 4096, 16383, 16384, 16640, 16641, 40'000, 65'280);
    for (const std::size_t size : {1, 100, 5000, 16384, 40'000}) {
        const std::string text(size, static_cast<char>('a' + size % 26));
        pair.peer.say(text);
        std::string all, got;
        while (all.size() < size && await_read(*stream, got, room).status == IoStatus::ok) {
            CHECK(got.size() <= room);
            all += got;
        }
        CHECK(all == text);
        CHECK_FALSE((stream->has_buffered_input() &&
                     read_from(*stream, got).status != IoStatus::would_block));
    }
}

TEST_CASE(
    "a peer that breaks the rules hears which alert, unless part of a record waits for its "
    "socket") {
    TlsPair pair;
    const auto stream = own_or_moving(pair);
    send_all(pair.peer.fd.get(), std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x'));
    std::string got;
    const IoResult outcome = await_read(*stream, got);
    CHECK(outcome.status == IoStatus::error);
    CHECK(outcome.error == EPROTO);
    REQUIRE(wait_for(pair.peer.fd.get(), POLLIN));
    pair.peer.receive();
    char byte = 0;
    CHECK(SSL_read(pair.peer.ssl.get(), &byte, 1) <= 0);
    CHECK(ERR_GET_REASON(ERR_peek_error()) == SSL_AD_REASON_OFFSET + SSL_AD_BAD_RECORD_MAC);
    ERR_clear_error();
    CHECK(write_to(*stream, "too late").status == IoStatus::error);
}

TEST_CASE("a CertificateRequest, which only OpenSSL could answer, is refused with an alert") {
    TlsWishes wishes;
    wishes.ours = [](SSL_CTX* ctx) { SSL_CTX_set_post_handshake_auth(ctx, 1); };
    TlsPair pair(false, TLS1_3_VERSION, unix_pair(), wishes);
    const auto stream = own_or_moving(pair);
    SSL_set_verify(pair.peer.ssl.get(), SSL_VERIFY_PEER, nullptr);
    REQUIRE(SSL_verify_client_post_handshake(pair.peer.ssl.get()) == 1);
    REQUIRE(SSL_do_handshake(pair.peer.ssl.get()) == 1);
    pair.peer.send();
    std::string got;
    CHECK(await_read(*stream, got).status == IoStatus::error);
    pair.peer.receive();
    CHECK(pair.peer.read().empty());
    CHECK(SSL_get_shutdown(pair.peer.ssl.get()) == SSL_RECEIVED_SHUTDOWN);
}

TEST_CASE("an odd image of a stream of records is refused, and its descriptor closed") {
    TlsPair pair;
    const auto stream = pair.own_records();
    pair.peer.write("half a record");
    pair.peer.send(10);
    std::string got;
    REQUIRE(wait_for(stream->fd(), POLLIN));
    REQUIRE(read_from(*stream, got).status == IoStatus::would_block);
    ImageWriter image;
    REQUIRE(write_stream(image, *stream));
    const std::size_t before = open_descriptors();
    for (std::size_t size = 0; size < image.size(); ++size) {
        ImageReader reader(image.data(), size);
        UniqueFd fd(::fcntl(stream->fd(), F_DUPFD_CLOEXEC, 3));
        CHECK(read_stream(reader, std::move(fd), &TlsPair::workspace()) == nullptr);
    }
    for (std::size_t at = 0; at < image.size(); ++at) {
        std::string odd(reinterpret_cast<const char*>(image.data()), image.size());
        odd[at] = static_cast<char>(odd[at] ^ 0xff);
        ImageReader reader{std::string_view(odd)};
        UniqueFd fd(::fcntl(stream->fd(), F_DUPFD_CLOEXEC, 3));
        const auto made = read_stream(reader, std::move(fd), &TlsPair::workspace());
        if (made) {
            read_from(*made, got);
        }
    }
    ImageReader reader(image.data(), image.size());
    UniqueFd fd(::fcntl(stream->fd(), F_DUPFD_CLOEXEC, 3));
    CHECK(read_stream(reader, std::move(fd), nullptr) == nullptr);
    CHECK(open_descriptors() == before);
}
