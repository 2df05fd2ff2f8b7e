// Opens the records of one direction of a TLS 1.3 session from the peer, after its handshake (RFC 8446 5.1 to 5.5,
// 4.6.1, 4.6.3, 6). No I/O: the caller brings the bytes, and keeps those of a record that is not whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "tls/alert.hpp"
#include "tls/record.hpp"
#include "tls/record_crypto.hpp"

namespace wsp {

// Owned by a stream, on its thread; `crypto` is that of its loop, and may be another one in each call. It can be moved
// and not copied; a moved-from one opens nothing. Nothing here allocates or blocks, but for OpenSSL's few allocations
// at a KeyUpdate.
class RecordReader {
  public:
    enum class Stop : std::uint8_t {
        incomplete,  // what is left is less than a record, or nothing
        limit,       // enough work for one call: call again later with what is left
        closed,  // the peer's close_notify. What came after it is consumed and dropped, now and in later calls
        failed,  // the session is broken, now and in later calls. `alert` is what the peer must be told
    };
    struct OpenResult {
        std::size_t plain =
            0;  // bytes of application data, at the beginning of the caller's memory
        std::size_t consumed = 0;  // bytes that are done with
        Stop stop = Stop::incomplete;
        // Stop::failed: for the peer. `none`: its own fatal alert was the end.
        Alert alert = Alert::none;
        // What the peer said at Stop::closed and Stop::failed; any number.
        Alert peer_alert = Alert::none;
    };

    friend constexpr Stop last_of(Stop) { return Stop::failed; }  // base/image.hpp

    // What one call does at most, besides opening application data: a record without application data counts as one, a
    // KeyUpdate as kKeyUpdateWork more. So the time of a call is bounded, whatever the peer sends.
    static constexpr unsigned kMaxWork = 128;
    static constexpr unsigned kKeyUpdateWork = 8;

    // `sequence` is the number of the next record, `peer` the role of who sends. Nothing when the secret's size is not
    // its suite's, or there is no memory; the secret is wiped in any case.
    RecordReader() noexcept = default;  // opens nothing; an image can be read into it
    static std::optional<RecordReader> make(RecordCrypto& crypto, TlsSuite suite,
                                            TrafficSecret secret, std::uint64_t sequence,
                                            TlsRole peer) noexcept;
    RecordReader(RecordReader&&) noexcept = default;
    RecordReader& operator=(RecordReader&&) noexcept = default;
    RecordReader(const RecordReader&) = delete;
    RecordReader& operator=(const RecordReader&) = delete;
    ~RecordReader() = default;

    // Opens the whole records at the beginning of [sealed, sealed + size), and puts their application data together at
    // `to`, memory of `room` bytes that does not overlap them. What lies there behind `plain` is of no meaning
    // afterwards; with any `stop`, the first `plain` bytes are good. A record for which there is no room is left:
    // Stop::limit. kMaxRecordBody bytes are room for any record.
    OpenResult open(RecordCrypto& crypto, const std::uint8_t* sealed, std::size_t size,
                    std::uint8_t* to, std::size_t room) noexcept;

    // The peer has asked for a KeyUpdate of ours, once or more: seal one before the next data (RFC 8446 4.6.3), then
    // clear.
    bool key_update_requested() const noexcept { return key_update_requested_; }
    void clear_key_update_requested() noexcept { key_update_requested_ = false; }

    TlsSuite suite() const noexcept { return keys_.suite(); }
    std::uint64_t sequence() const noexcept { return keys_.sequence(); }

    template <class Self, class Fields>
    static void each_member(Self& self, Fields& fields) {
        WSP_EACH_MEMBER(fields, self, keys_, message_left_, message_header_, message_type_, peer_,
                        key_update_requested_, end_, alert_, peer_alert_);
    }
    bool is_sound() const noexcept;

  private:
    // What a record, or its beginning, has turned out to be.
    enum class Found : std::uint8_t { record, incomplete, violation };

    RecordReader(RecordKeys&& keys, TlsRole peer) noexcept : keys_(std::move(keys)), peer_(peer) {}

    Found look(const std::uint8_t* record, std::size_t size, std::size_t& body) noexcept;
    // Opens a record into `inner`. Returns the size of its application data, which is at `inner` then, or 0.
    std::size_t take_record(RecordCrypto& crypto, const std::uint8_t* record, std::size_t body,
                            std::uint8_t* inner, unsigned& work) noexcept;
    void take_alert(const std::uint8_t* message, std::size_t size) noexcept;
    void take_handshake(RecordCrypto& crypto, const std::uint8_t* bytes, std::size_t size,
                        unsigned& work) noexcept;
    void take_message_header(std::uint8_t byte) noexcept;
    void take_key_update(RecordCrypto& crypto, std::uint8_t request, bool ends_record) noexcept;
    void fail(Alert alert) noexcept;
    bool message_is_sound() const noexcept;
    bool in_message() const noexcept { return message_header_ != 0; }

    RecordKeys keys_;
    // The handshake message in progress. Only its header is looked at, so that a ticket of any size needs no memory.
    //
    // Bytes of its body that have not come; while the header comes, its length so far.
    std::uint32_t message_left_ = 0;
    // Bytes of its header that have come, 0 to 4. 0: no message is in progress.
    std::uint8_t message_header_ = 0;
    HandshakeType message_type_ = HandshakeType::new_session_ticket;
    TlsRole peer_ = TlsRole::client;
    bool key_update_requested_ = false;
    Stop end_ = Stop::incomplete;     // closed or failed once it is over
    Alert alert_ = Alert::none;       // for the peer
    Alert peer_alert_ = Alert::none;  // the peer's, that was the end
};

}  // namespace wsp
