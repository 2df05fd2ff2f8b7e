// Every member of every class travels, and an image that is odd becomes no tunnel, or one that works.
#include <catch2/catch.hpp>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "support/move_rig.hpp"
#include "support/scarce_memory.hpp"
#include "support/socket_tunnel.hpp"
#include "support/tunnel_rig.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

// Walks through members as the code under test does, but with ways of its own.
template <class Derived>
class Walk {
  public:
    template <class... Fields>
    void operator()(Fields&... fields) {
        (visit(fields), ...);
    }
    int stayed_behind = 0;

  protected:
    template <class T>
    void visit(T& field) {
        if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>)
            self().number(field);
        else if constexpr (kStaysBehind<std::remove_const_t<T>>)
            ++stayed_behind;
        else
            std::remove_const_t<T>::each_member(field, *this);
    }
    template <class T, std::size_t N>
    void visit(std::array<T, N>& fields) {
        for (T& field : fields)
            visit(field);
    }
    template <class T>
    void visit(std::unique_ptr<T>& field) {
        self().pointer(field);
        if (field)
            visit(*field);
    }
    void visit(HeldBytes& field) { self().held(field); }
    void visit(Utf8Validator& field) { self().text(field); }

    Derived& self() { return static_cast<Derived&>(*this); }
};

const std::string kPart = "a part that is not always there";

// All values, in order. A null pointer, and an empty queue, are values too.
class Values : public Walk<Values> {
  public:
    std::vector<std::string> all;

    template <class T>
    void number(T& field) {
        all.emplace_back(reinterpret_cast<const char*>(&field), sizeof field);
    }
    template <class T>
    void pointer(std::unique_ptr<T>& field) {
        all.emplace_back(field ? kPart : "null");
    }
    void held(HeldBytes& field) { all.emplace_back(field.data(), field.data() + field.size()); }
    void text(Utf8Validator& field) { Utf8Validator::each_member(field, *this); }
};

// Gives each member another value than it has: small numbers that all differ, so that none can stand in for another.
class ChangeAll : public Walk<ChangeAll> {
  public:
    template <class T>
    void number(T& field) {
        if constexpr (std::is_same_v<T, bool>)
            field = !field;
        else if constexpr (std::is_same_v<T, Direction::Flow>)
            field = Direction::Flow::stopped;  // as the end of the source wants it
        else if constexpr (std::is_enum_v<T>)
            field = static_cast<T>(field == T{1} ? 0 : 1);
        else if constexpr (sizeof(T) == 1)
            field = static_cast<T>(field == 3 ? 1 : 3);  // a masking key's offset is less than 4
        else
            field = static_cast<T>(++last_);
    }
    template <class T>
    void pointer(std::unique_ptr<T>& field) {
        field.reset(field ? nullptr : new T());
    }
    void held(HeldBytes& field) {
        const std::string bytes = std::to_string(++last_);
        REQUIRE(field.append(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
    }

    void text(Utf8Validator& field) { CHECK(field.feed(kFirstHalf, sizeof kFirstHalf)); }

  private:
    static constexpr std::uint8_t kFirstHalf[] = {0xC3};
    unsigned last_ = 2000;
};

// Makes what is null.
class MakeParts : public Walk<MakeParts> {
  public:
    template <class T>
    void number(T&) {}
    template <class T>
    void pointer(std::unique_ptr<T>& field) {
        field = std::make_unique<T>();
    }
    void held(HeldBytes&) {}
    void text(Utf8Validator&) {}
};

template <class T>
std::vector<std::string> values_of(T& object) {
    Values values;
    values(object);
    return values.all;
}

template <class T>
void check_that_all_travels(T& changed, T& arrived, std::size_t at_least) {
    ChangeAll change;
    change(changed);
    const std::vector<std::string> sent = values_of(changed);
    // With the same parts, but as they are made.
    MakeParts make_parts;
    make_parts(arrived);
    const std::vector<std::string> initial = values_of(arrived);
    REQUIRE(initial.size() == sent.size());
    for (std::size_t i = 0; i < sent.size(); ++i) {
        INFO("value " << i);
        CHECK((initial[i] != sent[i] || sent[i] == kPart));
    }
    CHECK(sent.size() >= at_least);

    ImageWriter image;
    write_members(image, changed);
    ImageReader reader(image.data(), image.size());
    read_members(reader, arrived);
    CHECK(reader.at_end());
    const std::vector<std::string> got = values_of(arrived);
    REQUIRE(got.size() == sent.size());
    for (std::size_t i = 0; i < sent.size(); ++i) {
        INFO("value " << i);
        CHECK(got[i] == sent[i]);
    }
}

class NoListener final : public ControlListener {
  public:
    bool on_control(Side, const FrameScanner::Control&) noexcept override { return true; }
};

struct LoneDirection {
    explicit LoneDirection(Side from) : direction(source, sink, from, terms, listener) {}
    Script scripts[2];
    ScriptedStream source{scripts[0]}, sink{scripts[1]};
    TunnelTerms terms{std::make_shared<const Policy>(), {}, 0, false, {}};
    NoListener listener;
    Direction direction;
};

// A tunnel with something in every corner: frames in pieces, bytes held both ways, delayed messages, Pings.
SocketTunnel full_tunnel(EndBoard& board) {
    Policy policy;
    policy.message_rate = 1;
    policy.message_burst = 3;
    policy.ping_interval = 10 * kSecond;
    policy.ping_deadline = 5 * kSecond;
    policy.ping_backend = true;
    policy.validate = Validate::full;
    policy.idle_timeout = 100 * kSecond;
    SocketTunnel made = make_socket_tunnel(board, false, policy);
    std::vector<std::uint8_t> scratch(65'000);
    const MonotonicUs now = 1'000'000'000;
    made.tunnel->start(now);
    made.tunnel->end_at(now + 1000 * kSecond, EndReason::lifetime);
    for (int i = 0; i < 5; ++i)
        send_all(made.ends.client.get(), frame(Side::client, kText, "one of five messages"));
    // The client takes nothing until bytes are held, and a frame of the backend stays in pieces.
    shrink_buffers(made.tunnel->stream(Side::client).fd());
    const std::string large = frame(Side::backend, kBinary, std::string(300'000, 'x'));
    std::size_t at = 0;
    while (made.tunnel->interest(Side::client) != (kReadable | kWritable) && at < large.size()) {
        const std::size_t piece = std::min<std::size_t>(20'000, large.size() - at);
        send_all(made.ends.backend.get(), std::string_view(large).substr(at, piece));
        at += piece;
        made.tunnel->advance(kReadable, kReadable, {scratch.data(), scratch.size()}, now + 1);
        if ((made.tunnel->interest(Side::client) & kWritable) != 0)
            break;
    }
    made.tunnel->on_timer(now + 11 * kSecond);
    return made;
}

std::string image_of(const Tunnel& tunnel) {
    ImageWriter writer;
    REQUIRE(tunnel.write_image(writer));
    REQUIRE(writer.ok());
    return {reinterpret_cast<const char*>(writer.data()), writer.size()};
}

MovedDescriptors copies_of(const Tunnel& tunnel) {
    return {UniqueFd(::dup(tunnel.stream(Side::client).fd())),
            UniqueFd(::dup(tunnel.stream(Side::backend).fd()))};
}

// Whatever came out of an image must work, until its end.
void drive_to_its_end(Tunnel& tunnel) {
    std::vector<std::uint8_t> scratch(4096);
    MonotonicUs now = 2'000'000'000;
    for (int i = 0; i < 20 && !tunnel.done(); ++i) {
        tunnel.advance(kReadable | kWritable, kReadable | kWritable,
                       {scratch.data(), scratch.size()}, now);
        now = std::max(now, std::min(tunnel.deadline(), now + 100 * kSecond));
        tunnel.on_timer(now);
        if (i == 10)
            tunnel.end(EndReason::drain, now);
    }
    tunnel.finish_report(now);
}

}  // namespace

TEST_CASE("every member of a policy travels", "[image]") {
    Policy changed, arrived;
    check_that_all_travels(changed, arrived, 10);
}

TEST_CASE("every member of a direction travels, and of what it is made of", "[image]") {
    LoneDirection changed(Side::backend), arrived(Side::backend);
    check_that_all_travels(changed.direction, arrived.direction, 40);
    Values walk;
    walk(changed.direction);
    CHECK(walk.stayed_behind == 4);  // source, sink, terms, listener
}

TEST_CASE("every other member of a tunnel travels", "[image]") {
    TunnelState changed, arrived;
    check_that_all_travels(changed, arrived, 20);
}

TEST_CASE("the parts that are rare travel whole", "[image]") {
    MessageMeter meter(10, 5, 0), empty(1, 1, 0);
    check_that_all_travels(meter, empty, 6);
    PingState ping(7), other(8);
    check_that_all_travels(ping, other, 4);
    FrameScanner scanner{ScanRules{}}, fresh{ScanRules{}};
    check_that_all_travels(scanner, fresh, 16);
}

TEST_CASE("a socket's byte counts travel, its descriptor beside them", "[image]") {
    SocketStream changed(unix_pair().ours), arrived(unix_pair().ours);
    check_that_all_travels(changed, arrived, 2);
    Values walk;
    walk(changed);
    CHECK(walk.stayed_behind == 1);
}

TEST_CASE("a tunnel with something in every corner arrives as it was sent", "[image]") {
    EndBoard board;
    BoardRestorer restorer(board);
    SocketTunnel made = full_tunnel(board);
    const std::string sent = image_of(*made.tunnel);
    ImageReader reader(sent);
    std::unique_ptr<Tunnel> there =
        Tunnel::from_image(reader, copies_of(*made.tunnel), restorer, nullptr);
    REQUIRE(there);
    CHECK((image_of(*there) == sent));
    CHECK(there->deadline() == made.tunnel->deadline());
    CHECK(there->interest(Side::client) == made.tunnel->interest(Side::client));
    CHECK(there->interest(Side::backend) == made.tunnel->interest(Side::backend));
    CHECK(there->report(2'000'000'000).duration == made.tunnel->report(2'000'000'000).duration);
}

TEST_CASE("an image that is cut anywhere becomes no tunnel, and its descriptors are closed",
          "[image]") {
    EndBoard board;
    BoardRestorer restorer(board);
    SocketTunnel made = full_tunnel(board);
    const std::string sent = image_of(*made.tunnel);
    const std::size_t before = open_descriptors();
    std::size_t made_it = 0;
    for (std::size_t size = 0; size < sent.size();
         size += size < 600 || size + 600 > sent.size() ? 1 : 97) {
        const std::string cut = sent.substr(0, size);
        ImageReader reader(cut);
        made_it +=
            Tunnel::from_image(reader, copies_of(*made.tunnel), restorer, nullptr) != nullptr;
    }
    CHECK(made_it == 0);
    const std::string longer = sent + '\0';
    ImageReader reader(longer);
    CHECK_FALSE(Tunnel::from_image(reader, copies_of(*made.tunnel), restorer, nullptr));
    CHECK(open_descriptors() == before);
}

TEST_CASE("an image with odd bytes becomes no tunnel, or one that works", "[image]") {
    EndBoard board;
    BoardRestorer restorer(board);
    SocketTunnel made = full_tunnel(board);
    const std::string sent = image_of(*made.tunnel);
    const std::size_t before = open_descriptors();
    std::mt19937 random(5);
    std::size_t refused = 0, worked = 0;
    for (int round = 0; round < 3000; ++round) {
        std::string odd = sent;
        // Numbers are at the beginning and at the end, held bytes between them.
        for (int flips = 1 + round % 3; flips > 0; --flips) {
            const std::size_t within = random() % 700;
            const std::size_t at =
                random() % 2 == 0 ? within % odd.size() : odd.size() - 1 - within % odd.size();
            odd[at] = static_cast<char>(round % 5 == 0 ? 0xFF : random());
        }
        ImageReader reader(odd);
        std::unique_ptr<Tunnel> there =
            Tunnel::from_image(reader, {unix_pair().ours, unix_pair().ours}, restorer, nullptr);
        refused += there == nullptr;
        if (there) {
            ++worked;
            drive_to_its_end(*there);
        }
    }
    CHECK(refused > 100);
    CHECK(worked > 100);
    CHECK(open_descriptors() == before);
}

TEST_CASE("a tunnel that cannot be restored is cut, and its observer hears of it", "[image]") {
    EndBoard board;
    BoardRestorer restorer(board);
    SocketTunnel made = full_tunnel(board);
    std::string sent = image_of(*made.tunnel);
    const std::size_t before = open_descriptors();
    {
        ImageReader reader(std::string_view(sent).substr(0, sent.size() - 1));
        CHECK_FALSE(Tunnel::from_image(reader, copies_of(*made.tunnel), restorer, nullptr));
        CHECK(board.ended_by(EndReason::internal_error) == 1);
    }
    restorer.refuses = true;
    ImageReader reader(sent);
    CHECK_FALSE(Tunnel::from_image(reader, copies_of(*made.tunnel), restorer, nullptr));
    CHECK(board.reports().size() == 1);
    CHECK(open_descriptors() == before);
}

TEST_CASE("without memory a tunnel does not arrive, and its observer says why", "[image]") {
    EndBoard board;
    BoardRestorer restorer(board);
    SocketTunnel made = full_tunnel(board);
    const std::string sent = image_of(*made.tunnel);
    const std::size_t before = open_descriptors();
    const std::size_t allocations = each_allocation_fails([&](std::size_t nth) {
        MovedDescriptors descriptors = copies_of(*made.tunnel);
        const std::size_t reports = board.reports().size();
        const int restored = restorer.restored;
        std::unique_ptr<Tunnel> there;
        {
            const ScarceMemory scarce(nth);
            ImageReader reader(sent);
            there = Tunnel::from_image(reader, std::move(descriptors), restorer, nullptr);
        }
        CHECK((there != nullptr) == !ScarceMemory::has_failed());
        const bool had_observer = restorer.restored > restored;
        CHECK(board.reports().size() == reports + (!there && had_observer ? 1 : 0));
    });
    CHECK((allocations > 5) == nothrow_can_fail());
    CHECK((board.ended_by(EndReason::out_of_memory) > 0) == nothrow_can_fail());
    CHECK(open_descriptors() == before);
}

TEST_CASE("a tunnel of a stream that does not travel cannot move, now or ever", "[image]") {
    Rig rig;
    rig.start();
    CHECK(rig.tunnel->can_move() == CanMove::now);
    rig.script(Side::backend).kind = StreamKind::none;
    rig.script(Side::backend).awaits_successor = true;
    CHECK(rig.tunnel->can_move() == CanMove::later);
    rig.script(Side::client).kind = StreamKind::none;
    CHECK(rig.tunnel->can_move() == CanMove::never);
    ImageWriter image;
    CHECK_FALSE(rig.tunnel->write_image(image));
}

TEST_CASE("text that is cut inside a character is checked to its end elsewhere", "[image]") {
    Setup setup;
    setup.policy.validate = Validate::full;
    const bool valid = GENERATE(true, false);
    const std::string text = valid ? "gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80 \xE2\x82\xAC"
                                   : "gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\xC0 \xE2\x82\xAC";
    for (std::size_t chunk = 1; chunk < 8; ++chunk) {
        Variation variation;
        variation.chunk = chunk;
        variation.moves = 1;
        Rig rig(setup, variation);
        rig.client.text(text);
        rig.run();
        rig.finish();
        CHECK(rig.problem == "");
        CHECK(rig.moved > 2);
        CHECK((rig.report.violation == Violation::none) == valid);
    }
}

TEST_CASE("raw bytes and extensions travel on their terms", "[image]") {
    Setup setup;
    setup.raw = GENERATE(true, false);
    setup.allowed_rsv = setup.raw ? 0 : 4;
    Variation variation;
    variation.chunk = 3;
    variation.moves = 1;
    Rig rig(setup, variation);
    const std::string sent = setup.raw ? std::string("\xFF\xFF not frames \x01")
                                       : Frame(Side::client, kText, "squeezed").rsv(4).bytes();
    rig.client.send(sent);
    rig.run();
    CHECK(rig.backend.received() == sent);
    rig.finish();
    CHECK(rig.problem == "");
    CHECK(rig.report.violation == Violation::none);
}
