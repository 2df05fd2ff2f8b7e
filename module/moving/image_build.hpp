// Which module has written an image: only the very same build can read it.
#pragma once

#include <cstdint>

namespace wsp {

// Made of the linker's build id (ld(1), --build-id), which is another one for every change of the module. 0: the module
// has none, and nobody can tell its images. Any thread.
std::uint64_t image_build();

}  // namespace wsp
