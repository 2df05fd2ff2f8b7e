// What processes tell each other about who serves.
#include "tunnel/serving_page.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <numeric>

using namespace wsp;

namespace {

ServingPage& new_page() {
    ServingPage* const page = ServingPage::make();
    REQUIRE(page != nullptr);
    return *page;
}

std::vector<ServingPage::Name> names_from(std::uint64_t first, std::size_t count) {
    std::vector<ServingPage::Name> names(count);
    std::iota(names.begin(), names.end(), first);
    return names;
}

}  // namespace

TEST_CASE("a new page knows nothing and nobody") {
    const ServingPage& page = new_page();
    CHECK(page.build_of(0) == ServingPage::kUnknown);
    CHECK_FALSE(page.has(1));
    CHECK_FALSE(page.is_served(0));
}

TEST_CASE("only the newest generation's format is known") {
    ServingPage& page = new_page();
    page.publish(0, 77, {});
    CHECK(page.build_of(0) == 77);
    CHECK(page.build_of(1) == ServingPage::kUnknown);
    page.publish(1, 0, {});
    CHECK(page.build_of(0) == ServingPage::kUnknown);
    CHECK(page.build_of(1) == 0);
}

TEST_CASE("names are those of the newest generation, however many") {
    ServingPage& page = new_page();
    for (const std::size_t count :
         {std::size_t{0}, std::size_t{1}, std::size_t{32}, std::size_t{33}, std::size_t{5000}}) {
        CAPTURE(count);
        CHECK(page.publish(0, 1, names_from(1000, count)) == 0);
        CHECK_FALSE(page.has(999));
        CHECK(page.has(1000) == (count > 0));
        CHECK(page.has(1000 + count - 1) == (count > 0));
        CHECK_FALSE(page.has(1000 + count));
    }
    page.publish(1, 1, {42, 42, 42});
    CHECK(page.has(42));
    CHECK_FALSE(page.has(1000));
}

TEST_CASE("names that all want the same place are all found") {
    ServingPage& page = new_page();
    std::vector<ServingPage::Name> names;
    for (std::uint64_t i = 1; i <= 100; ++i) {
        names.push_back(i << 20);
    }
    page.publish(0, 1, names);
    for (const auto name : names) {
        CHECK(page.has(name));
    }
    CHECK_FALSE(page.has(std::uint64_t{101} << 20));
}

TEST_CASE("names for which there is no room are counted, and the others are found") {
    ServingPage& page = new_page();
    CHECK(page.publish(0, 1, names_from(1, 20000)) == 20000 - 16384);
    CHECK(page.has(1));
    CHECK(page.has(16384));
    CHECK_FALSE(page.has(16385));
}

TEST_CASE("a generation is served as long as one of its children serves") {
    ServingPage& page = new_page();
    CHECK(page.begin_serving(100, 3));
    CHECK(page.begin_serving(101, 3));
    CHECK(page.begin_serving(102, 4));
    page.end_serving(100);
    CHECK(page.is_served(3));
    page.forget(101);  // killed: the parent says so
    page.forget(101);
    page.forget(999);
    CHECK_FALSE(page.is_served(3));
    CHECK(page.is_served(4));
    CHECK(page.begin_serving(103, 3));
    CHECK(page.is_served(3));
}

TEST_CASE("a child for which there is no row is told so") {
    ServingPage& page = new_page();
    for (pid_t child = 1; child <= 4096; ++child) {
        REQUIRE(page.begin_serving(child, 0));
    }
    CHECK_FALSE(page.begin_serving(5000, 1));
    page.forget(17);
    CHECK(page.begin_serving(5000, 1));
    CHECK(page.is_served(1));
}

TEST_CASE("what one process writes, another one reads") {
    ServingPage& page = new_page();
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        page.publish(5, 6, {7});
        ::_exit(page.begin_serving(::getpid(), 5) ? 0 : 1);
    }
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    CHECK(page.build_of(5) == 6);
    CHECK(page.has(7));
    CHECK(page.is_served(5));
    page.forget(child);
    CHECK_FALSE(page.is_served(5));
}
