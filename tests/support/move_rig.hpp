// Two ends of a way on which tunnels move between the loops of a test, and what a module would restore.
#pragma once

#include <atomic>
#include <memory>
#include <new>

#include "net/descriptor_channel.hpp"
#include "support/end_board.hpp"
#include "tunnel/tunnel.hpp"
#include "tunnel/tunnel_move.hpp"

namespace wsp::test {

// Makes observers of a board. May be told to refuse.
class BoardRestorer final : public TunnelRestorer {
  public:
    explicit BoardRestorer(EndBoard& board) : board_(board) {}
    bool restore(ImageReader& observer, const Policy& policy, TunnelOwners& to) noexcept override {
        if (refuses || observer.take_bytes() != EndBoard::kImage || !observer.at_end())
            return false;
        try {
            to = {board_.observer(), std::make_shared<const Policy>(policy), group};
        } catch (const std::bad_alloc&) {
            return false;
        }
        ++restored;
        return true;
    }
    TunnelGroup::Subscription group{};
    std::atomic<bool> refuses{false};
    std::atomic<int> restored{0};

  private:
    EndBoard& board_;
};

// Sends through a channel, or says what the test says instead.
class TestMover final : public TunnelMover {
  public:
    explicit TestMover(const DescriptorChannel& channel) : channel_(channel) {}
    int fd() const noexcept override { return channel_.write_fd(); }
    SendOutcome send(const ImageWriter& image, int client_fd, int backend_fd) noexcept override {
        ++asked;
        const SendOutcome forced = instead;
        return forced != SendOutcome::sent ? forced : channel_.send(image, client_fd, backend_fd);
    }
    std::atomic<SendOutcome> instead{SendOutcome::sent};  // sent: what the channel says
    std::atomic<int> asked{0};

  private:
    const DescriptorChannel& channel_;
};

class TestSource final : public TunnelSource {
  public:
    TestSource(const DescriptorChannel& channel, TunnelRestorer& restorer)
        : channel_(channel), restorer_(restorer) {}
    int fd() const noexcept override { return channel_.read_fd(); }
    Got receive(std::unique_ptr<Tunnel>& to, RecordWorkspace* workspace,
                MonotonicUs) noexcept override {
        WipedBytes bytes;
        MovedDescriptors descriptors;
        switch (channel_.receive(bytes, descriptors)) {
            case DescriptorChannel::Received::nothing:
                return Got::nothing;
            case DescriptorChannel::Received::nudge:
                ++nudges;
                return Got::skipped;
            case DescriptorChannel::Received::refused:
                return Got::skipped;
            case DescriptorChannel::Received::image:
                break;
        }
        ImageReader image(bytes.data(), bytes.size());
        to = Tunnel::from_image(image, std::move(descriptors), restorer_, workspace);
        return to ? Got::tunnel : Got::skipped;
    }
    bool has_orphans(MonotonicUs) const noexcept override { return orphans; }
    bool wake_another() noexcept override { return channel_.nudge(); }
    std::atomic<bool> orphans{false};
    std::atomic<int> nudges{0};

  private:
    const DescriptorChannel& channel_;
    TunnelRestorer& restorer_;
};

}  // namespace wsp::test
