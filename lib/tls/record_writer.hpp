// Seals the records of one direction of a TLS 1.3 session to the peer, after its handshake (RFC 8446 5.1 to 5.5, 4.6.3,
// 6). No I/O: the caller sends what it is given, in that order, and all of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "tls/alert.hpp"
#include "tls/record.hpp"
#include "tls/record_crypto.hpp"

namespace wsp {

// A write state has one holder: it can be moved and not copied, and a moved-from one seals nothing. Sealing is the only
// thing that uses record numbers. Owned by a stream, on its thread; `crypto` is that of its loop, and may be another
// one in each call. Nothing here allocates or blocks, but for OpenSSL's few allocations at a KeyUpdate.
//
// After a failure, and after an alert, nothing can be sealed any more, and the keys are gone.
class RecordWriter {
  public:
    // After so many records under one key only a KeyUpdate or an alert can be sealed. RFC 8446 5.5 allows 2^24.5 for
    // AES-GCM; all suites are held to this.
    static constexpr std::uint64_t kMaxRecords = std::uint64_t{1} << 24;
    // needs_key_update() is true from so many records on.
    static constexpr std::uint64_t kManyRecords = kMaxRecords - (std::uint64_t{1} << 16);
    // Room that seal_alert() and seal_key_update() need.
    static constexpr std::size_t kAlertRecord = kRecordOverhead + 2;
    static constexpr std::size_t kKeyUpdateRecord = kRecordOverhead + 5;

    // `sequence` is the number of the next record. Nothing when the secret's size is not its suite's, or there is no
    // memory; the secret is wiped in any case.
    RecordWriter() noexcept = default;  // seals nothing; an image can be read into it
    static std::optional<RecordWriter> make(RecordCrypto& crypto, TlsSuite suite,
                                            TrafficSecret secret, std::uint64_t sequence) noexcept;
    RecordWriter(RecordWriter&&) noexcept = default;
    RecordWriter& operator=(RecordWriter&&) noexcept = default;
    RecordWriter(const RecordWriter&) = delete;
    RecordWriter& operator=(const RecordWriter&) = delete;
    ~RecordWriter() = default;

    // One record of application data: `size` bytes at `plain`, at most kMaxRecordPlain. Writes size + kRecordOverhead
    // bytes to `to` and returns how many. `plain` may be to + kRecordHeader, or memory that does not overlap the
    // record. 0: a failure, `size` is too large, or a KeyUpdate must come first (needs_key_update() is true; nothing
    // else changes).
    std::size_t seal(RecordCrypto& crypto, const std::uint8_t* plain, std::size_t size,
                     std::uint8_t* to) noexcept;
    // The last record: kAlertRecord bytes. Returns how many, or 0 on failure. `alert` is not Alert::none.
    std::size_t seal_alert(RecordCrypto& crypto, Alert alert, std::uint8_t* to) noexcept;
    // A KeyUpdate: kKeyUpdateRecord bytes. The new key is in force afterwards. `request`: the peer is to update its
    // own, too. Returns how many, or 0 on failure.
    std::size_t seal_key_update(RecordCrypto& crypto, bool request, std::uint8_t* to) noexcept;

    // kMaxRecords are near: seal_key_update() before the next data.
    bool needs_key_update() const noexcept { return keys_.sequence() >= kManyRecords; }
    // False after a failure, an alert, or a move.
    bool can_seal() const noexcept { return keys_.has_key(); }

    TlsSuite suite() const noexcept { return keys_.suite(); }
    std::uint64_t sequence() const noexcept { return keys_.sequence(); }

    template <class Self, class Fields>
    static void each_member(Self& self, Fields& fields) {
        WSP_EACH_MEMBER(fields, self, keys_);
    }

  private:
    explicit RecordWriter(RecordKeys&& keys) noexcept : keys_(std::move(keys)) {}
    std::size_t seal_record(RecordCrypto& crypto, ContentType type, const std::uint8_t* plain,
                            std::size_t size, std::uint8_t* to) noexcept;

    RecordKeys keys_;
};

}  // namespace wsp
