// The parent process of httpd may be root, and its children write into memory that it reads. Whatever a child writes there,
// the parent touches nothing beyond that memory.
#include <sys/mman.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>

#include "metrics/statistics_page.hpp"
#include "survey/survey_page.hpp"
#include "tunnel/serving_page.hpp"

using namespace wsp;

namespace {

// Memory for a page between two parts of the address space where every access ends the process.
template <class Page>
class GuardedMemory {
  public:
    GuardedMemory() {
        REQUIRE(all_ != MAP_FAILED);
        REQUIRE(::mprotect(start(), size(), PROT_READ | PROT_WRITE) == 0);
    }
    ~GuardedMemory() { ::munmap(all_, size() + 2 * kGuard); }
    GuardedMemory(const GuardedMemory&) = delete;
    GuardedMemory& operator=(const GuardedMemory&) = delete;

    char* start() { return static_cast<char*>(all_) + kGuard; }
    Page& filled_with(int byte) {
        std::memset(start(), byte, sizeof(Page));
        return *reinterpret_cast<Page*>(start());
    }

  private:
    static constexpr std::size_t kGuard = std::size_t{16} << 30;  // no memory, but addresses
    static std::size_t size() {
        const auto unit = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
        return (sizeof(Page) + unit - 1) / unit * unit;
    }
    void* all_ = ::mmap(nullptr, size() + 2 * kGuard, PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
};

constexpr int kBytes[] = {0x01, 0x7F, 0xFF};

// A process of that number, for pages that are filled with `byte`.
pid_t process_of(int byte) {
    std::uint32_t process = 0;
    std::memset(&process, byte, sizeof process);
    return static_cast<pid_t>(process);
}

}  // namespace

TEST_CASE("the parent reads a page of statistics that a child has spoilt", "[pages]") {
    GuardedMemory<StatisticsPage> memory;
    for (const int byte : kBytes) {
        INFO(byte);
        StatisticsPage& page = memory.filled_with(byte);
        page.begin(1);
        page.fold(process_of(byte), 3, kSecond);
        page.settle_moves(true, 3, 2'000'000 * kSecond);
        page.settle_moves(true, 3, 4'000'000 * kSecond);
        CHECK(page.read(kSecond, 1).series.size() <= StatisticsPage::kSeries);
    }
}

TEST_CASE("the parent reads a page of surveys that a child has spoilt", "[pages]") {
    GuardedMemory<SurveyPage> memory;
    for (const int byte : kBytes) {
        INFO(byte);
        SurveyPage& page = memory.filled_with(byte);
        page.forget(process_of(byte));
        CHECK(page.receiving() == 0);
    }
}

TEST_CASE("the parent reads a page of who serves that a child has spoilt", "[pages]") {
    GuardedMemory<ServingPage> memory;
    for (const int byte : kBytes) {
        INFO(byte);
        ServingPage& page = memory.filled_with(byte);
        page.forget(process_of(byte));
        page.forget(1);
        CHECK(page.publish(7, 1, {1, 2, 3}) == 0);
        CHECK(page.has(2));
    }
}
