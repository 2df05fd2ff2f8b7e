// Two ends of a TLS 1.3 session after its handshake, made of secrets that the test chooses, and records that no
// RecordWriter would seal.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "tls/record_reader.hpp"
#include "tls/record_writer.hpp"

namespace wsp::test {

inline constexpr TlsSuite kSuites[] = {TlsSuite::aes_128_gcm_sha256, TlsSuite::aes_256_gcm_sha384,
                                       TlsSuite::chacha20_poly1305_sha256};

inline const std::uint8_t* bytes_of(const std::string& text) {
    return reinterpret_cast<const std::uint8_t*>(text.data());
}

inline std::uint8_t* bytes_of(std::string& text) {
    return reinterpret_cast<std::uint8_t*>(text.data());
}

// One after the other. Records have numbers, and the order in which `+` looks at its sides is the compiler's.
inline std::string join(std::initializer_list<std::string> records) {
    std::string joined;
    for (const std::string& record : records) {
        joined += record;
    }
    return joined;
}

// Of the suite's size, and the same for the same seed.
inline TrafficSecret some_secret(TlsSuite suite, std::uint8_t seed = 7) {
    std::uint8_t bytes[TrafficSecret::kMaxSize];
    for (std::size_t i = 0; i < sizeof bytes; ++i) {
        bytes[i] = static_cast<std::uint8_t>(seed + 31 * i);
    }
    return {bytes, secret_size(suite)};
}

// Seals whatever the test wants as one record: any content, type, padding and version.
class RecordForge {
  public:
    RecordForge(RecordCrypto& crypto, TlsSuite suite, std::uint64_t sequence = 0)
        : crypto_(crypto), keys_(suite, some_secret(suite), sequence) {
        crypto_.derive(keys_);
    }

    std::string record(ContentType type, const std::string& content, std::size_t padding = 0,
                       std::uint16_t version = 0x0303) {
        return seal(content + static_cast<char>(type) + std::string(padding, '\0'), version);
    }
    std::string data(const std::string& content, std::size_t padding = 0) {
        return record(ContentType::application_data, content, padding);
    }
    std::string handshake(const std::string& content) {
        return record(ContentType::handshake, content);
    }
    std::string alert(Alert alert, std::uint8_t level = 2) {
        return record(ContentType::alert,
                      std::string(1, static_cast<char>(level)) + static_cast<char>(alert));
    }
    // Its key changes afterwards.
    std::string key_update(bool request = false) {
        const std::string sealed =
            handshake(std::string("\x18\0\0\1", 4) + static_cast<char>(request));
        update();
        return sealed;
    }
    // A record whose content, type and padding are these bytes (TLSInnerPlaintext); at least one.
    std::string seal(std::string inner, std::uint16_t version = 0x0303) {
        const std::size_t body = inner.size() + kTagSize;
        std::string sealed{'\x17', static_cast<char>(version >> 8), static_cast<char>(version),
                           static_cast<char>(body >> 8), static_cast<char>(body)};
        const auto last = static_cast<std::uint8_t>(inner.back());
        inner.pop_back();
        sealed.resize(kRecordHeader + body);
        if (!crypto_.seal(keys_, bytes_of(sealed), bytes_of(inner), inner.size(), last,
                          bytes_of(sealed) + kRecordHeader)) {
            return {};
        }
        return sealed;
    }
    void update() { crypto_.update(keys_); }

  private:
    RecordCrypto& crypto_;
    RecordKeys keys_;
};

// A handshake message: its header, and `body`.
inline std::string handshake_message(std::uint8_t type, const std::string& body) {
    return std::string{static_cast<char>(type), static_cast<char>(body.size() >> 16),
                       static_cast<char>(body.size() >> 8), static_cast<char>(body.size())} +
           body;
}

inline std::string ticket(std::size_t size) {
    return handshake_message(4, std::string(size, 't'));
}

// Reader or writer, made again from its image. The one that has moved is destroyed.
template <class State>
State moved_by_image(std::optional<State> state) {
    ImageWriter image;
    write_members(image, *state);
    state.reset();
    ImageReader reader(image.data(), image.size());
    State made;
    read_members(reader, made);
    if (!image.ok() || !reader.at_end()) {
        throw std::runtime_error("the image is not read");
    }
    return made;
}

// What a reader has said about some bytes, all in all.
struct Heard {
    std::string plain;
    RecordReader::Stop stop = RecordReader::Stop::incomplete;
    Alert alert = Alert::none;
    Alert peer_alert = Alert::none;
    std::size_t calls = 0;
};

// Opens what is at `wire`, and puts the data over its beginning. Allocates nothing.
inline RecordReader::OpenResult open_over(RecordCrypto& crypto, RecordReader& reader,
                                          std::uint8_t* wire, std::size_t size) {
    static std::array<std::uint8_t, 1 << 20> elsewhere;
    const auto result = reader.open(crypto, wire, size, elsewhere.data(), elsewhere.size());
    std::memcpy(wire, elsewhere.data(), result.plain);
    return result;
}

// Opens the beginning of `held` and takes it away. `room`: of the memory for the data; 0: enough.
inline RecordReader::OpenResult open_some(RecordCrypto& crypto, RecordReader& reader,
                                          std::string& held, std::string& plain,
                                          std::size_t room = 0) {
    std::string elsewhere(room > 0 ? room : held.size(), '\0');
    const auto result =
        reader.open(crypto, bytes_of(held), held.size(), bytes_of(elsewhere), elsewhere.size());
    plain.append(elsewhere, 0, result.plain);
    held.erase(0, result.consumed);
    return result;
}

// Feeds `wire` to a reader in pieces of `step` bytes, keeping what is not a whole record, until the reader stops for
// good. `room`, if any, is kMaxRecordBody at least.
inline Heard hear(RecordCrypto& crypto, RecordReader& reader, const std::string& wire,
                  std::size_t step = SIZE_MAX, std::size_t room = 0) {
    Heard heard;
    std::string held;
    std::size_t at = 0;
    do {
        const std::size_t piece = std::min(step, wire.size() - at);
        held.append(wire, at, piece);
        at += piece;
        do {
            const auto result = open_some(crypto, reader, held, heard.plain, room);
            ++heard.calls;
            heard.stop = result.stop;
            heard.alert = result.alert;
            heard.peer_alert = result.peer_alert;
        } while (heard.stop == RecordReader::Stop::limit);
    } while (at < wire.size() && heard.stop == RecordReader::Stop::incomplete);
    return heard;
}

}  // namespace wsp::test
