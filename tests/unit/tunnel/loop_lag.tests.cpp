// Quick rounds are counted together, and none is left out.
#include "tunnel/loop_lag.hpp"

#include <catch2/catch.hpp>
#include <memory>

using namespace wsp;

TEST_CASE("every round of a loop is counted, the quick ones in one go") {
    const auto block = std::make_unique<CellBlock>();
    const auto minutes = std::make_unique<MinuteRing>();
    const auto counted = [&](std::size_t cell) {
        return block->cells[first_cell(Metric::loop_lag) + cell].load();
    };
    LoopLag lag(SeriesCounters(*block, *minutes, 0, true));
    lag.end(1000);  // nothing has begun
    CHECK(counted(0) == 0);
    MonotonicUs now = 1000;
    const auto round = [&](DurationUs time) {
        lag.begin(now);
        now += time;
        lag.end(now);
    };
    for (int i = 0; i < 100; ++i) {
        round(100);
    }
    CHECK(counted(0) == 64);
    CHECK(counted(kBuckets) == 6400);
    round(101);  // a slow one tells the others, too
    CHECK(counted(0) == 100);
    CHECK(counted(1) == 1);
    CHECK(counted(kBuckets) == 10'101);
    round(0);
    lag.tell();
    CHECK(counted(0) == 101);
}
