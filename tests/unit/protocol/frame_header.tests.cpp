// Reading headers, masking, and the frames that the proxy writes.
#include "protocol/frame_header.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "support/frames.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

// From an allocation of exactly this size, so that a sanitizer sees one byte too far.
bool parse(const std::string& bytes, FrameHeader& header) {
    const std::vector<std::uint8_t> exact(bytes.begin(), bytes.end());
    return parse_frame_header(exact.data(), exact.size(), header);
}

std::string written(Opcode opcode, std::string_view payload, const MaskingKey* key) {
    std::uint8_t out[kMaxControlFrame];
    return {out, out + write_control_frame(out, opcode, payload, key)};
}

std::string written_close(unsigned code, std::string_view reason) {
    std::uint8_t out[kMaxControlFrame];
    return {out, out + write_close_frame(out, static_cast<std::uint16_t>(code), reason, nullptr)};
}

}  // namespace

TEST_CASE("a header is read as it was written, and only when it is complete") {
    const Side sender = GENERATE(Side::client, Side::backend);
    const std::uint64_t length =
        GENERATE(as<std::uint64_t>(), 0, 1, 125, 126, 127, 65535, 65536, INT64_MAX, UINT64_MAX);
    const unsigned first = GENERATE(range(0u, 256u, 17u));
    const std::string bytes =
        Frame(sender, first % 16).rsv(first / 16 % 8).fin(first >= 128).claims(length).header();

    FrameHeader header;
    REQUIRE(parse(bytes, header));
    CHECK(header.size == bytes.size());
    CHECK(header.fin == (first >= 128));
    CHECK(header.rsv == first / 16 % 8);
    CHECK(header.opcode == first % 16);
    CHECK(header.masked == (sender == Side::client));
    CHECK(header.length == length);
    CHECK(header.minimal);
    CHECK(header.key == (header.masked ? MaskingKey{0xA1, 0x5C, 0x0F, 0xE2} : MaskingKey{}));

    for (std::size_t size = 0; size < bytes.size(); ++size)
        CHECK_FALSE(parse(bytes.substr(0, size), header));
}

TEST_CASE("a header in front of a payload is read without it") {
    FrameHeader header;
    REQUIRE(parse(frame(Side::backend, kText, "hello"), header));
    CHECK(header.size == 2);
    CHECK(header.length == 5);
}

TEST_CASE("a header read after another keeps nothing of it") {
    FrameHeader header;
    REQUIRE(parse(Frame(Side::client, kPing).claims(126).extra_length_bytes(8).header(), header));
    REQUIRE(parse(Frame(Side::backend, kText).more_follows().header(), header));
    CHECK(header.minimal);
    CHECK_FALSE(header.fin);
    CHECK(header.key == MaskingKey{});
}

TEST_CASE("a length is minimal when no shorter form holds it") {
    struct Case {
        std::uint64_t length;
        unsigned extra_bytes;
        bool minimal;
    };
    const Case cases[] = {
        {0, 0, true},    {125, 0, true},    {0, 2, false},    {125, 2, false},
        {126, 2, true},  {65535, 2, true},  {0, 8, false},    {125, 8, false},
        {126, 8, false}, {65535, 8, false}, {65536, 8, true}, {UINT64_MAX, 8, true},
    };
    for (const Case& c : cases) {
        CAPTURE(c.length, c.extra_bytes);
        FrameHeader header;
        REQUIRE(parse(
            Frame(Side::client, kText).claims(c.length).extra_length_bytes(c.extra_bytes).header(),
            header));
        CHECK(header.length == c.length);
        CHECK(header.minimal == c.minimal);
    }
}

TEST_CASE("masking XORs each byte with the key byte of its place") {
    const MaskingKey key{0x01, 0x20, 0x43, 0xFF};
    for (std::size_t size = 0; size < 40; ++size) {
        for (std::size_t offset = 0; offset < 8; ++offset) {
            std::vector<std::uint8_t> data(size, 0x5A);
            apply_mask(data.data(), size, key, offset);
            std::size_t wrong = 0;
            for (std::size_t i = 0; i < size; ++i)
                wrong += data[i] == (0x5A ^ key[(offset + i) % 4]) ? 0 : 1;
            CHECK(wrong == 0);
        }
    }
}

TEST_CASE("masking twice gives the original, also in pieces") {
    const MaskingKey key{0x12, 0x34, 0x56, 0x78};
    const std::string text = "the quick brown fox jumps over the lazy dog";
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        std::vector<std::uint8_t> data(text.begin(), text.end());
        apply_mask(data.data(), data.size(), key);
        apply_mask(data.data(), cut, key);
        apply_mask(data.data() + cut, data.size() - cut, key, cut);
        CHECK(std::string(data.begin(), data.end()) == text);
    }
}

TEST_CASE("a control frame is written as it would be read") {
    const std::size_t length = GENERATE(as<std::size_t>(), 0, 1, 4, 124, 125);
    const Opcode opcode = GENERATE(Opcode::close, Opcode::ping, Opcode::pong);
    const std::string payload(length, 'p');
    const MaskingKey key{0xA1, 0x5C, 0x0F, 0xE2};

    CHECK(written(opcode, payload, nullptr) ==
          frame(Side::backend, static_cast<unsigned>(opcode), payload));
    CHECK(written(opcode, payload, &key) ==
          frame(Side::client, static_cast<unsigned>(opcode), payload));
}

TEST_CASE("a Close carries its code in network byte order and its reason") {
    CHECK(written_close(1000, "") == close_frame(Side::backend, 1000));
    CHECK(written_close(1011, "the server is going away") ==
          close_frame(Side::backend, 1011, "the server is going away"));
}

TEST_CASE("a masked Close is masked") {
    const MaskingKey key{0xA1, 0x5C, 0x0F, 0xE2};
    std::uint8_t out[kMaxControlFrame];
    const std::size_t size = write_close_frame(out, 1001, "bye", &key);
    CHECK(std::string(out, out + size) == close_frame(Side::client, 1001, "bye"));
}

TEST_CASE("a reason of 123 bytes is whole, a longer one is cut between two characters") {
    struct Case {
        std::string reason;
        std::size_t kept;
    };
    const Case cases[] = {
        {std::string(123, 'a'), 123},
        {std::string(124, 'a'), 123},
        {std::string(1000, 'a'), 123},
        {std::string(122, 'a') + "\xC3\xA9", 122},
        {std::string(121, 'a') + "\xC3\xA9", 123},
        {std::string(121, 'a') + "\xC3\xA9z", 123},
        {std::string(120, 'a') + "\xF0\x9F\x98\x80", 120},
        {std::string(121, 'a') + "\xE2\x82\xAC", 121},
        {std::string(500, '\x80'), 0},  // no character begins here
    };
    for (const Case& c : cases)
        CHECK(written_close(1000, c.reason) ==
              close_frame(Side::backend, 1000, c.reason.substr(0, c.kept)));
}

TEST_CASE("opcodes from 8 on are control frames") {
    for (unsigned opcode = 0; opcode < 16; ++opcode)
        CHECK(is_control(static_cast<std::uint8_t>(opcode)) == (opcode >= 8));
}
