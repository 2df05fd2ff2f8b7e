// What was written is read again, and nothing else is.
#include "base/image.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "support/scarce_memory.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

enum class Colour : std::uint8_t { red, green, blue };
constexpr Colour last_of(Colour) {
    return Colour::blue;
}

std::string bytes_of(const ImageWriter& writer) {
    return {reinterpret_cast<const char*>(writer.data()), writer.size()};
}

void write_all(ImageWriter& writer, const std::string& text) {
    writer.put(std::uint64_t{0x0123456789ABCDEF});
    writer.put(std::int64_t{-5});
    writer.put(true);
    writer.put(Colour::blue);
    writer.put_bytes(text);
    const std::size_t begun = writer.begin_bytes();
    writer.put(std::uint16_t{7});
    writer.end_bytes(begun);
}

bool read_all(ImageReader& reader, const std::string& text) {
    std::uint64_t large = 1;
    std::int64_t negative = 1;
    bool yes = false;
    Colour colour = Colour::red;
    reader.take(large);
    reader.take(negative);
    reader.take(yes);
    reader.take(colour);
    const std::string_view read = reader.take_bytes();
    ImageReader inner(reader.take_bytes());
    std::uint16_t seven = 0;
    inner.take(seven);
    return large == 0x0123456789ABCDEF && negative == -5 && yes && colour == Colour::blue &&
           read == text && seven == 7 && inner.at_end() && reader.at_end();
}

}  // namespace

TEST_CASE("an image is read as it was written", "[image]") {
    const std::string text(GENERATE(0u, 1u, 2000u, 200'000u), 'x');
    ImageWriter writer;
    write_all(writer, text);
    REQUIRE(writer.ok());
    ImageReader reader(writer.data(), writer.size());
    CHECK(read_all(reader, text));
}

TEST_CASE("an image that is cut anywhere makes the reader bad, and it stays bad", "[image]") {
    ImageWriter writer;
    write_all(writer, "some text");
    const std::string whole = bytes_of(writer);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const std::string cut = whole.substr(0, size);  // of its own, so that ASan sees its end
        ImageReader reader(cut);
        CHECK_FALSE(read_all(reader, "some text"));
        // Of the inner image its own reader tells: the outer one has its length only.
        CHECK_FALSE(reader.ok());
        std::uint8_t number = 9;
        CHECK_FALSE(reader.take(number));
        CHECK(number == 0);
        CHECK(reader.take_bytes().empty());
        CHECK_FALSE(reader.at_end());
    }
}

TEST_CASE("a value out of its range makes the reader bad", "[image]") {
    const std::string odd("\x03\x02", 2);
    ImageReader colours(odd), bools(std::string_view(odd).substr(1));
    Colour colour = Colour::green;
    CHECK_FALSE(colours.take(colour));
    CHECK(colour == Colour::red);
    bool yes = true;
    CHECK_FALSE(bools.take(yes));
    CHECK_FALSE(yes);
}

TEST_CASE("what the caller finds odd makes the reader bad", "[image]") {
    ImageReader reader("abc");
    reader.fail();
    CHECK_FALSE(reader.ok());
    CHECK_FALSE(reader.at_end());
    char letter = 'x';
    CHECK_FALSE(reader.take(letter));
}

TEST_CASE("bytes behind the last field are not the end", "[image]") {
    ImageReader reader("ab");
    char letter = 'x';
    CHECK(reader.take(letter));
    CHECK_FALSE(reader.at_end());
    CHECK(reader.take(letter));
    CHECK(reader.at_end());
}

TEST_CASE("a cleared writer has wiped its memory and writes the next image into it", "[image]") {
    ImageWriter writer;
    writer.put_bytes("a secret");
    const std::uint8_t* const memory = writer.data();
    const std::size_t size = writer.size();
    writer.clear();
    CHECK(writer.size() == 0);
    CHECK(std::string(memory, memory + size) == std::string(size, '\0'));
    writer.put_bytes("another");
    CHECK(writer.data() == memory);
    CHECK(ImageReader(writer.data(), writer.size()).take_bytes() == "another");
}

TEST_CASE("a writer without memory says so until it is cleared", "[image]") {
    const std::string text(5000, 'x');
    const std::size_t allocations = each_allocation_fails([&](std::size_t nth) {
        ImageWriter writer;
        {
            const ScarceMemory scarce(nth);
            write_all(writer, text);
        }
        CHECK(writer.ok() == !ScarceMemory::has_failed());
        writer.clear();
        write_all(writer, text);
        REQUIRE(writer.ok());
        ImageReader reader(writer.data(), writer.size());
        CHECK(read_all(reader, text));
    });
    CHECK((allocations >= 2) == nothrow_can_fail());  // it grows
}
