// Bytes that a sink refused, kept in order until it takes them. Empty means no memory: an idle
// tunnel holds none. One owner, one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace wsp {

class HeldBytes {
  public:
    bool empty() const noexcept { return begin_ == end_; }
    std::size_t size() const noexcept { return end_ - begin_; }
    const std::uint8_t* data() const noexcept { return bytes_.get() + begin_; }

    // Adds behind what is held. False when memory has run out; nothing is changed then.
    [[nodiscard]] bool append(const std::uint8_t* data, std::size_t size) noexcept;
    // Takes `size` bytes (at most size()) off the front; gives the memory back with the last one.
    void consume(std::size_t size) noexcept;
    void clear() noexcept;

  private:
    bool make_room(std::size_t more) noexcept;

    std::unique_ptr<std::uint8_t[]> bytes_;
    std::uint32_t begin_ = 0;
    std::uint32_t end_ = 0;
    std::uint32_t capacity_ = 0;
};

}  // namespace wsp
