// The border between httpd and C++: guarded() lets no exception into httpd, make_in_pool() puts C++ objects into pools.
#pragma once

#include <exception>
#include <new>
#include <utility>

#include "httpd/httpd.hpp"

namespace wsp {

// Runs `body` for a request; an exception becomes a log line and 500.
template <class Body>
int guarded(request_rec* r, Body body) noexcept {
    try {
        return body();
    } catch (const std::exception& e) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "WSP0001: unexpected exception: %s", e.what());
    } catch (...) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "WSP0002: unexpected exception of an unknown type");
    }
    return HTTP_INTERNAL_SERVER_ERROR;
}

// The same without a request: an exception becomes a log line, and the result is `failed`.
template <class Result, class Body>
Result guarded_or(Result failed, Body body) noexcept {
    try {
        return body();
    } catch (const std::exception& e) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, ap_server_conf, "WSP0001: unexpected exception: %s",
                     e.what());
    } catch (...) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, ap_server_conf,
                     "WSP0002: unexpected exception of an unknown type");
    }
    return failed;
}

// Makes a T in `pool`, which destroys it.
template <class T, class... Args>
T* make_in_pool(apr_pool_t* pool, Args&&... args) {
    static_assert(alignof(T) <= 8, "APR aligns to 8");
    T* const made = new (apr_palloc(pool, sizeof(T))) T(std::forward<Args>(args)...);
    const auto destroy = [](void* object) -> apr_status_t {
        static_cast<T*>(object)->~T();
        return APR_SUCCESS;
    };
    apr_pool_cleanup_register(pool, made, destroy, apr_pool_cleanup_null);
    return made;
}

}  // namespace wsp
