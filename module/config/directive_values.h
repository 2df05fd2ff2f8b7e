/* Reads numbers, times and close codes as administrators write them. Pure functions; they allocate from cmd->pool. */
#ifndef WSP_DIRECTIVE_VALUES_H
#define WSP_DIRECTIVE_VALUES_H

#include <stdint.h>

#include "httpd.h"

#include "http_config.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The word Off, in any case. */
int wsp_is_off(const char* arg);

/* Reads a number from 0 on; with `with_suffix` also one with K or M behind it. Returns 0 if `arg` is no such number, or
 * if it does not fit into an int64_t. */
int wsp_parse_number(const char* arg, int with_suffix, int64_t* value);

/* Reads a time from `min` to `max` microseconds: 500ms, 30s, 5min, 2h; a plain number is in seconds. Returns NULL or an
 * error message. `what` is the part of the directive that the message names, or NULL. */
const char* wsp_parse_duration(cmd_parms* cmd, const char* what, const char* arg, int64_t min,
                               int64_t max, int64_t* value);

/* Whether an endpoint may send this close code (RFC 6455 7.4). */
int wsp_is_close_code(int64_t code);

#ifdef __cplusplus
}
#endif
#endif
