// Opens records, and follows the handshake messages in them.
#include "tls/record_reader.hpp"

#include <algorithm>
#include <cstring>

namespace wsp {
namespace {

constexpr std::size_t kMessageHeader = 4;  // type, 24 bits of length (RFC 8446 4)

// RFC 8446 5.2, 5.4: the content type is the last byte that is not zero. Returns the size of the content before it, and
// nothing when all bytes are zero.
std::optional<std::size_t> size_of_content(const std::uint8_t* inner, std::size_t size) noexcept {
    while (size > 0 && inner[size - 1] == 0) {
        --size;
    }
    return size > 0 ? std::optional(size - 1) : std::nullopt;
}

}  // namespace

std::optional<RecordReader> RecordReader::make(RecordCrypto& crypto, TlsSuite suite,
                                               TrafficSecret secret, std::uint64_t sequence,
                                               TlsRole peer) noexcept {
    RecordKeys keys(suite, std::move(secret), sequence);
    if (!crypto.derive(keys)) {
        return std::nullopt;
    }
    return RecordReader(std::move(keys), peer);
}

// There are keys as long as the session goes on.
bool RecordReader::is_sound() const noexcept {
    if (end_ != Stop::incomplete) {
        return end_ != Stop::limit && !keys_.has_key();
    }
    return keys_.has_key() && message_is_sound();
}

bool RecordReader::message_is_sound() const noexcept {
    const bool is_key_update = message_type_ == HandshakeType::key_update;
    if (message_header_ == 0) {
        return message_left_ == 0;
    }
    if (!is_key_update &&
        (message_type_ != HandshakeType::new_session_ticket || peer_ != TlsRole::server)) {
        return false;
    }
    if (message_header_ < kMessageHeader) {  // of the three bytes of length, one less has come
        return message_left_ >> (8 * (message_header_ - 1)) == 0;
    }
    return message_header_ == kMessageHeader && message_left_ > 0 &&
           message_left_ <= (is_key_update ? 1U : 0xffffffU);
}

void RecordReader::fail(Alert alert) noexcept {
    end_ = Stop::failed;
    alert_ = alert;
    keys_.wipe();
}

// Looks at the header as soon as it is there. `body` is the size of what follows it.
RecordReader::Found RecordReader::look(const std::uint8_t* record, std::size_t size,
                                       std::size_t& body) noexcept {
    // RFC 8446 5, 5.2: after the handshake everything is protected; the version is ignored.
    if (size > 0 && record[0] != static_cast<std::uint8_t>(ContentType::application_data)) {
        fail(Alert::unexpected_message);
        return Found::violation;
    }
    if (size < kRecordHeader) {
        return Found::incomplete;
    }
    body = static_cast<std::size_t>(record[3]) << 8 | record[4];
    if (body > kMaxRecordBody) {  // RFC 8446 5.2
        fail(Alert::record_overflow);
        return Found::violation;
    }
    if (body < kTagSize + 1) {  // neither tag nor content type: cannot be authentic
        fail(Alert::bad_record_mac);
        return Found::violation;
    }
    return size < kRecordHeader + body ? Found::incomplete : Found::record;
}

RecordReader::OpenResult RecordReader::open(RecordCrypto& crypto, const std::uint8_t* sealed,
                                            std::size_t size, std::uint8_t* to,
                                            std::size_t room) noexcept {
    OpenResult result;
    unsigned work = 0;
    while (end_ == Stop::incomplete) {
        const std::uint8_t* const record = sealed + result.consumed;
        std::size_t body = 0;
        const Found found = look(record, size - result.consumed, body);
        if (found == Found::incomplete) {
            return result;
        }
        if (found == Found::record) {
            if (work >= kMaxWork || body > room - result.plain) {
                result.stop = Stop::limit;
                return result;
            }
            result.plain += take_record(crypto, record, body, to + result.plain, work);
            result.consumed += kRecordHeader + body;
        }
    }
    if (end_ == Stop::closed) {  // RFC 8446 6.1: data after a closure alert is ignored
        result.consumed = size;
    }
    result.stop = end_;
    result.alert = alert_;
    result.peer_alert = peer_alert_;
    return result;
}

std::size_t RecordReader::take_record(RecordCrypto& crypto, const std::uint8_t* record,
                                      std::size_t body, std::uint8_t* inner,
                                      unsigned& work) noexcept {
    if (!keys_.has_key()) {  // moved away
        return fail(Alert::internal_error), 0;
    }
    if (!crypto.open(keys_, record, record + kRecordHeader, body, inner)) {
        return fail(Alert::bad_record_mac), 0;  // RFC 8446 5.2
    }
    const std::optional<std::size_t> size = size_of_content(inner, body - kTagSize);
    if (!size) {  // RFC 8446 5.4
        return fail(Alert::unexpected_message), 0;
    }
    if (*size > kMaxRecordPlain) {  // RFC 8446 5.4
        return fail(Alert::record_overflow), 0;
    }
    const auto type = static_cast<ContentType>(inner[*size]);
    work += type == ContentType::application_data && *size > 0 ? 0 : 1;
    // RFC 8446 5.1: nothing comes between the pieces of a handshake message.
    if (in_message() && type != ContentType::handshake) {
        return fail(Alert::unexpected_message), 0;
    }
    switch (type) {
        case ContentType::application_data:
            return *size;
        case ContentType::alert:
            return take_alert(inner, *size), 0;
        case ContentType::handshake:
            return take_handshake(crypto, inner, *size, work), 0;
        default:  // RFC 8446 5; a protected change_cipher_spec, too
            return fail(Alert::unexpected_message), 0;
    }
}

void RecordReader::take_alert(const std::uint8_t* message, std::size_t size) noexcept {
    constexpr std::size_t kAlertSize = 2;
    if (size != kAlertSize) {  // RFC 8446 5.4: not empty; 5.1: one alert, whole
        return fail(size == 0 ? Alert::unexpected_message : Alert::decode_error);
    }
    const auto alert = static_cast<Alert>(message[1]);  // RFC 8446 6: the level is ignored
    if (alert == Alert::user_canceled) {                // RFC 8446 6.1: a close_notify follows
        return;
    }
    if (alert == Alert::close_notify) {
        end_ = Stop::closed;
        keys_.wipe();
    } else {  // RFC 8446 6.2: all others are fatal, also unknown ones, and need no answer
        fail(Alert::none);
    }
    peer_alert_ = alert;
}

void RecordReader::take_handshake(RecordCrypto& crypto, const std::uint8_t* bytes, std::size_t size,
                                  unsigned& work) noexcept {
    if (size == 0) {  // RFC 8446 5.4
        return fail(Alert::unexpected_message);
    }
    for (std::size_t at = 0; at < size && end_ == Stop::incomplete;) {
        if (message_header_ < kMessageHeader) {
            take_message_header(bytes[at++]);
        } else if (message_type_ == HandshakeType::key_update) {
            work += kKeyUpdateWork;
            take_key_update(crypto, bytes[at], at + 1 == size);
            ++at;
        } else {
            const std::size_t skipped = std::min<std::size_t>(message_left_, size - at);
            message_left_ -= static_cast<std::uint32_t>(skipped);
            at += skipped;
        }
        if (message_header_ == kMessageHeader && message_left_ == 0) {
            message_header_ = 0;
        }
    }
}

// The next byte of a message's header.
void RecordReader::take_message_header(std::uint8_t byte) noexcept {
    if (message_header_++ == 0) {
        message_type_ = static_cast<HandshakeType>(byte);
        message_left_ = 0;
        const bool is_ticket = message_type_ == HandshakeType::new_session_ticket;
        // RFC 8446 4.6: tickets come from servers. We never offered post-handshake authentication.
        if (message_type_ != HandshakeType::key_update &&
            !(is_ticket && peer_ == TlsRole::server)) {
            fail(Alert::unexpected_message);
        }
        return;
    }
    message_left_ = message_left_ << 8 | byte;
    const bool is_key_update = message_type_ == HandshakeType::key_update;
    if (message_header_ == kMessageHeader && is_key_update && message_left_ != 1) {
        fail(Alert::decode_error);
    }
}

// RFC 8446 4.6.3. `request` is its only byte.
void RecordReader::take_key_update(RecordCrypto& crypto, std::uint8_t request,
                                   bool ends_record) noexcept {
    if (request > 1) {
        return fail(Alert::illegal_parameter);
    }
    if (!ends_record) {  // RFC 8446 5.1: the rest would be under the old key
        return fail(Alert::unexpected_message);
    }
    if (!crypto.update(keys_)) {
        return fail(Alert::internal_error);
    }
    message_left_ = 0;
    key_update_requested_ = key_update_requested_ || request == 1;
}

}  // namespace wsp
