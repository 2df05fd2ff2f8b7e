// Writes the members of a class into an image, and reads them back, from one list that the compiler checks: a class
// that travels has
//
//     template <class Self, class Fields>
//     static void each_member(Self& self, Fields& fields) {
//         WSP_EACH_MEMBER(fields, self, first_, second_);
//     }
//
// with all of its members, in the order of their declaration. A member that is not in the list does not compile,
// because a structured binding needs a name for each of them. Members are handled by their type: numbers, bools and
// enums as they are (base/image.hpp), arrays and classes with each_member() member by member, a unique_ptr with what it
// points to, a class with write_to() and read_from() through those. A type that does not travel, such as a reference to
// the owner's other parts, has kStaysBehind<Type> = true. Any other type does not compile.
//
// A class may have `bool is_sound() const`: it is asked when its members have been read. False makes the reader bad.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "base/image.hpp"

#define WSP_EACH_MEMBER(fields, object, ...) \
    auto& [__VA_ARGS__] = object;            \
    fields(__VA_ARGS__)

namespace wsp {

// Members of this type are not in the image. The new owner makes them.
template <class T>
constexpr bool kStaysBehind = false;

class FieldWriter {
  public:
    explicit FieldWriter(ImageWriter& to) noexcept : to_(to) {}

    template <class... Fields>
    void operator()(const Fields&... fields) noexcept {
        (write(fields), ...);
    }

  private:
    template <class T>
    void write(const T& field) noexcept {
        if constexpr (kImageNumber<T>) {
            to_.put(field);
        } else if constexpr (!kStaysBehind<std::remove_const_t<T>>) {
            write_class(field, 0);
        }
    }
    template <class T, std::size_t N>
    void write(const std::array<T, N>& fields) noexcept {
        for (const T& field : fields) {
            write(field);
        }
    }
    template <class T>
    void write(const std::unique_ptr<T>& field) noexcept {
        to_.put(field != nullptr);
        if (field) {
            write(*field);
        }
    }
    // 0 is an int, so this one is preferred where it compiles.
    template <class T>
    auto write_class(const T& field, int) noexcept
        -> decltype(field.write_to(std::declval<ImageWriter&>())) {
        field.write_to(to_);
    }
    template <class T>
    void write_class(const T& field, long) noexcept {
        T::each_member(field, *this);
    }

    ImageWriter& to_;
};

class FieldReader {
  public:
    explicit FieldReader(ImageReader& from) noexcept : from_(from) {}

    template <class... Fields>
    void operator()(Fields&... fields) noexcept {
        (read(fields), ...);
    }

  private:
    // Signed numbers of 64 bits are times and spans. Two of them can be added, whatever an image says. The largest
    // number is kNever; only a class can know whether a member of it may be that.
    static constexpr std::int64_t kFarthest = std::numeric_limits<std::int64_t>::max() / 8;

    template <class T>
    void read(T& field) noexcept {
        if constexpr (kImageNumber<T>) {
            from_.take(field);
            if constexpr (std::is_same_v<T, std::int64_t>) {
                if (field != std::numeric_limits<T>::max() &&
                    (field > kFarthest || field < -kFarthest)) {
                    field = 0;
                    from_.fail();
                }
            }
        } else if constexpr (!kStaysBehind<std::remove_const_t<T>>) {
            read_class(field, 0);
        }
    }
    template <class T, std::size_t N>
    void read(std::array<T, N>& fields) noexcept {
        for (T& field : fields) {
            read(field);
        }
    }
    template <class T>
    void read(std::unique_ptr<T>& field) noexcept {
        bool present = false;
        from_.take(present);
        if (!present) {
            field.reset();
            return;
        }
        field.reset(new (std::nothrow) T());
        if (field) {
            read(*field);
        } else {
            from_.fail_without_memory();
        }
    }
    template <class T>
    auto read_class(T& field, int) noexcept
        -> decltype(field.read_from(std::declval<ImageReader&>())) {
        field.read_from(from_);
    }
    template <class T>
    void read_class(T& field, long) noexcept {
        T::each_member(field, *this);
        require_sound(field, 0);
    }
    template <class T>
    auto require_sound(const T& field, int) noexcept -> decltype(field.is_sound(), void()) {
        if (from_.ok() && !field.is_sound()) {
            from_.fail();
        }
    }
    template <class T>
    void require_sound(const T&, long) noexcept {}

    ImageReader& from_;
};

template <class T>
void write_members(ImageWriter& to, const T& object) noexcept {
    FieldWriter writer(to);
    writer(object);
}

// When the reader is bad afterwards, some members have been read and others have not.
template <class T>
void read_members(ImageReader& from, T& object) noexcept {
    FieldReader reader(from);
    reader(object);
}

}  // namespace wsp
