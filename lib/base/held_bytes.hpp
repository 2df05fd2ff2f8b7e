// A queue of bytes that a sink has not taken yet. An empty one has no memory, so an idle tunnel has none. One owner,
// one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace wsp {

class ImageReader;
class ImageWriter;

class HeldBytes {
  public:
    bool empty() const noexcept { return begin_ == end_; }
    std::size_t size() const noexcept { return end_ - begin_; }
    const std::uint8_t* data() const noexcept { return bytes_.get() + begin_; }

    // Adds bytes at the end. Returns false when there is no memory; then nothing has changed.
    [[nodiscard]] bool append(const std::uint8_t* data, std::size_t size) noexcept;
    // Removes `size` bytes (at most size()) from the front. Frees the memory when the queue becomes empty.
    void consume(std::size_t size) noexcept;
    void clear() noexcept;

    // As one byte string.
    void write_to(ImageWriter& image) const noexcept;
    void read_from(ImageReader& image) noexcept;

  private:
    bool make_room(std::size_t more) noexcept;

    std::unique_ptr<std::uint8_t[]> bytes_;
    std::uint32_t begin_ = 0;
    std::uint32_t end_ = 0;
    std::uint32_t capacity_ = 0;
};

}  // namespace wsp
