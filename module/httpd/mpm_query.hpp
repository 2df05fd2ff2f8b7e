// Questions to the MPM.
#pragma once

#include "httpd/httpd.hpp"

namespace wsp {

// 0 if the MPM does not have the setting.
inline int mpm_setting(int query) {
    int value = 0;
    return ap_mpm_query(query, &value) == APR_SUCCESS ? value : 0;
}

inline bool is_threaded_mpm() {
    return mpm_setting(AP_MPMQ_IS_THREADED) != AP_MPMQ_NOT_SUPPORTED;
}

// How many slots for child processes the MPM has. Children that no longer serve are in slots too. 0 where slots are no
// limit: with worker a new child takes over the slot of one that drains (make_child, server/mpm/worker/worker.c).
inline int process_slots() {
    if (std::strcmp(ap_show_mpm(), "worker") == 0) {
        return 0;
    }
    return mpm_setting(is_threaded_mpm() ? AP_MPMQ_HARD_LIMIT_DAEMONS : AP_MPMQ_MAX_DAEMONS);
}

}  // namespace wsp
