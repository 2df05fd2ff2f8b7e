// Tunnels between their 101 and their loop: whoever asks meanwhile waits for them, and for no later ones.
#include "survey/opening_tunnel.hpp"

#include <catch2/catch.hpp>
#include <thread>
#include <utility>

#include "support/survey_rig.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

constexpr DurationUs kLong = 20 * kSecond;

}  // namespace

TEST_CASE("a tunnel that is on its way to its loop is waited for", "[threads]") {
    SharedPage shared;
    SurveyPage& page = *shared.page;
    AnsweringPump loops(page);
    const SurveyPage::Number before = page.number();
    SocketTunnel made = make_named_tunnel("opening", loops.seen, before);
    OpeningTunnel opening = loops.respondent().open_tunnel();
    const bool close = GENERATE(false, true);
    const bool after_another = GENERATE(false, true);  // which needs no answer of that tunnel
    RowsAnswer rows;
    CloseAnswer closed;
    std::thread asks([&] {
        if (after_another)
            Survey(&page).flush(kLong);
        if (close)
            closed = Survey(&page).close({Match::Field::all, ""}, {4001, "all", 0}, kLong);
        else
            rows = Survey(&page).rows(kLong);
    });
    // The loop has answered: it has no tunnel.
    CHECK(await([&] { return page.number() != before && page.silent(page.number()) == 0; }));
    SECTION("it comes") {
        // Who does not wait has time to go wrong; nothing depends on it.
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        REQUIRE(loops.pump.adopt(made.tunnel, std::move(opening)));
        asks.join();
        CHECK((close ? closed.matched : rows.rows.size()) == 1);
    }
    SECTION("it ends before") {
        { const OpeningTunnel ends = std::move(opening); }
        asks.join();
        CHECK((close ? closed.matched : rows.rows.size()) == 0);
    }
}

TEST_CASE("a tunnel that opens after the question is not waited for") {
    SharedPage shared;
    SurveyPage& page = *shared.page;
    const int row = page.join(::getpid());
    const SurveyPage::Number question = page.post({});
    const OpeningTunnel later(page, row);
    CHECK_FALSE(page.is_any_opening_before(question));
    CHECK(page.is_any_opening_before(page.post({})));
}

TEST_CASE("what opens is counted until it ends, and by nobody who has left") {
    SharedPage shared;
    SurveyPage& page = *shared.page;
    const int row = page.join(::getpid());
    {
        OpeningTunnel opening(page, row);
        const OpeningTunnel moved = std::move(opening);
        CHECK(page.is_any_opening_before(page.post({})));
    }
    CHECK_FALSE(page.is_any_opening_before(page.number()));
    {
        const OpeningTunnel left(page, row);
        page.forget(::getpid());
        CHECK_FALSE(page.is_any_opening_before(page.post({})));
        CHECK(page.join(::getpid()) == row);
    }  // ends in the row of another process
    const OpeningTunnel of_other(page, row);
    CHECK(page.is_any_opening_before(page.post({})));
    const OpeningTunnel nobody, without_row(page, -1);
}

TEST_CASE("whoever is told of a tunnel finds it, while others ask", "[threads]") {
    SharedPage shared;
    AnsweringPump loops(*shared.page);
    std::atomic<bool> stop{false};
    std::thread others([&] {
        while (!stop)
            Survey(shared.page).rows(kLong);
    });
    std::vector<Ends> ends;
    bool all = true;
    for (std::size_t count = 1; count <= 100 && all; ++count) {
        SocketTunnel made =
            make_named_tunnel(std::to_string(count), loops.seen, shared.page->number());
        OpeningTunnel opening = loops.respondent().open_tunnel();
        std::thread brings([&] {
            std::this_thread::sleep_for(std::chrono::microseconds(count * 7 % 300));
            static_cast<void>(loops.pump.adopt(made.tunnel, std::move(opening)));
        });
        all = Survey(shared.page).rows(kLong).rows.size() == count;
        brings.join();
        ends.push_back(std::move(made.ends));
    }
    CHECK(all);
    stop = true;
    others.join();
}
