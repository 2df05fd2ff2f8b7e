// The kinds of streams that travel.
#include "net/moved_stream.hpp"

#include <new>
#include <utility>

#include "net/record_stream.hpp"
#include "net/socket_stream.hpp"

namespace wsp {
namespace {

template <class Kind, class... Parts>
std::unique_ptr<Stream> read_kind(ImageReader& image, UniqueFd fd, Parts&... parts) noexcept {
    std::unique_ptr<Kind> stream(new (std::nothrow) Kind(std::move(fd), parts...));
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

std::unique_ptr<Stream> read_stream(ImageReader& image, UniqueFd fd,
                                    RecordWorkspace* workspace) noexcept {
    StreamKind kind = StreamKind::none;
    image.take(kind);
    if (kind == StreamKind::socket && fd.valid()) {
        return read_kind<SocketStream>(image, std::move(fd));
    }
    if (kind == StreamKind::records && fd.valid() && workspace != nullptr) {
        return read_kind<RecordStream>(image, std::move(fd), *workspace);
    }
    image.fail();
    return nullptr;
}

}  // namespace wsp
