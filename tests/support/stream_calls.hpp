// A stream's calls with strings, and reads and writes that wait, for tests.
#pragma once

#include <string>
#include <string_view>

#include "net/stream.hpp"
#include "support/sockets.hpp"

namespace wsp::test {

inline IoResult read_from(Stream& stream, std::string& to, std::size_t room = 64 * 1024) {
    to.assign(room, '\0');
    const IoResult got = stream.read_some(reinterpret_cast<std::uint8_t*>(to.data()), room);
    to.resize(got.size);
    return got;
}

inline IoResult write_to(Stream& stream, std::string_view bytes) {
    return stream.write_some(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

// The first outcome other than "would block", waiting for it as a pump does.
inline IoResult await_read(Stream& stream, std::string& to, std::size_t room = 64 * 1024) {
    for (;;) {
        const IoResult got = read_from(stream, to, room);
        const bool waits = got.status == IoStatus::would_block;
        if (!waits)
            return got;
        const bool for_input = stream.interest_to_read() == kReadable;
        if (!stream.has_buffered_input() && !wait_for(stream.fd(), for_input ? POLLIN : POLLOUT))
            return got;
    }
}

// Everything up to the end or an error, which `outcome` gets.
inline std::string drain(Stream& stream, IoResult& outcome) {
    std::string all, piece;
    while ((outcome = await_read(stream, piece)).status == IoStatus::ok)
        all += piece;
    return all;
}

}  // namespace wsp::test
