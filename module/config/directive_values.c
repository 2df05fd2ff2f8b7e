/* APR and httpd read the values. The limits and the error messages are ours. */
#include "config/directive_values.h"

#include <errno.h>

#include "apr_lib.h"
#include "apr_strings.h"

int wsp_is_off(const char* arg) {
    return !ap_cstr_casecmp(arg, "off");
}

int wsp_parse_number(const char* arg, int with_suffix, int64_t* value) {
    char* end;
    int64_t unit = 1;
    errno = 0;
    *value = apr_strtoi64(arg, &end, 10);
    if (errno != 0 || end == arg || !apr_isdigit(*arg)) {
        return 0;
    }
    if (with_suffix && (*end == 'k' || *end == 'K' || *end == 'm' || *end == 'M')) {
        unit = (*end == 'k' || *end == 'K') ? 1024 : 1024 * 1024;
        ++end;
    }
    if (*end != '\0' || *value > INT64_MAX / unit) {
        return 0;
    }
    *value *= unit;
    return 1;
}

/* "90000000" microseconds as "90s". */
static const char* duration_text(apr_pool_t* pool, int64_t us) {
    if (us % 3600000000 == 0 && us > 0) {
        return apr_psprintf(pool, "%" APR_INT64_T_FMT "h", us / 3600000000);
    }
    if (us % 1000000 == 0) {
        return apr_psprintf(pool, "%" APR_INT64_T_FMT "s", us / 1000000);
    }
    return apr_psprintf(pool, "%" APR_INT64_T_FMT "ms", us / 1000);
}

const char* wsp_parse_duration(cmd_parms* cmd, const char* what, const char* arg, int64_t min,
                               int64_t max, int64_t* value) {
    const char* const subject =
        what ? apr_pstrcat(cmd->temp_pool, cmd->cmd->name, ": the ", what, NULL) : cmd->cmd->name;
    apr_interval_time_t parsed;
    if (!apr_isdigit(*arg) || ap_timeout_parameter_parse(arg, &parsed, "s") != APR_SUCCESS) {
        return apr_psprintf(cmd->pool,
                            "%s must be a time such as 500ms, 30s, 5min or 2h; it is \"%s\"",
                            subject, arg);
    }
    if (parsed < min || parsed > max) {
        return apr_psprintf(cmd->pool, "%s must be from %s to %s; it is \"%s\"", subject,
                            duration_text(cmd->pool, min), duration_text(cmd->pool, max), arg);
    }
    *value = parsed;
    return NULL;
}
