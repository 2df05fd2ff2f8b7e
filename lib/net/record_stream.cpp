// recv, open, seal, send. What is whole stays in the caller's memory or in the loop's; only what is not whole is kept.
#include "net/record_stream.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace wsp {
namespace {

constexpr IoResult kBrokenRules{IoStatus::error, 0, EPROTO};

// The part of the memory for sealed records that is for data; the rest is for a KeyUpdate in front of it.
constexpr std::size_t kFullRecord = kMaxRecordPlain + kRecordOverhead;

bool would_block(int error) {
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

}  // namespace

RecordStream::RecordStream(UniqueFd fd, RecordReader reader, RecordWriter writer, WireBytes so_far,
                           RecordWorkspace& workspace) noexcept
    : workspace_(workspace),
      reader_(std::move(reader)),
      writer_(std::move(writer)),
      wire_(so_far),
      fd_(std::move(fd)) {}

// --- reading ------------------------------------------------------------------------------------

IoResult RecordStream::read_some(std::uint8_t* to, std::size_t room) noexcept {
    if (!opened_.empty()) {
        return give_opened(to, room);
    }
    if (pending_end_.status != IoStatus::would_block) {
        has_more_ = false;
        return pending_end_;
    }
    Received input;
    const IoResult got = receive(room, input);
    return got.status == IoStatus::ok ? open(to, room, input) : got;
}

// Puts the bytes that were kept and those of the socket one behind the other. Takes no more than full records for which
// there is room: the beginning of another one would have to be kept, and copied twice.
IoResult RecordStream::receive(std::size_t room, Received& input) noexcept {
    const std::size_t records = std::max<std::size_t>(room / kMaxRecordPlain, 1);
    const std::size_t most = std::min(records * kFullRecord, workspace_.received.size());
    input.size = input.kept = std::min(unopened_.size(), workspace_.received.size());
    if (input.kept > 0) {
        std::memcpy(workspace_.received.data(), unopened_.data(), input.kept);
    }
    has_more_ = false;
    if (can_open_) {
        return {IoStatus::ok, input.size, 0};
    }
    const std::size_t more = std::max(most, input.kept + kRecordOverhead) - input.kept;
    const ssize_t n = ::recv(fd_.get(), workspace_.received.data() + input.kept, more, 0);
    if (n < 0) {
        return would_block(errno) ? IoResult{} : IoResult{IoStatus::error, 0, errno};
    }
    if (n == 0) {
        return {IoStatus::eof, 0, 0};
    }
    wire_.read += static_cast<std::uint64_t>(n);
    input.size += static_cast<std::size_t>(n);
    has_more_ = static_cast<std::size_t>(n) == more;  // the socket is likely to have more
    return {IoStatus::ok, input.size, 0};
}

IoResult RecordStream::open(std::uint8_t* to, std::size_t room, const Received& input) noexcept {
    const std::uint8_t* const sealed = workspace_.received.data();
    const bool fits = room >= kMaxRecordBody;
    std::uint8_t* const opened = fits ? to : workspace_.opened.data();
    const RecordReader::OpenResult result = reader_.open(
        workspace_.crypto, sealed, input.size, opened, fits ? room : workspace_.opened.size());
    // What has come before is in unopened_ still.
    unopened_.consume(std::min(result.consumed, input.kept));
    const std::size_t new_from = std::max(result.consumed, input.kept);
    if (!unopened_.append(sealed + new_from, input.size - new_from)) {
        return kNoMemory;
    }
    can_open_ = result.stop == RecordReader::Stop::limit;
    has_more_ = has_more_ || can_open_;
    if (result.stop == RecordReader::Stop::closed) {
        pending_end_ = {IoStatus::eof, 0, 0};
    } else if (result.stop == RecordReader::Stop::failed) {
        send_alert(result.alert);
        pending_end_ = kBrokenRules;
    }
    if (result.plain == 0) {
        return pending_end_;
    }
    has_more_ = has_more_ || pending_end_.status != IoStatus::would_block;
    if (fits) {
        return {IoStatus::ok, result.plain, 0};
    }
    return opened_.append(opened, result.plain) ? give_opened(to, room) : kNoMemory;
}

// With little room, a record is given in pieces.
IoResult RecordStream::give_opened(std::uint8_t* to, std::size_t room) noexcept {
    const std::size_t size = std::min(room, opened_.size());
    std::memcpy(to, opened_.data(), size);
    opened_.consume(size);
    has_more_ = !opened_.empty() || can_open_ || pending_end_.status != IoStatus::would_block;
    return {IoStatus::ok, size, 0};
}

// Best effort: where part of a record waits for the socket, or the socket is full, the peer hears only the end.
void RecordStream::send_alert(Alert alert) noexcept {
    const std::size_t size = alert != Alert::none ? writer_.seal_alert(workspace_.crypto, alert,
                                                                       workspace_.sealed.data())
                                                  : 0;
    if (size > 0 && unsent_.empty()) {
        send(workspace_.sealed.data(), size);
    }
}

// --- writing ------------------------------------------------------------------------------------

IoResult RecordStream::write_some(const std::uint8_t* from, std::size_t size) noexcept {
    if (!unsent_.empty()) {
        const IoResult rest = send_rest();
        if (rest.status != IoStatus::ok) {
            return rest;
        }
    }
    if (plain_unsent_ > 0) {
        return {IoStatus::ok, std::exchange(plain_unsent_, 0), 0};
    }
    std::size_t plain = 0;
    const std::size_t before = update_key();
    std::size_t bytes = before;
    while (plain < size && bytes - before < RecordWorkspace::kMaxBatch * kFullRecord) {
        const std::size_t piece = std::min(size - plain, kMaxRecordPlain);
        const std::size_t sealed =
            writer_.seal(workspace_.crypto, from + plain, piece, workspace_.sealed.data() + bytes);
        if (sealed == 0) {
            return kBrokenRules;
        }
        bytes += sealed;
        plain += piece;
    }
    return send_sealed(bytes, before, plain);
}

// A KeyUpdate, where the peer has asked for one or the key has protected enough. Returns its size.
std::size_t RecordStream::update_key() noexcept {
    if (!reader_.key_update_requested() && !writer_.needs_key_update()) {
        return 0;
    }
    reader_.clear_key_update_requested();
    return writer_.seal_key_update(workspace_.crypto, false, workspace_.sealed.data());
}

// Sends `bytes` that have been sealed: `before` bytes of a KeyUpdate, then `plain` bytes of the caller's in records, all
// of them full but the last.
IoResult RecordStream::send_sealed(std::size_t bytes, std::size_t before,
                                   std::size_t plain) noexcept {
    const std::uint8_t* const sealed = workspace_.sealed.data();
    const ssize_t n = send(sealed, bytes);
    if (n < 0) {
        return {IoStatus::error, 0, errno};
    }
    const auto sent = static_cast<std::size_t>(n);
    if (sent == bytes) {
        return {IoStatus::ok, plain, 0};
    }
    if (!unsent_.append(sealed + sent, bytes - sent)) {
        return kNoMemory;  // and the tunnel ends: the peer would find a gap
    }
    const std::size_t full_records = sent > before ? (sent - before) / kFullRecord : 0;
    const std::size_t plain_sent = full_records * kMaxRecordPlain;
    plain_unsent_ = plain - plain_sent;
    return plain_sent > 0 ? IoResult{IoStatus::ok, plain_sent, 0} : IoResult{};
}

IoResult RecordStream::send_rest() noexcept {
    const ssize_t n = send(unsent_.data(), unsent_.size());
    if (n < 0) {
        return {IoStatus::error, 0, errno};
    }
    unsent_.consume(static_cast<std::size_t>(n));
    return unsent_.empty() ? IoResult{IoStatus::ok, 0, 0} : IoResult{};
}

// Returns how many bytes the socket has taken, perhaps 0, or -1 with errno.
ssize_t RecordStream::send(const std::uint8_t* data, std::size_t size) noexcept {
    const ssize_t n = ::send(fd_.get(), data, size, MSG_NOSIGNAL);
    if (n < 0) {
        return would_block(errno) ? 0 : -1;
    }
    wire_.written += static_cast<std::uint64_t>(n);
    return n;
}

void RecordStream::shutdown_write() noexcept {
    send_alert(Alert::close_notify);
    ::shutdown(fd_.get(), SHUT_WR);
}

}  // namespace wsp
