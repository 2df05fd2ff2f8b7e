// The secret in shared memory, and HMAC-SHA256 of OpenSSL.
#include "status/action_token.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <cstdint>

#include "base/ascii.hpp"
#include "httpd/kept_memory.hpp"

namespace wsp {
namespace {

constexpr char kKey[] = "mod_proxy_websocket:action-secret:1";
constexpr std::int64_t kWindow = 12 * 3600;  // seconds

struct Secret {
    bool made;
    unsigned char bytes[32];
};

std::int64_t window_now() {
    return apr_time_sec(apr_time_now()) / kWindow;
}

std::string token_of(const request_rec* r, std::int64_t window) {
    const auto* const secret = static_cast<const Secret*>(kept_memory(r->server, kKey));
    if (secret == nullptr || !secret->made) {
        return {};
    }
    const std::string text = std::to_string(window) + ' ' + (r->user != nullptr ? r->user : "");
    unsigned char code[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (HMAC(EVP_sha256(), secret->bytes, sizeof secret->bytes,
             reinterpret_cast<const unsigned char*>(text.data()), text.size(), code,
             &size) == nullptr) {
        return {};
    }
    std::string token;
    for (unsigned i = 0; i < size; ++i) {
        append_hex(token, code[i]);
    }
    return token;
}

bool are_equal(std::string_view token, const std::string& right) {
    return !right.empty() && token.size() == right.size() &&
           CRYPTO_memcmp(token.data(), right.data(), right.size()) == 0;
}

}  // namespace

void prepare_action_token(server_rec* main_server) {
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG) {
        return;
    }
    apr_status_t error = APR_SUCCESS;
    auto* const secret =
        static_cast<Secret*>(make_kept_memory(main_server, kKey, sizeof(Secret), error));
    if (secret != nullptr && !secret->made) {
        secret->made = RAND_bytes(secret->bytes, sizeof secret->bytes) == 1;
    }
}

std::string action_token_for(const request_rec* r) {
    return token_of(r, window_now());
}

bool is_action_token(const request_rec* r, std::string_view token) {
    const std::int64_t window = window_now();
    const bool now = are_equal(token, token_of(r, window));
    const bool before = are_equal(token, token_of(r, window - 1));
    return now || before;
}

}  // namespace wsp
