// What the MPM says about itself, in one word each.
#pragma once

#include "httpd/httpd.hpp"

namespace wsp {

// 0 where the MPM has no such thing.
inline int mpm_setting(int query) {
    int value = 0;
    return ap_mpm_query(query, &value) == APR_SUCCESS ? value : 0;
}

inline bool is_threaded_mpm() {
    return mpm_setting(AP_MPMQ_IS_THREADED) != AP_MPMQ_NOT_SUPPORTED;
}

}  // namespace wsp
