// The image of an object: its state as bytes, with which another process of the same build on the same machine makes
// the object again. So numbers keep the byte order and the size that they have in memory. An image may hold keys, so
// its memory is wiped when it is freed. image_fields.hpp writes and reads whole classes.
//
// Values; one owner, one thread. Nothing here throws or blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <type_traits>

namespace wsp {

// Memory of a fixed size that is wiped before it is freed. Can be moved.
class WipedBytes {
  public:
    WipedBytes() noexcept = default;
    // data() is null when there is no memory. The content is unspecified.
    explicit WipedBytes(std::size_t size) noexcept;
    WipedBytes(WipedBytes&& from) noexcept;
    WipedBytes& operator=(WipedBytes&& from) noexcept;
    ~WipedBytes();

    std::uint8_t* data() noexcept { return bytes_.get(); }
    const std::uint8_t* data() const noexcept { return bytes_.get(); }
    std::size_t size() const noexcept { return size_; }

  private:
    std::unique_ptr<std::uint8_t[]> bytes_;
    std::size_t size_ = 0;
};

// What may be in an image as it is in memory. Enums and bools are checked when they are read: an enum needs a function
// last_of(Enum), beside it, that returns its last value. All values from 0 to that one are valid.
template <class T>
constexpr bool kImageNumber = std::is_arithmetic_v<T> || std::is_enum_v<T>;

class ImageWriter {
  public:
    // False once memory has run out, or a byte string was too long. It stays false until clear().
    bool ok() const noexcept { return ok_; }
    const std::uint8_t* data() const noexcept { return bytes_.data(); }
    std::size_t size() const noexcept { return size_; }
    // Wipes what was written and keeps the memory.
    void clear() noexcept;

    template <class T>
    void put(T value) noexcept {
        static_assert(kImageNumber<T>, "classes: see image_fields.hpp");
        append(&value, sizeof value);
    }
    // The length (32 bits) and the bytes.
    void put_bytes(const void* data, std::size_t size) noexcept;
    void put_bytes(std::string_view bytes) noexcept { put_bytes(bytes.data(), bytes.size()); }

    // Between these two calls goes what becomes one byte string. So its reader cannot read beyond it.
    std::size_t begin_bytes() noexcept;
    void end_bytes(std::size_t begun) noexcept;

  private:
    void append(const void* data, std::size_t size) noexcept;
    bool make_room(std::size_t more) noexcept;

    WipedBytes bytes_;
    std::size_t size_ = 0;
    bool ok_ = true;
};

// Reads what a writer has written, in the same order. When there are fewer bytes than asked for, or a value is out of
// its range, the reader goes bad. It stays bad, and everything that it returns from then on is 0 or empty. It never
// reads beyond its bytes, whatever they are.
class ImageReader {
  public:
    // The bytes belong to the caller and must outlive the reader, and what take_bytes() returns.
    ImageReader(const void* data, std::size_t size) noexcept
        : at_(static_cast<const std::uint8_t*>(data)), left_(size) {}
    explicit ImageReader(std::string_view bytes) noexcept
        : ImageReader(bytes.data(), bytes.size()) {}

    bool ok() const noexcept { return ok_; }
    // True when everything has been read, and nothing of it was odd.
    bool at_end() const noexcept { return ok_ && left_ == 0; }
    // The caller has found that what it has read is not plausible, or has no memory for it.
    void fail() noexcept;
    void fail_without_memory() noexcept;
    // True when the reader went bad for want of memory; the image may be well.
    bool lacked_memory() const noexcept { return lacked_memory_; }

    // Leaves 0 in `value`, and returns false, when the reader is bad.
    template <class T>
    bool take(T& value) noexcept {
        static_assert(kImageNumber<T>, "classes: see image_fields.hpp");
        if constexpr (std::is_same_v<T, bool>) {
            std::uint8_t number = 0;
            take_checked(number, std::uint8_t{1});
            value = number != 0;
        } else if constexpr (std::is_enum_v<T>) {
            std::underlying_type_t<T> number{};
            static_assert(std::is_unsigned_v<decltype(number)>, "last_of() is the only limit");
            take_checked(number, static_cast<decltype(number)>(last_of(T{})));
            value = static_cast<T>(number);
        } else {
            take_raw(&value, sizeof value);
        }
        return ok_;
    }
    // The bytes of put_bytes(). Empty when the reader is bad.
    std::string_view take_bytes() noexcept;

  private:
    template <class Number>
    void take_checked(Number& number, Number last) noexcept {
        take_raw(&number, sizeof number);
        if (number > last) {
            fail();
            number = 0;
        }
    }
    void take_raw(void* to, std::size_t size) noexcept;

    const std::uint8_t* at_;
    std::size_t left_;
    bool ok_ = true;
    bool lacked_memory_ = false;
};

}  // namespace wsp
