// The kinds of streams that travel.
#include "net/moved_stream.hpp"

#include <new>
#include <utility>

#include "net/socket_stream.hpp"

namespace wsp {
namespace {

std::unique_ptr<Stream> read_socket(ImageReader& image, UniqueFd fd) noexcept {
    std::unique_ptr<SocketStream> stream(new (std::nothrow) SocketStream(std::move(fd)));
    if (!stream) {
        image.fail_without_memory();
        return nullptr;
    }
    read_members(image, *stream);
    return image.ok() ? std::move(stream) : nullptr;
}

}  // namespace

bool write_stream(ImageWriter& image, const Stream& stream) noexcept {
    const StreamKind kind = stream.movable_kind();
    if (kind == StreamKind::none) {
        return false;
    }
    image.put(kind);
    stream.write_image(image);
    return true;
}

std::unique_ptr<Stream> read_stream(ImageReader& image, UniqueFd fd, RecordWorkspace*) noexcept {
    StreamKind kind = StreamKind::none;
    image.take(kind);
    if (kind == StreamKind::socket && fd.valid()) {
        return read_socket(image, std::move(fd));
    }
    image.fail();
    return nullptr;
}

}  // namespace wsp
