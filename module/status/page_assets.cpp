// CMakeLists.txt and Makefile.apxs make a string literal of each file.
#include "status/page_assets.hpp"

#include "base/ascii.hpp"
#include "base/fnv1a.hpp"

namespace wsp {

const Table<PageAsset>::Row Table<PageAsset>::kRows[3] = {
    {
        "page.css",
        "text/css; charset=utf-8",
#include "page.css.inc"
    },
    {
        "page.js",
        "text/javascript; charset=utf-8",
#include "page.js.inc"
    },
    {
        "icon.svg",
        "image/svg+xml",
#include "icon.svg.inc"
    },
};

std::string version_of(PageAsset asset) {
    std::uint64_t hash = Fnv1a().text(row_of(asset).content).value();
    std::string version;
    for (; hash != 0; hash >>= 4) {
        version += hex_digit(hash);
    }
    return version;
}

}  // namespace wsp
