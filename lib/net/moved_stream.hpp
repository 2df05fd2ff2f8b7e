// Makes a stream again from its image and its descriptor, in the process to which it was moved.
#pragma once

#include <memory>

#include "base/image.hpp"
#include "base/unique_fd.hpp"
#include "net/stream.hpp"

namespace wsp {

// Writes the kind of the stream and its image. Returns false when the stream cannot move now.
bool write_stream(ImageWriter& image, const Stream& stream) noexcept;

// Null, with the descriptor closed and the reader bad, when the image is odd, memory runs out, or the kind of stream
// needs a `workspace` and there is none. A stream of records keeps a reference to `workspace`. Never blocks.
std::unique_ptr<Stream> read_stream(ImageReader& image, UniqueFd fd,
                                    RecordWorkspace* workspace) noexcept;

}  // namespace wsp
