// Byte strings have their length in front. Everything else is copied as it is.
#include "base/image.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>
#include <utility>

namespace wsp {
namespace {

// Most tunnels fit.
constexpr std::size_t kFirstCapacity = 2048;

}  // namespace

WipedBytes::WipedBytes(std::size_t size) noexcept
    : bytes_(new (std::nothrow) std::uint8_t[size]), size_(bytes_ ? size : 0) {}

WipedBytes::WipedBytes(WipedBytes&& from) noexcept
    : bytes_(std::move(from.bytes_)), size_(std::exchange(from.size_, 0)) {}

WipedBytes& WipedBytes::operator=(WipedBytes&& from) noexcept {
    bytes_.swap(from.bytes_);
    std::swap(size_, from.size_);
    return *this;
}

WipedBytes::~WipedBytes() {
    if (bytes_) {
        OPENSSL_cleanse(bytes_.get(), size_);
    }
}

void ImageWriter::clear() noexcept {
    if (size_ > 0) {
        OPENSSL_cleanse(bytes_.data(), size_);
    }
    size_ = 0;
    ok_ = true;
}

void ImageWriter::put_bytes(const void* data, std::size_t size) noexcept {
    const std::size_t begun = begin_bytes();
    append(data, size);
    end_bytes(begun);
}

std::size_t ImageWriter::begin_bytes() noexcept {
    const std::size_t begun = size_;
    put(std::uint32_t{0});
    return begun;
}

void ImageWriter::end_bytes(std::size_t begun) noexcept {
    if (!ok_) {
        return;
    }
    const std::size_t length = size_ - begun - sizeof(std::uint32_t);
    ok_ = length <= std::numeric_limits<std::uint32_t>::max();
    const auto number = static_cast<std::uint32_t>(length);
    std::memcpy(bytes_.data() + begun, &number, sizeof number);
}

void ImageWriter::append(const void* data, std::size_t size) noexcept {
    if (size == 0 || !make_room(size)) {
        return;
    }
    std::memcpy(bytes_.data() + size_, data, size);
    size_ += size;
}

bool ImageWriter::make_room(std::size_t more) noexcept {
    if (!ok_ || more <= bytes_.size() - size_) {
        return ok_;
    }
    WipedBytes larger(std::max({kFirstCapacity, 2 * bytes_.size(), size_ + more}));
    ok_ = larger.data() != nullptr;
    if (ok_) {
        if (size_ > 0) {
            std::memcpy(larger.data(), bytes_.data(), size_);
        }
        bytes_ = std::move(larger);
    }
    return ok_;
}

void ImageReader::fail() noexcept {
    ok_ = false;
    left_ = 0;
}

void ImageReader::fail_without_memory() noexcept {
    lacked_memory_ = ok_ || lacked_memory_;
    fail();
}

void ImageReader::take_raw(void* to, std::size_t size) noexcept {
    if (left_ < size) {
        fail();
        std::memset(to, 0, size);
        return;
    }
    std::memcpy(to, at_, size);
    at_ += size;
    left_ -= size;
}

std::string_view ImageReader::take_bytes() noexcept {
    std::uint32_t size = 0;
    take(size);
    if (left_ < size) {
        fail();
        return {};
    }
    const std::string_view bytes(reinterpret_cast<const char*>(at_), size);
    at_ += size;
    left_ -= size;
    return bytes;
}

}  // namespace wsp
