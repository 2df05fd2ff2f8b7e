// Held bytes against a string as the model.
#include "base/held_bytes.hpp"

#include <catch2/catch.hpp>
#include <random>
#include <string>

using namespace wsp;

namespace {

bool append(HeldBytes& held, const std::string& bytes) {
    return held.append(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

std::string content(const HeldBytes& held) {
    return held.empty() ? std::string() : std::string(held.data(), held.data() + held.size());
}

}  // namespace

TEST_CASE("nothing is held at first") {
    HeldBytes held;
    CHECK(held.empty());
    CHECK(held.size() == 0);
    held.clear();
    held.consume(0);
    CHECK(append(held, ""));
    CHECK(held.empty());
}

TEST_CASE("what was held first comes off first") {
    HeldBytes held;
    REQUIRE(append(held, "abc"));
    REQUIRE(append(held, "defg"));
    CHECK(content(held) == "abcdefg");
    held.consume(2);
    CHECK(content(held) == "cdefg");
    REQUIRE(append(held, "hi"));
    CHECK(content(held) == "cdefghi");
}

TEST_CASE("the memory is freed with the last byte") {
    HeldBytes held;
    REQUIRE(append(held, std::string(1000, 'x')));
    held.consume(999);
    CHECK(held.size() == 1);
    held.consume(1);
    CHECK(held.empty());
    CHECK(held.data() == nullptr);
    REQUIRE(append(held, "again"));
    CHECK(content(held) == "again");
    held.clear();
    CHECK(held.data() == nullptr);
}

TEST_CASE("every value of a byte is kept") {
    std::string all;
    for (int c = 0; c < 256; ++c)
        all += static_cast<char>(c);
    HeldBytes held;
    REQUIRE(append(held, all));
    CHECK(content(held) == all);
}

TEST_CASE("any mix of appending, consuming and clearing agrees with a string") {
    std::mt19937 random(11);
    const auto below = [&](std::size_t n) {
        return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
    };
    HeldBytes held;
    std::string model;
    bool agrees = true;
    for (int step = 0; step < 20'000 && agrees; ++step) {
        const std::size_t what = below(100);
        if (what == 0) {
            held.clear();
            model.clear();
        } else if (what < 45 && model.size() < 5000) {
            const std::string more(below(300), static_cast<char>(below(256)));
            agrees = append(held, more);
            model += more;
        } else {
            const std::size_t off = below(4) == 0 ? model.size() : below(model.size() + 1);
            held.consume(off);
            model.erase(0, off);
        }
        agrees = agrees && content(held) == model && held.size() == model.size() &&
                 held.empty() == model.empty();
    }
    CHECK(agrees);
}
