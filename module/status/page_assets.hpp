// The files of the status page itself, which the build puts into the module (page/). Constant; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/table.hpp"

namespace wsp {

enum class PageAsset : std::uint8_t { stylesheet, script, icon };

template <>
struct Table<PageAsset> {
    struct Row {
        std::string_view name;  // of the file
        std::string_view content_type;
        std::string_view content;
    };
    static const Row kRows[3];
};

// A name for the content: another one when the content is another.
std::string version_of(PageAsset asset);

}  // namespace wsp
