// Collects the first frame byte by byte, until it is complete or cannot be a SETTINGS frame.
#include "protocol/extended_connect.hpp"

#include <algorithm>

namespace wsp {
namespace {

constexpr std::uint8_t kSettings = 4;               // RFC 9113 6.5
constexpr std::uint8_t kEnableConnectProtocol = 8;  // RFC 8441 9.1

}  // namespace

std::size_t ExtendedConnectRemover::take(const std::uint8_t* data, std::size_t size) noexcept {
    std::size_t taken = 0;
    while (!done_ && taken < size) {
        held_[size_++] = data[taken++];
        if (!begins_preface()) {
            done_ = true;
        } else if (size_ >= kHead && size_ == kHead + payload()) {
            remove_setting();
            done_ = true;
        }
    }
    return taken;
}

// True when the bytes so far can be the beginning of such a frame: a length in 24 bits, the type, no flags (an
// acknowledgement has a flag), stream 0.
bool ExtendedConnectRemover::begins_preface() const noexcept {
    for (std::size_t i = 0; i < std::min(size_, kHead); ++i) {
        const std::uint8_t expected = i == 3 ? kSettings : 0;
        if (i != 1 && i != 2 && held_[i] != expected) {
            return false;
        }
    }
    return size_ < 3 || (payload() <= kMaxEntries * kEntry && payload() % kEntry == 0);
}

std::size_t ExtendedConnectRemover::payload() const noexcept {
    return static_cast<std::size_t>(held_[1]) * 256 + held_[2];
}

void ExtendedConnectRemover::set_payload(std::size_t size) noexcept {
    held_[1] = static_cast<std::uint8_t>(size / 256);
    held_[2] = static_cast<std::uint8_t>(size % 256);
}

void ExtendedConnectRemover::remove_setting() noexcept {
    std::size_t kept = kHead;
    for (std::size_t at = kHead; at < size_; at += kEntry) {
        if (held_[at] == 0 && held_[at + 1] == kEnableConnectProtocol) {
            continue;
        }
        std::copy_n(held_.begin() + static_cast<std::ptrdiff_t>(at), kEntry,
                    held_.begin() + static_cast<std::ptrdiff_t>(kept));
        kept += kEntry;
    }
    size_ = kept;
    set_payload(kept - kHead);
}

}  // namespace wsp
