// A buffer that grows to what it is given and is freed when it becomes empty.
#include "base/held_bytes.hpp"

#include <cassert>
#include <cstring>
#include <limits>
#include <new>
#include <string_view>

#include "base/image.hpp"

namespace wsp {

bool HeldBytes::append(const std::uint8_t* data, std::size_t size) noexcept {
    if (size == 0) {
        return true;
    }
    if (!make_room(size)) {
        return false;
    }
    std::memcpy(bytes_.get() + end_, data, size);
    end_ += static_cast<std::uint32_t>(size);
    return true;
}

void HeldBytes::consume(std::size_t size) noexcept {
    assert(size <= this->size());
    begin_ += static_cast<std::uint32_t>(size);
    if (empty()) {
        clear();
    }
}

void HeldBytes::clear() noexcept {
    bytes_.reset();
    begin_ = end_ = capacity_ = 0;
}

void HeldBytes::write_to(ImageWriter& image) const noexcept {
    image.put_bytes(data(), size());
}

void HeldBytes::read_from(ImageReader& image) noexcept {
    clear();
    const std::string_view bytes = image.take_bytes();
    if (!append(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size())) {
        image.fail_without_memory();
    }
}

bool HeldBytes::make_room(std::size_t more) noexcept {
    const std::size_t needed = size() + more;
    if (more <= capacity_ - end_) {
        return true;
    }
    if (needed > std::numeric_limits<std::uint32_t>::max()) {
        return false;
    }
    std::unique_ptr<std::uint8_t[]> larger(new (std::nothrow) std::uint8_t[needed]);
    if (!larger) {
        return false;
    }
    if (!empty()) {
        std::memcpy(larger.get(), data(), size());
    }
    end_ = static_cast<std::uint32_t>(size());
    begin_ = 0;
    capacity_ = static_cast<std::uint32_t>(needed);
    bytes_ = std::move(larger);
    return true;
}

}  // namespace wsp
