/* Numbers and times as administrators write them. Pure but for cmd->pool, which owns what is
 * returned. */
#ifndef WSP_DIRECTIVE_VALUES_H
#define WSP_DIRECTIVE_VALUES_H

#include <stdint.h>

#include "httpd.h"

#include "http_config.h"

/* The word Off, in any case. */
int wsp_is_off(const char* arg);

/* A number from 0, with `with_suffix` also followed by K or M. Zero when it is not one, or does not
 * fit. */
int wsp_parse_number(const char* arg, int with_suffix, int64_t* value);

/* A time from `min` to `max` microseconds: 500ms, 30s, 5min, 2h; a plain number is in seconds.
 * Returns NULL or an error message, which names the part `what` of the directive where it is not
 * NULL. */
const char* wsp_parse_duration(cmd_parms* cmd, const char* what, const char* arg, int64_t min,
                               int64_t max, int64_t* value);

#endif
