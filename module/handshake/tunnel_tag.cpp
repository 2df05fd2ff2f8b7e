// Evaluates an expression of httpd.
#include "handshake/tunnel_tag.hpp"

#include <string>

#include "ap_expr.h"
#include "protocol/clean_text.hpp"
#include "routing/mapping.hpp"

namespace wsp {
namespace {

// Kept for as long as the tunnel lives.
constexpr std::size_t kLongestTag = 128;

}  // namespace

const char* tag_of(request_rec* r, const wsp_dir_config& config, LogRateLimit& gate) {
    if (config.tag == nullptr || config.tag == &wsp_no_tag) {
        return "";
    }
    const char* error = nullptr;
    const char* const text = ap_expr_str_exec(r, config.tag, &error);
    if (error != nullptr || text == nullptr) {
        warn(r, gate,
             apr_psprintf(r->pool,
                          "WSP0198: the expression of ProxyWebsocketTag fails: %s; the tunnel has "
                          "no tag; %s",
                          error != nullptr ? error : "no text", name_of_request(r)));
        return "";
    }
    const std::string tag = clean_text(text, kLongestTag);
    return apr_pstrmemdup(r->pool, tag.data(), tag.size());
}

}  // namespace wsp
