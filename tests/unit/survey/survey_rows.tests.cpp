// Rows of live tunnels: each tunnel once, of all processes, whatever happens to them meanwhile.
#include <catch2/catch.hpp>
#include <thread>

#include "support/survey_rig.hpp"
#include "tunnel/blocking_pump.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

constexpr DurationUs kLong = 20 * kSecond;

std::vector<std::string> names(const std::string& name, int count) {
    std::vector<std::string> all;
    for (int i = 0; i < count; ++i)
        all.push_back(name + "-" + std::to_string(i));
    return all;
}

}  // namespace

TEST_CASE("rows come from all processes, and say what their tunnels have done", "[threads]") {
    SharedPage shared;
    AnsweringProcess a(*shared.page, "a", 3), b(*shared.page, "b", 500), none(*shared.page, "c", 0);
    Survey survey(shared.page);
    const RowsAnswer answer = survey.rows(kLong);
    CHECK(answer.asked);
    CHECK(answer.silent == 0);
    CHECK(answer.left_out == 0);
    std::multiset<std::string> expected;
    for (const auto& [name, count] : {std::pair("a", 3), std::pair("b", 500)})
        for (const std::string& id : names(name, count))
            expected.insert(id);
    CHECK((ids_of(answer) == expected));
    for (const TunnelRow& row : answer.rows) {
        CHECK(row.child == (row.id[0] == 'a' ? a.pid : b.pid));
        CHECK(row.client == "192.0.2.7");
        CHECK(row.vhost == "www.example.com:443");
        CHECK(row.path == "/chat");
        CHECK(row.backend == "ws://127.0.0.1:8000");
        CHECK(row.tag == "tag of " + row.id);
        CHECK(row.tls);
        CHECK(row.messages_in == 1);
        CHECK(row.messages_out == 1);
        CHECK(row.bytes_in == frame(Side::client, kText, "hello").size());
        CHECK(row.bytes_out == frame(Side::backend, kText, "hello").size());
        CHECK(row.held == 0);
        CHECK(row.age > 0);
        CHECK(row.idle <= row.age);
        CHECK(row.state == TunnelRow::State::open);
        CHECK(row.mode == TunnelRow::Mode::pumped);
    }
    // What is asked again is answered again.
    CHECK((ids_of(survey.rows(kLong)) == expected));
}

TEST_CASE("a process that does not answer is silent, and one that is gone is not asked",
          "[threads]") {
    SharedPage shared;
    AnsweringProcess a(*shared.page, "a", 5), stopped(*shared.page, "b", 5);
    Survey survey(shared.page);
    ::kill(stopped.pid, SIGSTOP);
    REQUIRE(::waitpid(stopped.pid, nullptr, WUNTRACED) == stopped.pid);
    const RowsAnswer some = survey.rows(100 * kMillisecond);
    CHECK(some.asked);
    CHECK(some.silent == 1);
    CHECK(some.rows.size() == 5);
    stopped.kill_and_wait(SIGKILL);
    const RowsAnswer rest = survey.rows(kLong);
    CHECK(rest.silent == 0);
    CHECK(rest.rows.size() == 5);
}

TEST_CASE("a process that was killed while it asked keeps nobody from asking", "[threads]") {
    SharedPage shared;
    AnsweringProcess a(*shared.page, "a", 5);
    const pid_t asker = ::fork();
    if (asker == 0) {
        shared.page->take_turn(::getpid(), monotonic_now(), monotonic_now() + 3600 * kSecond);
        shared.page->post({});
        ::kill(::getpid(), SIGKILL);
    }
    siginfo_t ended;
    REQUIRE(::waitid(P_PID, static_cast<id_t>(asker), &ended, WEXITED | WNOWAIT) == 0);
    Survey survey(shared.page);
    // Nobody has reaped it, so it still seems to have the turn.
    CHECK_FALSE(survey.rows(kMillisecond).asked);
    SECTION("the parent forgets it") {
        shared.page->forget(asker);
    }
    SECTION("it is reaped") {
        ::waitpid(asker, nullptr, 0);
    }
    CHECK(survey.rows(kLong).rows.size() == 5);
}

TEST_CASE("the turn is one asker's until its lease is over") {
    SharedPage shared;
    SurveyPage& page = *shared.page;
    const MonotonicUs now = monotonic_now();
    const SurveyPage::Turn first = page.take_turn(::getpid(), now, now + kSecond);
    CHECK(first != 0);
    CHECK(page.take_turn(::getpid(), now + kSecond / 2, now + 2 * kSecond) == 0);
    const SurveyPage::Turn second =
        page.take_turn(::getpid(), now + 2 * kSecond, now + 3 * kSecond);
    CHECK(second != 0);
    page.end_turn(first);  // too late
    CHECK(page.take_turn(::getpid(), now + 2 * kSecond, now + 3 * kSecond) == 0);
    page.end_turn(second);
    CHECK(page.take_turn(::getpid(), now + 2 * kSecond, now + 3 * kSecond) != 0);
}

TEST_CASE("rows that there is no room for are counted", "[threads]") {
    SharedPage shared;
    SurveyPage& page = *shared.page;
    SurveyQuestion question;
    question.kind = SurveyQuestion::Kind::rows;
    // While the room is full, the loops hear the question: as they would if others had filled it.
    const SurveyPage::Number number = page.post(question);
    const std::string long_text(5000, 'x');
    TunnelDescription texts;
    texts.path = long_text;
    std::vector<TunnelRow> rows;
    std::size_t room = 0;
    for (;; ++room) {
        SurveyPage::RowWriter writer;  // each has a chunk of its own
        writer.begin(page, number);
        if (!writer.put({}, texts))
            break;
    }
    AnsweringPump loops(page);
    std::vector<Ends> ends;
    for (const std::string& id : names("late", 3)) {
        // Their handshake was before the question.
        ends.push_back(loops.adopt(make_named_tunnel(id, loops.seen, number - 1)));
        CHECK(ends.back().echoes("here"));
    }
    // What echoed may not have answered yet.
    CHECK(await([&] { return page.left_out(number) == 3; }));
    page.read_rows(number, rows);
    CHECK(rows.size() == room);
    CHECK(rows.front().path == long_text.substr(0, 1024));
    page.close(number);
    page.free_rows(number);
    const RowsAnswer after = Survey(&page).rows(kLong);
    CHECK(after.rows.size() == 3);
    CHECK(after.left_out == 0);
}

TEST_CASE("what a process writes that comes too late, or writes half, harms nobody") {
    SharedPage shared;
    SurveyPage& page = *shared.page;
    SurveyQuestion question;
    question.kind = SurveyQuestion::Kind::rows;
    const SurveyPage::Number first = page.post(question);
    SurveyPage::RowWriter late, later;
    late.begin(page, first);
    later.begin(page, first);
    TunnelDescription texts;
    texts.id = "in time";
    CHECK(late.put({}, texts));
    page.close(first);
    page.free_rows(first);
    const SurveyPage::Number second = page.post(question);
    SurveyPage::RowWriter writer;
    writer.begin(page, second);
    CHECK(writer.put({}, texts));
    texts.id = "too late";
    late.put({}, texts);  // into its old chunk
    CHECK_FALSE(later.put({}, texts));
    page.add_matched(first, 7);
    page.add_left_out(first);
    std::vector<TunnelRow> rows;
    page.read_rows(second, rows);
    CHECK(rows.size() == 1);
    CHECK(rows.front().id == "in time");
    CHECK(page.matched(second) == 0);
    CHECK(page.left_out(second) == 0);
}

TEST_CASE("a blocking pump answers, with pumps beside it and alone", "[pump]") {
    SharedPage shared;
    const bool alone = GENERATE(false, true);
    NamedObserver::Seen seen;
    LoopList list;
    SurveyRespondent respondent(*shared.page, list);
    respondent.join(::getpid());
    Pump pump;
    std::optional<LoopList::Entry> listed;
    if (!alone) {
        pump.answer(respondent);
        REQUIRE(pump.start());
        listed.emplace(list, pump);
    }
    SocketTunnel made = make_named_tunnel("blocks", seen, 0);
    std::thread thread([&] {
        BlockingPump blocking(-1, nullptr);
        blocking.answer(respondent);
        const LoopList::Entry entry(list, blocking);
        blocking.run(std::move(made.tunnel));
    });
    CHECK(made.ends.echoes("here"));
    const RowsAnswer answer = Survey(shared.page).rows(kLong);
    CHECK(answer.silent == 0);
    REQUIRE(answer.rows.size() == 1);
    CHECK(answer.rows[0].id == "blocks");
    CHECK(answer.rows[0].mode == TunnelRow::Mode::blocking);
    CHECK(made.ends.close_well());
    thread.join();
    if (alone) {
        respondent.leave(::getpid());  // nobody would hear a question any more
    }
    CHECK(Survey(shared.page).rows(kLong).rows.empty());
    if (!alone) {
        pump.close_all(ClosePlan::at_once(EndReason::shutdown, monotonic_now(), 0));
        CHECK(pump.join(kLong));
    }
}

TEST_CASE("a loop that does not run yet is waited for until it starts or goes", "[threads]") {
    SharedPage shared;
    LoopList list;
    SurveyRespondent respondent(*shared.page, list);
    respondent.join(::getpid());
    Pump pump;  // does not run
    pump.answer(respondent);
    std::optional<LoopList::Entry> listed(std::in_place, list, pump);
    const SurveyPage::Number number = shared.page->post({});
    respondent.hear();
    CHECK(shared.page->silent(number) == 1);
    SECTION("it goes") {
        listed.reset();
        CHECK(shared.page->silent(number) == 0);
    }
    SECTION("it starts, and answers what was asked before") {
        REQUIRE(pump.start());
        CHECK(await([&] { return shared.page->silent(number) == 0; }));
        pump.close_all(ClosePlan::at_once(EndReason::shutdown, monotonic_now(), 0));
        CHECK(pump.join(kLong));
    }
}

namespace {

// There is one tunnel on the way, until it has arrived.
class OneUnderWay final : public TunnelsUnderWay {
  public:
    bool are_any() const noexcept override {
        ++looks;
        return !arrived;
    }
    std::uint64_t most() const noexcept override { return 1; }

    mutable std::atomic<int> looks{0};
    std::atomic<bool> arrived{false};
};

}  // namespace

TEST_CASE("a tunnel that was received earlier is not taken for one that is on its way",
          "[threads]") {
    SharedPage shared;
    AnsweringPump loops(*shared.page);
    OneUnderWay way;
    std::optional<SurveyRespondent::Receiving> earlier(std::in_place, &loops.respondent());
    std::thread asks([&] { Survey(shared.page, &way).rows(kLong); });
    const auto looks_on = [&] {
        const int before = way.looks;
        return await([&] { return way.looks > before + 2; });
    };
    CHECK(looks_on());
    earlier->note_tunnel();
    earlier.reset();
    CHECK(looks_on());
    SECTION("it arrives") {
        way.arrived = true;
        asks.join();
    }
    SECTION("others arrive all the time, and it must have been among them") {
        const SurveyRespondent::Receiving one_more(&loops.respondent());
        one_more.note_tunnel();
    }
    if (asks.joinable())
        asks.join();
}

TEST_CASE("a survey has tunnels report their traffic and what they hold", "[pump]") {
    SharedPage shared;
    AnsweringPump loops(*shared.page);
    const Ends ends = loops.open("one");
    shrink_buffers(ends.client.get());
    const std::string large = frame(Side::backend, kBinary, std::string(3'000'000, 'x'));
    std::thread writes([&] { send_all(ends.backend.get(), large); });
    CHECK(wait_for(ends.client.get(), POLLIN));
    Survey survey(shared.page);
    CHECK(await([&] {
        survey.flush(kLong);
        return loops.seen.held > 0;
    }));
    const RowsAnswer answer = survey.rows(kLong);
    REQUIRE(answer.rows.size() == 1);
    CHECK(answer.rows[0].held > 0);
    CHECK(read_up_to(ends.client.get(), large.size()).size() == large.size());
    writes.join();
    survey.flush(kLong);
    CHECK(loops.seen.held == 0);
    CHECK(loops.seen.surveys >= 3);
}

TEST_CASE(
    "a tunnel that lives all the time is listed once each time, while it moves and others come and "
    "go",
    "[pump]") {
    SharedPage shared;
    NamedObserver::Seen seen;
    SurveyedWay way(seen);
    std::vector<std::unique_ptr<AnsweringPump>> pumps;
    pumps.push_back(std::make_unique<AnsweringPump>(*shared.page, &way));
    std::vector<Ends> open;
    std::multiset<std::string> steady;
    for (const std::string& id : names("steady", 300)) {
        open.push_back(pumps[0]->open(id));
        CHECK(open.back().echoes("here"));
        steady.insert(id);
    }
    std::atomic<bool> over{false};
    std::atomic<int> listings{0};
    std::string wrong;  // of the first listing that is; the thread's until it is joined
    std::thread lists([&] {
        Survey survey(shared.page, &way);
        while (!over) {
            const RowsAnswer answer = survey.rows(kLong);
            const std::multiset<std::string> ids = ids_of(answer);
            if (wrong.empty() && (!answer.asked || answer.silent > 0))
                wrong = answer.asked ? "a process is silent" : "nobody was asked";
            for (const std::string& id : ids)
                if (wrong.empty() && ids.count(id) != 1)
                    wrong = "twice: " + id;
            for (const std::string& id : steady)
                if (wrong.empty() && ids.count(id) == 0)
                    wrong = "missing among " + std::to_string(ids.size()) + ", left out " +
                            std::to_string(answer.left_out) + ": " + id;
            ++listings;
        }
    });
    for (int i = 0; i < 12; ++i) {
        AnsweringPump& from = *pumps.back();
        pumps.push_back(std::make_unique<AnsweringPump>(*shared.page, &way));
        const Ends brief = from.open("brief-" + std::to_string(i));
        from.move_all(way);
        CHECK(await([&] { return from.pump.tunnels() == 0; }));
        CHECK(brief.close_well());
        const int before = listings;
        CHECK(await([&] { return listings > before; }));
    }
    over = true;
    lists.join();
    CHECK(listings > 0);
    CHECK(wrong == "");
}
