// sendmsg and recvmsg with SCM_RIGHTS. A packet is a head and the image; an image that is too large for that is in a
// memfd, which is a third descriptor.
#include "net/descriptor_channel.hpp"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace wsp {
namespace {

// What fits into one packet beside its head.
constexpr std::size_t kMaxInPacket = 64 * 1024;

struct Head {
    std::uint32_t magic = kMagic;
    std::uint32_t in_memfd = 0;
    std::uint64_t size = 0;  // of the image

    static constexpr std::uint32_t kMagic = 0x57535031;
};

constexpr std::size_t kMaxDescriptors = 3;

struct Descriptors {
    std::array<int, kMaxDescriptors> fds{};
    std::size_t count = 0;
};

union ControlBuffer {
    cmsghdr aligned;
    char bytes[CMSG_SPACE(sizeof(int) * kMaxDescriptors)];
};

SendOutcome outcome_of(int error) {
    switch (error) {
        case EAGAIN:
#if EWOULDBLOCK != EAGAIN
        case EWOULDBLOCK:
#endif
            return SendOutcome::full;
        case ETOOMANYREFS:
        case ENOBUFS:
        case ENOMEM:
        case EINTR:
        case EMFILE:
        case ENFILE:
            return SendOutcome::not_now;
        default:
            return SendOutcome::impossible;
    }
}

SendOutcome send_packet(int to, const Head& head, const std::uint8_t* data, std::size_t size,
                        const Descriptors& passed) noexcept {
    iovec parts[] = {{const_cast<Head*>(&head), sizeof head},
                     {const_cast<std::uint8_t*>(data), size}};
    ControlBuffer control{};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = size > 0 ? 2 : 1;
    message.msg_control = control.bytes;
    message.msg_controllen = CMSG_SPACE(sizeof(int) * passed.count);
    cmsghdr* const rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int) * passed.count);
    std::memcpy(CMSG_DATA(rights), passed.fds.data(), sizeof(int) * passed.count);
    const ssize_t sent = ::sendmsg(to, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent >= 0 ? SendOutcome::sent : outcome_of(errno);
}

#ifdef MFD_ALLOW_SEALING
constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;

// Where a system asks for it (sysctl vm.memfd_noexec), a memfd has to say that nobody will execute it. Older kernels do
// not know the flag, and older headers do not have it.
UniqueFd empty_memfd() noexcept {
    constexpr unsigned kFlags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    constexpr unsigned kNoExec = 0x0008U;  // MFD_NOEXEC_SEAL
    const int memfd = ::memfd_create("wsp-image", kFlags | kNoExec);
    return UniqueFd(memfd >= 0 || errno != EINVAL ? memfd : ::memfd_create("wsp-image", kFlags));
}

// Its memory is the kernel's, which clears it before anybody else gets it.
UniqueFd memfd_with(const std::uint8_t* data, std::size_t size) noexcept {
    UniqueFd memfd = empty_memfd();
    for (std::size_t done = 0; memfd.valid() && done < size;) {
        const ssize_t n = ::pwrite(memfd.get(), data + done, size - done, static_cast<off_t>(done));
        if (n <= 0) {
            memfd.reset();
            break;
        }
        done += static_cast<std::size_t>(n);
    }
    if (memfd.valid() && ::fcntl(memfd.get(), F_ADD_SEALS, kSeals) != 0) {
        memfd.reset();
    }
    return memfd;
}

// Without the seals, whoever still has the descriptor could change the file while it is read.
bool read_memfd(int memfd, WipedBytes& to, std::size_t size) noexcept {
    struct stat about {};
    const int seals = ::fcntl(memfd, F_GET_SEALS);  // there may be more than ours
    if (seals < 0 || (seals & kSeals) != kSeals || ::fstat(memfd, &about) != 0 ||
        static_cast<std::uint64_t>(about.st_size) != size) {
        return false;
    }
    to = WipedBytes(size);
    for (std::size_t done = 0; to.size() == size && done < size;) {
        const ssize_t n = ::pread(memfd, to.data() + done, size - done, static_cast<off_t>(done));
        if (n <= 0) {
            return false;
        }
        done += static_cast<std::size_t>(n);
    }
    return to.size() == size;
}
#else
UniqueFd memfd_with(const std::uint8_t*, std::size_t) noexcept {
    errno = ENOSYS;
    return UniqueFd();
}
bool read_memfd(int, WipedBytes&, std::size_t) noexcept {
    return false;
}
#endif

#ifdef MSG_CMSG_CLOEXEC
constexpr int kCloseOnExec = MSG_CMSG_CLOEXEC;
#else
constexpr int kCloseOnExec = 0;
#endif

// Owns all descriptors that came, however many there are.
std::array<UniqueFd, kMaxDescriptors> take_descriptors(msghdr& message,
                                                       std::size_t& count) noexcept {
    std::array<UniqueFd, kMaxDescriptors> taken;
    count = 0;
    for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
         part = CMSG_NXTHDR(&message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        const std::size_t here = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < here; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
            UniqueFd owned(fd);
            if (count < taken.size()) {
                taken[count] = std::move(owned);
            }
            ++count;
        }
    }
    return taken;
}

// On the stack: it is used for one call, and few of its pages are touched.
struct PacketBuffer {
    ~PacketBuffer() { OPENSSL_cleanse(bytes, used); }
    std::uint8_t bytes[kMaxInPacket];
    std::size_t used = 0;
};

// Returns the size of the packet, or -1 with errno. A packet of which something is missing counts as one of no bytes:
// the kernel drops descriptors for which this process has no room (MSG_CTRUNC).
ssize_t receive_packet(int from, Head& head, PacketBuffer& to,
                       std::array<UniqueFd, kMaxDescriptors>& passed, std::size_t& count) noexcept {
    iovec parts[] = {{&head, sizeof head}, {to.bytes, sizeof to.bytes}};
    ControlBuffer control{};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = 2;
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    const ssize_t got = ::recvmsg(from, &message, MSG_DONTWAIT | kCloseOnExec);
    if (got < 0) {
        return got;
    }
    to.used = static_cast<std::size_t>(got) > sizeof head
                  ? static_cast<std::size_t>(got) - sizeof head
                  : 0;
    passed = take_descriptors(message, count);
    return (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0 ? got : 0;
}

}  // namespace

DescriptorChannel::DescriptorChannel(UniqueFd write_end, UniqueFd read_end) noexcept
    : write_(std::move(write_end)), read_(std::move(read_end)) {}

bool DescriptorChannel::open() noexcept {
    int ends[2];
#ifdef SOCK_CLOEXEC
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        return false;
    }
#else
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0) {
        return false;
    }
    ::fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    ::fcntl(ends[1], F_SETFD, FD_CLOEXEC);
#endif
    write_.reset(ends[0]);
    read_.reset(ends[1]);
    return true;
}

SendOutcome DescriptorChannel::send(const ImageWriter& image, int client_fd,
                                    int backend_fd) const noexcept {
    if (!image.ok() || image.size() == 0 || image.size() > kMaxImage) {
        return SendOutcome::impossible;
    }
    Head head;
    head.size = image.size();
    Descriptors passed{{client_fd, backend_fd, -1}, 2};
    if (image.size() <= kMaxInPacket) {
        return send_packet(write_.get(), head, image.data(), image.size(), passed);
    }
    const UniqueFd memfd = memfd_with(image.data(), image.size());
    if (!memfd.valid()) {
        return outcome_of(errno);
    }
    head.in_memfd = 1;
    passed.fds[passed.count++] = memfd.get();
    return send_packet(write_.get(), head, nullptr, 0, passed);
}

bool DescriptorChannel::nudge() const noexcept {
    const char nothing = 0;
    return ::send(write_.get(), &nothing, sizeof nothing, MSG_DONTWAIT | MSG_NOSIGNAL) > 0;
}

DescriptorChannel::Received DescriptorChannel::receive(
    WipedBytes& image, MovedDescriptors& descriptors) const noexcept {
    PacketBuffer packet;
    Head head;
    std::size_t count = 0;
    std::array<UniqueFd, kMaxDescriptors> passed;
    const ssize_t got = receive_packet(read_.get(), head, packet, passed, count);
    if (got < 0) {
        return errno == EAGAIN || errno == EWOULDBLOCK ? Received::nothing : Received::refused;
    }
    if (got == 1 && count == 0) {
        return Received::nudge;
    }
    if (got < static_cast<ssize_t>(sizeof head) || head.magic != Head::kMagic || head.size == 0 ||
        head.size > kMaxImage || count != 2 + head.in_memfd) {
        return Received::refused;
    }
    const std::size_t in_packet = static_cast<std::size_t>(got) - sizeof head;
    if (head.in_memfd == 1) {
        if (in_packet != 0 || !read_memfd(passed[2].get(), image, head.size)) {
            return Received::refused;
        }
    } else {
        image = WipedBytes(in_packet);
        if (in_packet != head.size || image.size() != in_packet) {
            return Received::refused;
        }
        std::memcpy(image.data(), packet.bytes, in_packet);
    }
    descriptors = {std::move(passed[0]), std::move(passed[1])};
    return Received::image;
}

}  // namespace wsp
