// SETTINGS_ENABLE_CONNECT_PROTOCOL and the SETTINGS frame that it is taken out of, cut at every position.
#include "protocol/extended_connect.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

using namespace wsp;

namespace {

using Entries = std::vector<std::pair<unsigned, unsigned>>;

std::string head(std::size_t payload, char type = 4, char flags = 0, char stream = 0) {
    const std::string length = {static_cast<char>(payload >> 16), static_cast<char>(payload >> 8),
                                static_cast<char>(payload)};
    return length + type + flags + std::string(3, '\0') + stream;
}

std::string settings(const Entries& entries) {
    std::string payload;
    for (const auto& [id, value] : entries) {
        payload += {static_cast<char>(id >> 8), static_cast<char>(id)};
        for (int shift = 24; shift >= 0; shift -= 8) {
            payload += static_cast<char>(value >> shift);
        }
    }
    return head(payload.size()) + payload;
}

// What is sent in place of `bytes` when they come in pieces that end at `cuts`.
std::string sent(const std::string& bytes, const std::vector<std::size_t>& cuts = {}) {
    ExtendedConnectRemover remover;
    std::string out;
    std::size_t from = 0;
    std::vector<std::size_t> ends = cuts;
    ends.push_back(bytes.size());
    for (const std::size_t end : ends) {
        const auto* const data = reinterpret_cast<const std::uint8_t*>(bytes.data());
        const std::size_t taken = remover.done() ? 0 : remover.take(data + from, end - from);
        CHECK((remover.done() || taken == end - from));
        if (remover.done() && taken > 0) {
            out.append(reinterpret_cast<const char*>(remover.data()), remover.size());
        }
        if (remover.done()) {
            out += bytes.substr(from + taken, end - from - taken);
        }
        from = end;
    }
    if (!remover.done()) {
        out.append(reinterpret_cast<const char*>(remover.data()), remover.size());
    }
    return out;
}

const std::string kWindowUpdate = head(4, 8) + std::string("\x7f\xff\x00\x00", 4);

void expect_everywhere(const std::string& before, const std::string& after) {
    CHECK(sent(before) == after);
    for (std::size_t first = 0; first <= before.size(); ++first) {
        CHECK(sent(before, {first}) == after);
        for (std::size_t second = first; second <= before.size(); ++second) {
            if (sent(before, {first, second}) != after) {
                FAIL_CHECK("cut at " << first << " and " << second);
            }
        }
    }
}

}  // namespace

TEST_CASE(
    "the setting is removed from a server's first SETTINGS, and the others stay, wherever it is "
    "cut") {
    const Entries others =
        GENERATE(Entries{}, Entries{{3, 100}}, Entries{{3, 100}, {4, 0x7fffffff}},
                 Entries{{3, 100}, {4, 65536}, {0x808, 8}});
    for (std::size_t place = 0; place <= others.size(); ++place) {
        Entries with = others;
        with.insert(with.begin() + static_cast<std::ptrdiff_t>(place), {8, 1});
        expect_everywhere(settings(with) + kWindowUpdate, settings(others) + kWindowUpdate);
    }
}

TEST_CASE("a setting that is there twice is removed twice") {
    CHECK(sent(settings({{8, 0}, {3, 1}, {8, 1}})) == settings({{3, 1}}));
}

TEST_CASE("SETTINGS without it stay as they are") {
    const std::string frame =
        settings(GENERATE(Entries{}, Entries{{3, 100}}, Entries{{4, 8}, {0x800, 1}}));
    expect_everywhere(frame + kWindowUpdate, frame + kWindowUpdate);
}

TEST_CASE("only the first frame is looked at") {
    const std::string frames = settings({{3, 100}}) + settings({{8, 1}});
    expect_everywhere(frames, frames);
}

TEST_CASE("bytes that do not begin with a server's SETTINGS pass unchanged") {
    const std::string offer = settings({{8, 1}}).substr(9);
    const std::string bytes =
        GENERATE_COPY(std::string("HTTP/1.1 200 OK\r\n\r\n"), kWindowUpdate + settings({{8, 1}}),
                      head(6, 4, 1) + offer, head(6, 4, 0, 1) + offer, head(7) + offer + "x",
                      head(65 * 6) + offer, head(0x010006) + offer,
                      std::string("\x15\x03\x03\x00\x02\x02\x28", 7));
    expect_everywhere(bytes, bytes);
}

TEST_CASE("an unfinished frame is given back as far as it came") {
    const std::string frame = settings({{3, 100}, {8, 1}});
    for (std::size_t size = 0; size < frame.size(); ++size) {
        CHECK(sent(frame.substr(0, size)) == frame.substr(0, size));
    }
}
