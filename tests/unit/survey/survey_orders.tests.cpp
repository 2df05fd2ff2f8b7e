// Orders of an operator to close tunnels, wherever they are when the order is given.
#include <catch2/catch.hpp>
#include <thread>

#include "support/survey_rig.hpp"
#include "tunnel/blocking_pump.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

constexpr DurationUs kLong = 20 * kSecond;

// The Close that has come on `side`: code and reason.
std::pair<unsigned, std::string> close_on(const Ends& ends, Side side) {
    const std::string head = read_up_to(ends.fd(side), 2);
    if (head.size() < 2)
        return {};
    const bool masked = (head[1] & 0x80) != 0;
    const std::size_t rest = static_cast<std::size_t>(head[1] & 0x7F) + (masked ? 4 : 0);
    const auto seen = first_frame(head + read_up_to(ends.fd(side), rest));
    if (!seen || seen->opcode() != kClose)
        return {};
    return {seen->close_code(), seen->payload.substr(2)};
}

bool is_closed(const Ends& ends, unsigned code, const std::string& reason) {
    const std::pair<unsigned, std::string> expected{code, reason};
    return close_on(ends, Side::client) == expected && close_on(ends, Side::backend) == expected;
}

const CloseOrder kOrder{4001, "logged out", 0};

}  // namespace

TEST_CASE("an order ends the tunnels that match, on both sides and with its own code and reason",
          "[pump]") {
    SharedPage shared;
    AnsweringPump loops(*shared.page);
    const Ends one = loops.open("one"), two = loops.open("two");
    CHECK(one.echoes("here"));
    CHECK(two.echoes("here"));
    Survey survey(shared.page);
    using Field = Match::Field;
    const auto [field, text] =
        GENERATE(table<Field, std::string>({{Field::id, "one"},
                                            {Field::tag, "tag of one"},
                                            {Field::client, "192.0.2.7"},
                                            {Field::vhost, "www.example.com:443"},
                                            {Field::backend, "ws://127.0.0.1:8000"},
                                            {Field::all, ""}}));
    const bool both = field != Field::id && field != Field::tag;
    for (const std::string& other : {text + "x", std::string(Match::kMostText + 1, 'x')})
        if (field != Field::all)
            CHECK(survey.close({field, other}, kOrder, kLong).matched == 0);
    const CloseAnswer answer = survey.close({field, text}, kOrder, kLong);
    CHECK(answer.asked);
    CHECK(answer.silent == 0);
    CHECK(answer.matched == (both ? 2 : 1));
    CHECK(is_closed(one, 4001, "logged out"));
    CHECK((both ? is_closed(two, 4001, "logged out") : two.echoes("still here")));
    const RowsAnswer rows = survey.rows(kLong);
    for (const TunnelRow& row : rows.rows)
        CHECK((row.state == TunnelRow::State::closing) == (both || row.id == "one"));
}

TEST_CASE("an order's reason may be empty, and is cut between two characters", "[pump]") {
    SharedPage shared;
    AnsweringPump loops(*shared.page);
    const Ends one = loops.open("one");
    const std::string of_122(122, 'x');
    const auto [given, sent] = GENERATE_COPY(table<std::string, std::string>(
        {{"", ""}, {of_122 + "xy", of_122 + "x"}, {of_122 + "\xC3\xA4", of_122}}));
    CHECK(Survey(shared.page).close({Match::Field::all, ""}, {1008, given, 0}, kLong).matched == 1);
    CHECK(is_closed(one, 1008, sent));
    CHECK(await([&] { return loops.seen.ended == 0; }));
}

TEST_CASE("a tunnel that an operator closes ends for that reason", "[pump]") {
    SharedPage shared;
    AnsweringPump loops(*shared.page);
    {
        const Ends one = loops.open("one");
        Survey(shared.page).close({Match::Field::all, ""}, kOrder, kLong);
        CHECK(one.take_close(Side::client) == 4001);
        CHECK(one.take_close(Side::backend) == 4001);
    }
    CHECK(await([&] { return loops.seen.ended == 1; }));
    CHECK(loops.seen.reason == EndReason::closed_by_operator);
}

TEST_CASE("an order with a spread ends each tunnel at a moment of its own", "[pump]") {
    SharedPage shared;
    AnsweringPump loops(*shared.page);
    std::vector<Ends> ends;
    for (int i = 0; i < 20; ++i)
        ends.push_back(loops.open(std::to_string(i)));
    Survey survey(shared.page);
    CHECK(survey.close({Match::Field::all, ""}, {4001, "far", 3600 * kSecond}, kLong).matched ==
          20);
    for (const Ends& each : ends)
        CHECK(each.echoes("still here"));
    CHECK(
        survey.close({Match::Field::all, ""}, {4002, "soon", 100 * kMillisecond}, kLong).matched ==
        20);
    for (const Ends& each : ends)
        CHECK(is_closed(each, 4002, "soon"));
}

TEST_CASE("an order reaches a tunnel whose handshake was before it, and none of later ones",
          "[pump]") {
    SharedPage shared;
    AnsweringPump loops(*shared.page);
    SocketTunnel before = make_named_tunnel("alice", loops.seen, shared.page->number());
    SocketTunnel other = make_named_tunnel("bob", loops.seen, shared.page->number());
    Survey survey(shared.page);
    // With many others behind it.
    CHECK(survey.close({Match::Field::id, "alice"}, kOrder, kLong).matched == 0);
    for (int i = 0; i < 100; ++i)
        survey.close({Match::Field::id, "nobody"}, kOrder, kLong);
    const int later_questions = GENERATE(0, 3);
    for (int i = 0; i < later_questions; ++i)
        survey.rows(kLong);
    SocketTunnel after = make_named_tunnel("alice", loops.seen, shared.page->number());
    const Ends ended = loops.adopt(std::move(before));
    const Ends lives = loops.adopt(std::move(after));
    const Ends lives_too = loops.adopt(std::move(other));
    CHECK(is_closed(ended, 4001, "logged out"));
    CHECK(lives.echoes("here"));
    CHECK(lives_too.echoes("here"));
    survey.rows(kLong);
    CHECK(lives.echoes("still here"));
}

TEST_CASE("an order reaches a tunnel that is between two processes", "[pump]") {
    SharedPage shared;
    NamedObserver::Seen seen;
    SurveyedWay way(seen);
    AnsweringPump from(*shared.page);
    const Ends ended = from.open("alice"), lives = from.open("bob");
    CHECK(ended.echoes("here"));
    CHECK(lives.echoes("here"));
    from.move_all(way);
    CHECK(await([&] { return from.pump.moved_tunnels() == 2; }));
    Survey survey(shared.page);
    CHECK(survey.close({Match::Field::id, "alice"}, kOrder, kLong).asked);
    AnsweringPump to(*shared.page, &way);
    CHECK(is_closed(ended, 4001, "logged out"));
    CHECK(lives.echoes("here"));
}

TEST_CASE("an order with a spread goes along when its tunnel moves", "[pump]") {
    SharedPage shared;
    NamedObserver::Seen seen;
    SurveyedWay way(seen);
    AnsweringPump from(*shared.page);
    const Ends ends = from.open("alice");
    CHECK(ends.echoes("here"));
    Survey survey(shared.page);
    CHECK(survey.close({Match::Field::id, "alice"}, {4001, "logged out", kSecond}, kLong).matched ==
          1);
    from.move_all(way);
    CHECK(await([&] { return from.pump.moved_tunnels() == 1; }));
    AnsweringPump to(*shared.page, &way);
    CHECK(is_closed(ends, 4001, "logged out"));
}

TEST_CASE("an order reaches a blocking pump", "[pump]") {
    SharedPage shared;
    AnsweringPump loops(*shared.page);
    SocketTunnel made = make_named_tunnel("blocks", loops.seen, 0);
    std::thread thread([&] {
        BlockingPump blocking(-1, nullptr);
        blocking.answer(loops.respondent());
        const LoopList::Entry entry(loops.list, blocking);
        blocking.run(std::move(made.tunnel));
    });
    CHECK(made.ends.echoes("here"));
    CHECK(Survey(shared.page).close({Match::Field::tag, "tag of blocks"}, kOrder, kLong).matched ==
          1);
    CHECK(made.ends.take_close(Side::client) == 4001);
    CHECK(made.ends.take_close(Side::backend) == 4001);
    made.ends = {};
    thread.join();
    CHECK(loops.seen.reason == EndReason::closed_by_operator);
}

TEST_CASE("the last orders are known, and those only") {
    SharedPage shared;
    SurveyPage& page = *shared.page;
    SurveyQuestion order;
    order.kind = SurveyQuestion::Kind::close;
    SurveyQuestion found;
    CHECK_FALSE(page.read_order(1, 0, found));
    for (int i = 0; i < 300; ++i)
        page.post(order);
    std::size_t known = 0;
    for (SurveyPage::Number before = page.number() + 1; page.read_order(before, 0, found);
         before = found.number) {
        CHECK(found.number == before - 1);
        ++known;
    }
    CHECK(known == 256);
    CHECK(page.read_order(300, 298, found));
    CHECK(found.number == 299);
    CHECK_FALSE(page.read_order(300, 299, found));
}
