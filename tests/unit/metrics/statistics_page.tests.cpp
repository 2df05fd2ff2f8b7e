// What processes count, and what is read when some of them are gone.
#include "metrics/statistics_page.hpp"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace wsp {
namespace {

constexpr pid_t kChild = 100;
constexpr std::size_t kGone = 31;
constexpr MonotonicUs kNow = 1000 * kSecond;
constexpr MonotonicUs kMinute = 60 * kSecond;

struct Unmap {
    void operator()(StatisticsPage* page) const { ::munmap(page, sizeof *page); }
};
using UniquePage = std::unique_ptr<StatisticsPage, Unmap>;

// In memory that processes share, as in httpd.
UniquePage new_page() {
    void* const memory = ::mmap(nullptr, sizeof(StatisticsPage), PROT_READ | PROT_WRITE,
                                MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    REQUIRE(memory != MAP_FAILED);
    return UniquePage(&StatisticsPage::in(memory));
}

// The numbers of a page with one series, with or without the one for what has no room.
SeriesSnapshot only_series(const StatisticsPage& page) {
    ServerSnapshot snapshot = page.read(kNow, 0);
    REQUIRE(snapshot.series.size() == 1);
    return snapshot.series.front();
}

std::uint64_t gone(const SeriesSnapshot& series) {
    return series.at(Metric::ended, kGone);
}

TEST_CASE("a new page has counted nothing", "[statistics]") {
    const UniquePage page = new_page();
    page->begin(1700);
    page->begin(1800);
    const ServerSnapshot snapshot = page->read(kNow, 1900);
    CHECK(snapshot.series.empty());
    CHECK(snapshot.children == 0);
    CHECK(snapshot.started_at == 1700);
    CHECK(snapshot.taken_at == 1900);
}

TEST_CASE("a series is what has the same labels, in whatever process", "[statistics]") {
    const UniquePage page = new_page();
    const auto id = page->series("a:80", "ws://b");
    CHECK(page->series("a:80", "ws://b") == id);
    CHECK(page->series("a:80", "ws://c") != id);
    CHECK(page->series("a:80w", "s://b") != id);
    page->counters(kChild, id).add(Metric::opened, 2);
    page->counters(kChild + 1, id).add(Metric::opened, 3);
    const ServerSnapshot snapshot = page->read(kNow, 0);
    REQUIRE(snapshot.series.size() == 3);
    CHECK(snapshot.series[0].vhost == "a:80");
    CHECK(snapshot.series[0].backend == "ws://b");
    CHECK(snapshot.series[0].at(Metric::opened) == 5);
    CHECK(snapshot.series[1].backend == "ws://c");
    CHECK(snapshot.series[1].at(Metric::opened) == 0);
    CHECK(snapshot.children == 2);
}

TEST_CASE("labels that are too long stay different", "[statistics]") {
    const UniquePage page = new_page();
    const std::string begin(2 * StatisticsPage::kLongestLabel, 'x');
    page->series(begin + "1", begin + "1");
    page->series(begin + "1", begin + "2");
    const ServerSnapshot snapshot = page->read(kNow, 0);
    REQUIRE(snapshot.series.size() == 2);
    for (const SeriesSnapshot& series : snapshot.series) {
        CHECK(series.vhost.size() == StatisticsPage::kLongestLabel);
        CHECK(series.backend.size() == StatisticsPage::kLongestLabel);
    }
    CHECK(snapshot.series[0].vhost == snapshot.series[1].vhost);
    CHECK(snapshot.series[0].backend != snapshot.series[1].backend);
}

TEST_CASE("a time is counted in its bucket and in the sum", "[statistics]") {
    const UniquePage page = new_page();
    SeriesCounters counters = page->counters(kChild, page->series("a", "b"));
    counters.observe(Metric::lifetime, 100);
    counters.observe(Metric::lifetime, 101);
    counters.observe(Metric::lifetime, -5);
    const SeriesSnapshot series = only_series(*page);
    CHECK(series.at(Metric::lifetime, 0) == 2);
    CHECK(series.at(Metric::lifetime, 1) == 1);
    CHECK(series.at(Metric::lifetime, kBuckets) == 201);
}

TEST_CASE("gauges are the sum over living processes", "[statistics]") {
    const UniquePage page = new_page();
    const auto id = page->series("a", "b");
    SeriesCounters one = page->counters(kChild, id);
    SeriesCounters two = page->counters(kChild + 1, id);
    one.set(Metric::pool_connections, 3, 1);
    two.set(Metric::pool_connections, 4, 1);
    one.adjust(Metric::held_bytes, 1000);
    two.adjust(Metric::held_bytes, 10);
    two.adjust(Metric::held_bytes, -4);
    CHECK(only_series(*page).at(Metric::pool_connections, 1) == 7);
    CHECK(only_series(*page).at(Metric::held_bytes) == 1006);
    page->fold(kChild, kGone, kNow);
    CHECK(only_series(*page).at(Metric::pool_connections, 1) == 4);
    CHECK(only_series(*page).at(Metric::held_bytes) == 6);
}

TEST_CASE("what lived in a process that is gone has ended", "[statistics]") {
    const UniquePage page = new_page();
    const auto id = page->series("a", "b");
    SeriesCounters counters = page->counters(kChild, id);
    counters.add(Metric::opened, 10);
    counters.add(Metric::arrived, 4);
    counters.count_end(1, 1000, kSecond, kNow);
    counters.add(Metric::left, 3);
    counters.add(Metric::bytes, 77, 1);
    // Nine of the ten are open: the three that have left are on their way to somebody else, the four came from there.
    CHECK(only_series(*page).open() == 9);

    page->fold(kChild, kGone, kNow);
    const SeriesSnapshot series = only_series(*page);
    CHECK(series.at(Metric::opened) == 10);
    CHECK(series.at(Metric::bytes, 1) == 77);
    CHECK(series.at(Metric::ended, 1) == 1);
    CHECK(gone(series) == 10);
    const ServerSnapshot snapshot = page->read(kNow, 0);
    CHECK(snapshot.children == 0);
    CHECK(snapshot.ended_by_minute[0].ended[kGone] == 10);
    CHECK(snapshot.ended_by_minute[0].ended[1] == 1);

    page->fold(kChild, kGone, kNow);
    CHECK(gone(only_series(*page)) == 10);
}

TEST_CASE("another process counts on where one has been", "[statistics]") {
    const UniquePage page = new_page();
    const auto id = page->series("a", "b");
    for (pid_t child = kChild; child < kChild + 3; ++child) {
        SeriesCounters counters = page->counters(child, id);
        counters.add(Metric::opened, 5);
        counters.set(Metric::pool_warm, 2);
        counters.count_end(2, 1001, kSecond, kNow);
        CHECK(only_series(*page).at(Metric::pool_warm) == 2);
        page->fold(child, kGone, kNow);
    }
    const SeriesSnapshot series = only_series(*page);
    CHECK(series.at(Metric::opened) == 15);
    CHECK(series.at(Metric::ended, 2) == 3);
    CHECK(gone(series) == 12);
    CHECK(series.open() == 0);
    CHECK(series.at(Metric::pool_warm) == 0);
}

TEST_CASE("the last hour is known by the minute", "[statistics]") {
    const UniquePage page = new_page();
    SeriesCounters counters = page->counters(kChild, page->series("a", "b"));
    const MonotonicUs start = 100 * kMinute;
    counters.count_end(1, 1000, 0, start);
    counters.count_end(1, 1000, 0, start + kMinute - 1);
    counters.count_end(1, 1000, 0, start + 59 * kMinute);
    const auto ended = [&](MonotonicUs now, std::size_t ago) {
        return page->read(now, 0).ended_by_minute[ago].ended[1];
    };
    CHECK(ended(start + 59 * kMinute, 0) == 1);
    CHECK(ended(start + 59 * kMinute, 59) == 2);
    CHECK(ended(start + 60 * kMinute, 0) == 0);
    CHECK(ended(start + 60 * kMinute, 1) == 1);
    counters.count_end(1, 1000, 0, start + 60 * kMinute);
    CHECK(ended(start + 60 * kMinute, 0) == 1);
    CHECK(ended(start + 1000 * kMinute, 0) == 0);
}

TEST_CASE("where there is no room for another series it is counted with all others",
          "[statistics]") {
    const UniquePage page = new_page();
    for (std::size_t i = 2; i < StatisticsPage::kSeries; ++i) {
        REQUIRE(page->series("a", std::to_string(i)) == i);
    }
    CHECK(page->series("a", "2") == 2);
    const auto id = page->series("b", "c");
    CHECK(id == StatisticsPage::kOther);
    page->counters(kChild, id).add(Metric::opened, 3);
    page->counters(kChild, 1'000'000).add(Metric::opened, 1);
    const ServerSnapshot snapshot = page->read(kNow, 0);
    REQUIRE(snapshot.series.size() == StatisticsPage::kSeries - 1);
    CHECK(snapshot.series.back().vhost == StatisticsPage::kOtherLabel);
    CHECK(snapshot.series.back().at(Metric::opened) == 4);
}

TEST_CASE("without a block left counters are right, and gauges left out", "[statistics]") {
    const UniquePage page = new_page();
    const auto id = page->series("a", "b");
    for (std::size_t i = 0; i < StatisticsPage::kBlocks; ++i) {
        page->counters(kChild, id);
    }
    SeriesCounters late = page->counters(kChild + 1, id);
    late.add(Metric::opened, 2);
    late.set(Metric::pool_warm, 5);
    late.adjust(Metric::held_bytes, 5);
    CHECK(only_series(*page).at(Metric::opened) == 2);
    CHECK(only_series(*page).at(Metric::pool_warm) == 0);
    CHECK(only_series(*page).at(Metric::held_bytes) == 0);
    page->fold(kChild, kGone, kNow);
    SeriesCounters own = page->counters(kChild + 2, id);
    own.set(Metric::pool_warm, 5);
    CHECK(only_series(*page).at(Metric::pool_warm) == 5);
}

TEST_CASE("without shared memory nothing is counted", "[statistics]") {
    SeriesCounters counters;
    counters.add(Metric::opened);
    counters.observe(Metric::lifetime, 1);
    counters.set(Metric::pool_warm, 1);
    counters.adjust(Metric::held_bytes, 1);
    counters.count_end(1, 1000, 1, 1);
    CHECK(counters.id() == StatisticsPage::kServer);
}

TEST_CASE("what the server counts once is apart", "[statistics]") {
    const UniquePage page = new_page();
    page->counters(kChild, StatisticsPage::kServer).observe(Metric::loop_lag, 1);
    const ServerSnapshot snapshot = page->read(kNow, 0);
    CHECK(snapshot.series.empty());
    CHECK(snapshot.server.at(Metric::loop_lag, 0) == 1);
}

TEST_CASE("another table of metrics, or other names, is another layout", "[statistics]") {
    CHECK(StatisticsPage::layout(1) == StatisticsPage::layout(1));
    CHECK(StatisticsPage::layout(1) != StatisticsPage::layout(2));
}

// --- moves that death has interrupted -----------------------------------------------------------

TEST_CASE("a tunnel that was lost on its way has ended", "[statistics]") {
    const UniquePage page = new_page();
    SeriesCounters counters = page->counters(kChild, page->series("a", "b"));
    counters.add(Metric::opened, 3);
    counters.add(Metric::left, 3);
    page->counters(kChild + 1, counters.id()).add(Metric::arrived, 2);
    page->fold(kChild, kGone, kNow);
    CHECK(only_series(*page).open() == 3);
    MonotonicUs now = kNow;
    const auto settle = [&](bool none_under_way) {
        now += StatisticsPage::kSettled;
        page->settle_moves(none_under_way, kGone, now);
    };
    settle(true);
    settle(false);  // it may still be on its way
    settle(true);
    CHECK(only_series(*page).open() == 3);
    page->settle_moves(true, kGone, now + 1);  // too soon
    CHECK(only_series(*page).open() == 3);
    settle(true);
    CHECK(only_series(*page).open() == 2);
    CHECK(gone(only_series(*page)) == 1);
    settle(true);
    settle(true);
    CHECK(only_series(*page).open() == 2);
}

TEST_CASE("a tunnel that has arrived and not left is one more", "[statistics]") {
    const UniquePage page = new_page();
    SeriesCounters counters = page->counters(kChild, page->series("a", "b"));
    counters.add(Metric::opened, 1);
    page->fold(kChild, kGone,
               kNow);  // killed after it had sent the tunnel, before that was counted
    page->counters(kChild + 1, counters.id()).add(Metric::arrived);
    CHECK(only_series(*page).open() == 0);
    for (int i = 1; i <= 3; ++i) {
        page->settle_moves(true, kGone, kNow + i * StatisticsPage::kSettled);
    }
    CHECK(only_series(*page).open() == 1);
    CHECK(only_series(*page).at(Metric::opened) == 2);
}

TEST_CASE("moves that go on are left alone", "[statistics]") {
    const UniquePage page = new_page();
    SeriesCounters counters = page->counters(kChild, page->series("a", "b"));
    counters.add(Metric::opened, 10);
    for (int i = 1; i <= 5; ++i) {
        counters.add(Metric::left);
        page->settle_moves(true, kGone, kNow + i * StatisticsPage::kSettled);
    }
    CHECK(only_series(*page).open() == 10);
}

// --- several threads and processes --------------------------------------------------------------

TEST_CASE("threads count in one block, and a reader sees no number shrink",
          "[statistics][threads]") {
    constexpr int kThreads = 4;
    constexpr std::uint64_t kEach = 20'000;
    const UniquePage page = new_page();
    SeriesCounters counters = page->counters(kChild, page->series("a", "b"));
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
        threads.emplace_back([&] {
            for (std::uint64_t n = 0; n < kEach; ++n) {
                counters.add(Metric::opened);
                counters.add(Metric::bytes, 10, n % 2);
                counters.count_end(n % 7, 1000, kSecond, kNow);
            }
        });
    }
    std::uint64_t seen = 0;
    while (seen < kThreads * kEach) {
        const SeriesSnapshot series = only_series(*page);
        // Each end was read before the opening: no more ends than tunnels.
        CHECK(series.at(Metric::opened) >= series.sum(Metric::ended));
        CHECK(series.at(Metric::opened) >= seen);
        seen = series.at(Metric::opened);
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    const ServerSnapshot snapshot = page->read(kNow, 0);
    CHECK(snapshot.series[0].sum(Metric::bytes) == 10 * kThreads * kEach);
    CHECK(snapshot.series[0].sum(Metric::ended) == kThreads * kEach);
    std::uint64_t in_minute = 0;
    for (const std::uint32_t count : snapshot.ended_by_minute[0].ended) {
        in_minute += count;
    }
    CHECK(in_minute == kThreads * kEach);
}

TEST_CASE("who reads while the parent folds finds each number once", "[statistics][threads]") {
    constexpr pid_t kChildren = 400;
    const UniquePage page = new_page();
    const auto id = page->series("a", "b");
    std::atomic<bool> over{false};
    std::atomic<std::uint64_t> counted{0};
    std::thread parent([&] {
        for (pid_t child = 1; child <= kChildren; ++child) {
            page->counters(child, id).add(Metric::opened, 5);
            counted.fetch_add(5);
            page->fold(child, kGone, kNow);
        }
        over.store(true);
    });
    while (!over.load()) {
        const std::uint64_t before = counted.load();
        const SeriesSnapshot series = only_series(*page);
        const std::uint64_t after = counted.load() + 5;  // the thread may be just about to
        CHECK(series.at(Metric::opened) >= before);
        CHECK(series.at(Metric::opened) <= after);
    }
    parent.join();
    CHECK(only_series(*page).at(Metric::opened) == 5 * kChildren);
    CHECK(gone(only_series(*page)) == 5 * kChildren);
}

TEST_CASE("threads that claim at once get different blocks, and one series",
          "[statistics][threads]") {
    constexpr int kThreads = 4;
    const UniquePage page = new_page();
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
        threads.emplace_back([&page, i] {
            for (int n = 0; n < 50; ++n) {
                const auto id = page->series("a", std::to_string(n));
                page->counters(kChild + i, id).add(Metric::opened);
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    for (int i = 0; i < kThreads; ++i) {
        page->fold(kChild + i, kGone, kNow);
    }
    const ServerSnapshot snapshot = page->read(kNow, 0);
    CHECK(snapshot.series.size() == 50);
    for (const SeriesSnapshot& series : snapshot.series) {
        CHECK(series.at(Metric::opened) == kThreads);
        CHECK(gone(series) == kThreads);
    }
}

TEST_CASE("processes count together, and one that is killed leaves its numbers", "[statistics]") {
    const UniquePage page = new_page();
    std::vector<pid_t> children;
    for (int i = 0; i < 2; ++i) {
        const pid_t child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            SeriesCounters counters = page->counters(::getpid(), page->series("a:80", "ws://b"));
            for (int n = 0; n < 1000; ++n) {
                counters.add(Metric::opened);
            }
            counters.count_end(1, 1000, kSecond, kNow);
            ::kill(::getpid(), SIGKILL);
        }
        children.push_back(child);
    }
    for (const pid_t child : children) {
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        CHECK(WIFSIGNALED(status));
    }
    CHECK(only_series(*page).at(Metric::opened) == 2000);
    CHECK(only_series(*page).open() == 1998);
    for (const pid_t child : children) {
        page->fold(child, kGone, kNow);
    }
    CHECK(only_series(*page).at(Metric::opened) == 2000);
    CHECK(gone(only_series(*page)) == 1998);
}

}  // namespace
}  // namespace wsp
