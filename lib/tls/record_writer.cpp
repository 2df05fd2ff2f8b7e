// Seals records.
#include "tls/record_writer.hpp"

namespace wsp {

std::optional<RecordWriter> RecordWriter::make(RecordCrypto& crypto, TlsSuite suite,
                                               TrafficSecret secret,
                                               std::uint64_t sequence) noexcept {
    RecordKeys keys(suite, std::move(secret), sequence);
    if (!crypto.derive(keys)) {
        return std::nullopt;
    }
    return RecordWriter(std::move(keys));
}

std::size_t RecordWriter::seal_record(RecordCrypto& crypto, ContentType type,
                                      const std::uint8_t* plain, std::size_t size,
                                      std::uint8_t* to) noexcept {
    // RFC 8446 5.2: the outer type is application_data, the version that of TLS 1.2.
    const std::size_t body = size + kRecordOverhead - kRecordHeader;
    to[0] = static_cast<std::uint8_t>(ContentType::application_data);
    to[1] = 3;
    to[2] = 3;
    to[3] = static_cast<std::uint8_t>(body >> 8);
    to[4] = static_cast<std::uint8_t>(body);
    if (!crypto.seal(keys_, to, plain, size, static_cast<std::uint8_t>(type), to + kRecordHeader)) {
        keys_.wipe();
        return 0;
    }
    return size + kRecordOverhead;
}

std::size_t RecordWriter::seal(RecordCrypto& crypto, const std::uint8_t* plain, std::size_t size,
                               std::uint8_t* to) noexcept {
    if (size > kMaxRecordPlain || keys_.sequence() >= kMaxRecords) {
        return 0;
    }
    return seal_record(crypto, ContentType::application_data, plain, size, to);
}

std::size_t RecordWriter::seal_alert(RecordCrypto& crypto, Alert alert, std::uint8_t* to) noexcept {
    // RFC 8446 6: the level of a closure alert may be "warning"; all other alerts are fatal.
    constexpr std::uint8_t kWarning = 1;
    constexpr std::uint8_t kFatal = 2;
    const bool closes = alert == Alert::close_notify || alert == Alert::user_canceled;
    const std::uint8_t message[] = {closes ? kWarning : kFatal, static_cast<std::uint8_t>(alert)};
    const std::size_t size = seal_record(crypto, ContentType::alert, message, sizeof message, to);
    keys_.wipe();
    return size;
}

std::size_t RecordWriter::seal_key_update(RecordCrypto& crypto, bool request,
                                          std::uint8_t* to) noexcept {
    const std::uint8_t message[] = {static_cast<std::uint8_t>(HandshakeType::key_update), 0, 0, 1,
                                    static_cast<std::uint8_t>(request ? 1 : 0)};
    const std::size_t size =
        seal_record(crypto, ContentType::handshake, message, sizeof message, to);
    return size != 0 && crypto.update(keys_) ? size : 0;
}

}  // namespace wsp
