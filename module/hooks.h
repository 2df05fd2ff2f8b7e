/* What the module record needs of hooks.cpp. */
#ifndef WSP_HOOKS_H
#define WSP_HOOKS_H

#include "apr_pools.h"

#ifdef __cplusplus
extern "C" {
#define WSP_NOEXCEPT noexcept
#else
#define WSP_NOEXCEPT
#endif

/* The module record's register_hooks. No exception leaves it. Main thread, each time the configuration is read. */
void wsp_register_hooks(apr_pool_t* pool) WSP_NOEXCEPT;

#ifdef __cplusplus
}
#endif
#endif
