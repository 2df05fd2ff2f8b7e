// Packets arrive whole and once, with their descriptors, and nothing odd gets through or stays open.
#include "net/descriptor_channel.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "support/sockets.hpp"

using namespace wsp;
using namespace wsp::test;

namespace {

using Received = DescriptorChannel::Received;

struct Connections {
    SocketPair client = unix_pair(), backend = unix_pair();
};

DescriptorChannel open_channel() {
    DescriptorChannel channel;
    if (!channel.open())
        throw std::runtime_error("no channel");
    return channel;
}

SendOutcome send(const DescriptorChannel& channel, const std::string& bytes,
                 const Connections& with) {
    ImageWriter image;
    image.put_bytes(bytes);
    return channel.send(image, with.client.ours.get(), with.backend.ours.get());
}

std::string received_bytes(const WipedBytes& image) {
    return std::string(ImageReader(image.data(), image.size()).take_bytes());
}

// As another program might send it.
bool send_raw(int to, std::string_view bytes, const std::vector<int>& fds) {
    iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(16 * sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (!fds.empty()) {
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
        cmsghdr* const rights = CMSG_FIRSTHDR(&message);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
        std::memcpy(CMSG_DATA(rights), fds.data(), fds.size() * sizeof(int));
    }
    return ::sendmsg(to, &message, MSG_DONTWAIT) >= 0;
}

class FewDescriptors {
  public:
    explicit FewDescriptors(rlim_t most) {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const rlimit less{most, before_.rlim_max};
        ::setrlimit(RLIMIT_NOFILE, &less);
    }
    ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

  private:
    rlimit before_{};
};

// The kernel does not bound the descriptors under way of whoever has these.
class NoPrivileges {
  public:
    NoPrivileges() {
        ::syscall(SYS_capget, &header_, before_);
        __user_cap_data_struct less[2] = {before_[0], before_[1]};
        less[0].effective = 0;
        ::syscall(SYS_capset, &header_, less);
    }
    ~NoPrivileges() { ::syscall(SYS_capset, &header_, before_); }

  private:
    __user_cap_header_struct header_{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct before_[2]{};
};

}  // namespace

TEST_CASE("an image arrives with both descriptors, however large it is", "[channel]") {
    const std::size_t size = GENERATE(0u, 1u, 1200u, 65'532u, 65'533u, 200'000u, 5'000'000u);
    const std::size_t before = open_descriptors();
    {
        const DescriptorChannel channel = open_channel();
        Connections sent;
        const std::string bytes(size, 'x');
        REQUIRE(send(channel, bytes, sent) == SendOutcome::sent);
        sent.client.ours.reset();
        sent.backend.ours.reset();
        WipedBytes image;
        MovedDescriptors got;
        REQUIRE(channel.receive(image, got) == Received::image);
        CHECK((received_bytes(image) == bytes));
        CHECK(image.size() == size + sizeof(std::uint32_t));
        for (const auto& [fd, peer] : {std::pair(got.client.get(), sent.client.theirs.get()),
                                       std::pair(got.backend.get(), sent.backend.theirs.get())}) {
            CHECK(send_all(fd, "hello"));
            CHECK(read_up_to(peer, 5) == "hello");
            CHECK((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
        }
        CHECK(channel.receive(image, got) == Received::nothing);
    }
    CHECK(open_descriptors() == before);
}

TEST_CASE("a channel that is full says so, and everything that was sent arrives once",
          "[channel]") {
    const DescriptorChannel channel = open_channel();
    const Connections with;
    std::size_t sent = 0;
    while (send(channel, std::to_string(sent), with) == SendOutcome::sent)
        ++sent;
    CHECK(sent > 10);
    CHECK(send(channel, "one more", with) == SendOutcome::full);
    CHECK_FALSE(channel.nudge());
    for (std::size_t i = 0; i < sent; ++i) {
        WipedBytes image;
        MovedDescriptors got;
        REQUIRE(channel.receive(image, got) == Received::image);
        CHECK(received_bytes(image) == std::to_string(i));
    }
    CHECK(wait_for(channel.write_fd(), POLLOUT, 0));
    CHECK(send(channel, "again", with) == SendOutcome::sent);
}

TEST_CASE("a nudge wakes and carries nothing", "[channel]") {
    const DescriptorChannel channel = open_channel();
    REQUIRE(channel.nudge());
    CHECK(wait_for(channel.read_fd(), POLLIN, 0));
    WipedBytes image;
    MovedDescriptors got;
    CHECK(channel.receive(image, got) == Received::nudge);
    CHECK(channel.receive(image, got) == Received::nothing);
}

TEST_CASE("odd packets are refused and their descriptors closed", "[channel]") {
    const std::size_t before = open_descriptors();
    {
        const DescriptorChannel channel = open_channel();
        const Connections with;
        const int fd = with.client.ours.get();
        // The head of a good packet, as the code under test writes it.
        ImageWriter small;
        small.put(std::uint32_t{7});
        REQUIRE(channel.send(small, fd, fd) == SendOutcome::sent);
        std::string packet(64, '\0');
        packet.resize(static_cast<std::size_t>(
            ::recv(channel.read_fd(), packet.data(), packet.size(), MSG_DONTWAIT)));
        REQUIRE(packet.size() == 20);
        std::string in_memfd = packet.substr(0, 16);
        in_memfd[4] = 1;
        std::string wrong_magic = packet;
        wrong_magic[0] ^= 1;
        const struct {
            std::string bytes;
            std::vector<int> fds;
        } odd[] = {
            {"", {fd, fd}},
            {"x", {fd}},
            {packet, {}},
            {packet, {fd}},
            {packet, {fd, fd, fd}},
            {packet, {fd, fd, fd, fd, fd}},
            {packet.substr(0, 15), {fd, fd}},
            {packet.substr(0, 16), {fd, fd}},
            {packet.substr(0, 19), {fd, fd}},
            {packet + "x", {fd, fd}},
            {packet + std::string(70'000, 'x'), {fd, fd}},
            {wrong_magic, {fd, fd}},
            {in_memfd, {fd, fd}},
            {in_memfd, {fd, fd, fd}},  // not a memfd
            {in_memfd + "xxxx", {fd, fd, fd}},
            {std::string(16, '\0'), {fd, fd}},
        };
        for (const auto& [bytes, fds] : odd) {
            INFO(bytes.size() << " bytes, " << fds.size() << " descriptors");
            if (bytes.empty())
                continue;  // a packet without bytes reads like the end
            const std::size_t opened = open_descriptors();
            REQUIRE(send_raw(channel.write_fd(), bytes, fds));
            WipedBytes image;
            MovedDescriptors got;
            CHECK(channel.receive(image, got) == Received::refused);
            CHECK_FALSE(got.client.valid());
            CHECK(open_descriptors() == opened);
        }
        CHECK(send(channel, "still works", with) == SendOutcome::sent);
    }
    CHECK(open_descriptors() == before);
}

TEST_CASE("a memfd is read when nobody can change it any more", "[channel]") {
    constexpr int kSealed = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
    constexpr int kFutureWrite = 0x0010;  // F_SEAL_FUTURE_WRITE: one that was not asked for
    struct Case {
        int seals;
        Received expected;
    };
    const Case cases[] = {{kSealed, Received::image},
                          {kSealed | kFutureWrite, Received::image},
                          {kSealed & ~F_SEAL_WRITE, Received::refused},
                          {kSealed & ~F_SEAL_SHRINK, Received::refused},
                          {0, Received::refused}};
    const Connections with;
    for (const auto& [seals, expected] : cases) {
        INFO("seals " << seals);
        const DescriptorChannel channel = open_channel();
        REQUIRE(send(channel, std::string(100'000, 'x'), with) == SendOutcome::sent);
        std::string head(16, '\0');
        REQUIRE(::recv(channel.read_fd(), head.data(), head.size(), MSG_DONTWAIT) == 16);
        std::uint64_t size = 0;
        std::memcpy(&size, head.data() + 8, sizeof size);
        const UniqueFd memfd(::memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING));
        REQUIRE(::ftruncate(memfd.get(), static_cast<off_t>(size)) == 0);
        REQUIRE(::fcntl(memfd.get(), F_ADD_SEALS, seals) == 0);
        REQUIRE(send_raw(channel.write_fd(), head,
                         {with.client.ours.get(), with.backend.ours.get(), memfd.get()}));
        WipedBytes image;
        MovedDescriptors got;
        CHECK(channel.receive(image, got) == expected);
        CHECK(image.size() == (expected == Received::image ? size : 0));
    }
}

TEST_CASE("a receiver without room for descriptors refuses, and leaks none", "[channel]") {
    const DescriptorChannel channel = open_channel();
    Connections with;
    REQUIRE(send(channel, "first", with) == SendOutcome::sent);
    REQUIRE(send(channel, "second", with) == SendOutcome::sent);
    const std::size_t opened = open_descriptors();
    WipedBytes image;
    MovedDescriptors got;
    {
        // One more fits, but not two.
        const UniqueFd lowest(::dup(0));
        const FewDescriptors few(static_cast<rlim_t>(lowest.get()) + 1);
        const UniqueFd hole(::dup(0));
        CHECK_FALSE(hole.valid());
    }
    {
        UniqueFd lowest(::dup(0));
        const FewDescriptors few(static_cast<rlim_t>(lowest.get()) + 1);
        lowest.reset();
        CHECK(channel.receive(image, got) == Received::refused);
    }
    CHECK(open_descriptors() == opened);
    CHECK(channel.receive(image, got) == Received::image);
    CHECK(received_bytes(image) == "second");
}

TEST_CASE("an image without bytes, or of a writer that failed, is not sent", "[channel]") {
    const DescriptorChannel channel = open_channel();
    ImageWriter empty;
    CHECK(channel.send(empty, 0, 0) == SendOutcome::impossible);
    ImageWriter image;
    image.put_bytes("x");
    CHECK(channel.send(image, -1, -1) == SendOutcome::impossible);  // EBADF
}

TEST_CASE("with too many descriptors under way a sender is told to wait", "[channel]") {
    const DescriptorChannel channel = open_channel();
    const Connections with;
    // The kernel counts what all processes of a user have under way: others may leave no room at all.
    REQUIRE(send(channel, "first", with) == SendOutcome::sent);
    SendOutcome outcome = SendOutcome::sent;
    std::size_t sent = 1;
    {
        const NoPrivileges none;
        const FewDescriptors few(40);  // ETOOMANYREFS
        while ((outcome = send(channel, "x", with)) == SendOutcome::sent)
            ++sent;
    }
    CHECK(outcome == SendOutcome::not_now);
    WipedBytes image;
    MovedDescriptors got;
    for (std::size_t i = 0; i < sent; ++i)
        CHECK(channel.receive(image, got) == Received::image);
    CHECK(send(channel, "again", with) == SendOutcome::sent);
}
