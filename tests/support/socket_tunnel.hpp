// Tunnels over real sockets, and their far ends in the test's hands.
#pragma once

#include <memory>
#include <string>

#include "net/socket_stream.hpp"
#include "support/end_board.hpp"
#include "support/frames.hpp"
#include "support/seen_frames.hpp"
#include "support/sockets.hpp"
#include "tunnel/tunnel.hpp"

namespace wsp::test {

// The far ends. The peers play no part unless a test makes them.
struct Ends {
    UniqueFd client, backend;

    int fd(Side side) const { return side == Side::client ? client.get() : backend.get(); }

    // A message from `from` arrives at the other end as it was sent.
    bool passes(Side from, const std::string& payload) const {
        const std::string bytes = frame(from, kText, payload);
        return send_all(fd(from), bytes) && read_up_to(fd(other(from)), bytes.size()) == bytes;
    }
    bool echoes(const std::string& payload) const {
        return passes(Side::client, payload) && passes(Side::backend, payload);
    }

    // Says Close on both sides and ends TCP as well-behaved peers do. False if that is not how it goes.
    bool close_well() const {
        const std::string up = close_frame(Side::client, 1000);
        const std::string down = close_frame(Side::backend, 1000);
        return send_all(client.get(), up) && read_up_to(backend.get(), up.size()) == up &&
               send_all(backend.get(), down) && read_to_end(client.get()) == down &&
               ::shutdown(client.get(), SHUT_WR) == 0 && ::shutdown(backend.get(), SHUT_WR) == 0 &&
               at_end(backend.get());
    }
    // The Close that comes next on `side`, and answers it. 0: something else came.
    unsigned take_close(Side side) const {
        const std::string head = read_up_to(fd(side), 2);
        if (head.size() < 2)
            return 0;
        const bool masked = (head[1] & 0x80) != 0;
        const std::size_t rest = static_cast<std::size_t>(head[1] & 0x7F) + (masked ? 4 : 0);
        const auto seen = first_frame(head + read_up_to(fd(side), rest));
        if (!seen || seen->opcode() != kClose)
            return 0;
        send_all(fd(side), close_frame(side, 1000));
        if (side == Side::backend)
            ::shutdown(fd(side), SHUT_WR);
        return seen->close_code();
    }
};

struct SocketTunnel {
    std::unique_ptr<Tunnel> tunnel;
    Ends ends;
};

inline SocketTunnel make_socket_tunnel(EndBoard& board, bool tcp = false, const Policy& policy = {},
                                       const std::string& early_from_client = {},
                                       TunnelGroup::Subscription group = {}) {
    SocketPair client = make_pair(tcp), backend = make_pair(tcp);
    TunnelParts parts;
    parts.client = std::make_unique<SocketStream>(std::move(client.ours));
    parts.backend = std::make_unique<SocketStream>(std::move(backend.ours));
    parts.terms.policy = std::make_shared<const Policy>(policy);
    parts.terms.group = group;
    parts.observer = board.observer();
    parts.early_from_client = early_from_client;
    return {std::make_unique<Tunnel>(std::move(parts)),
            {std::move(client.theirs), std::move(backend.theirs)}};
}

}  // namespace wsp::test
