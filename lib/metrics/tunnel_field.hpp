// By which fields of their rows operators name tunnels. Values; any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/table.hpp"

namespace wsp {

// Members of TunnelRow; `all` is none of them, and every tunnel has it.
enum class TunnelField : std::uint8_t { tag, client, vhost, backend, id, all };

template <>
struct Table<TunnelField> {
    struct Row {
        std::string_view name;
        std::string_view text;  // behind "close tunnels"
    };
    static constexpr Row kRows[] = {{"tag", "with the tag"},
                                    {"client", "of the address"},
                                    {"vhost", "of the virtual host"},
                                    {"backend", "of the backend"},
                                    {"id", "with the id"},
                                    {"all", "all there are"}};
};

}  // namespace wsp
