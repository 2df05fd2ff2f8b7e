// Makes text of strangers fit for logs and pages. Pure; throws bad_alloc.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace wsp {

// `text` as valid UTF-8 of at most `most` bytes, whole characters only. A control character becomes a space, a byte
// that is no UTF-8 a question mark. Without spaces at both ends.
std::string clean_text(std::string_view text, std::size_t most);

}  // namespace wsp
