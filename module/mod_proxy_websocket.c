/* The module record and the command table. C, since httpd's AP_INIT_* macros are, and named so
 * because httpd takes the name for <IfModule mod_proxy_websocket.c> from this file's. One setter
 * per type of directive; what a directive is stands in directives.def. */
#include <stddef.h>
#include <string.h>

#include "httpd.h"

#include "apr_strings.h"
#include "config.h"
#include "hooks.h"
#include "mod_proxy.h"

/* The one symbol that leaves this shared object. */
extern module AP_MODULE_DECLARE_DATA proxy_websocket_module __attribute__((visibility("default")));

/* Where a directive's value goes and what it may be. */
typedef struct wsp_spec {
    size_t offset;
    int64_t min, max;
    int global; /* in wsp_server_config instead of wsp_dir_config */
} wsp_spec;

#define WSP_CUSTOM(name, handler, syntax, context, doc)
#define WSP_HANDLED(name, handler, how, syntax, def, context, doc)
#define WSP_VALUE(field, def, context)

/* A row's context chooses the struct that its field is in. */
enum { IS_GLOBAL_WSP_ANYWHERE = 0, IS_GLOBAL_WSP_GLOBAL = 1 };
#define OFFSET_WSP_ANYWHERE(field) offsetof(wsp_dir_config, field)
#define OFFSET_WSP_GLOBAL(field) offsetof(wsp_server_config, field)
#define WSP_DIRECTIVE(name, field, type, def, min, max, context, doc) \
    static const wsp_spec spec_##field = {OFFSET_##context(field), min, max, IS_GLOBAL_##context};
#include "directives.def"
#undef WSP_DIRECTIVE

static const char* store(cmd_parms* cmd, void* dir_config, int64_t value) {
    const wsp_spec* spec = cmd->info;
    char* base = dir_config;
    if (spec->global) {
        const char* err = ap_check_cmd_context(cmd, GLOBAL_ONLY);
        if (err) {
            return err;
        }
        base = ap_get_module_config(cmd->server->module_config, &proxy_websocket_module);
    }
    *(int64_t*)(void*)(base + spec->offset) = value;
    return NULL;
}

static const char* out_of_range(cmd_parms* cmd, const char* min, const char* max, const char* arg) {
    return apr_psprintf(cmd->pool, "%s must be from %s to %s; it is \"%s\"", cmd->cmd->name, min,
                        max, arg);
}

static const char* set_flag(cmd_parms* cmd, void* dir_config, const char* arg) {
    if (!ap_cstr_casecmp(arg, "on")) {
        return store(cmd, dir_config, 1);
    }
    if (!ap_cstr_casecmp(arg, "off")) {
        return store(cmd, dir_config, 0);
    }
    return apr_psprintf(cmd->pool, "%s must be On or Off; it is \"%s\"", cmd->cmd->name, arg);
}

static const char* set_validate(cmd_parms* cmd, void* dir_config, const char* arg) {
    static const char* const words[] = {"off", "frames", "full"};
    int i;
    for (i = 0; i < 3; ++i) {
        if (!ap_cstr_casecmp(arg, words[i])) {
            return store(cmd, dir_config, i);
        }
    }
    return apr_psprintf(cmd->pool, "%s must be Off, Frames or Full; it is \"%s\"", cmd->cmd->name,
                        arg);
}

static const char* set_member_down(cmd_parms* cmd, void* dir_config, const char* arg) {
    if (!ap_cstr_casecmp(arg, "keep")) {
        return store(cmd, dir_config, 0);
    }
    if (!ap_cstr_casecmp(arg, "drain")) {
        return store(cmd, dir_config, 1);
    }
    return apr_psprintf(cmd->pool, "%s must be keep or drain; it is \"%s\"", cmd->cmd->name, arg);
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

static const char* set_duration(cmd_parms* cmd, void* dir_config, const char* arg) {
    const wsp_spec* spec = cmd->info;
    apr_interval_time_t value;
    if (!apr_isdigit(*arg) || ap_timeout_parameter_parse(arg, &value, "s") != APR_SUCCESS) {
        return apr_psprintf(cmd->pool,
                            "%s must be a time such as 500ms, 30s, 5min or 2h; it is \"%s\"",
                            cmd->cmd->name, arg);
    }
    if (value < spec->min || value > spec->max) {
        return out_of_range(cmd, duration_text(cmd->pool, spec->min),
                            duration_text(cmd->pool, spec->max), arg);
    }
    return store(cmd, dir_config, value);
}

/* Reads a number with an optional suffix K or M into *value. Zero when it is not one, or does not
 * fit. */
static int parse_number(const char* arg, int with_suffix, int64_t* value) {
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

static const char* set_number(cmd_parms* cmd, void* dir_config, const char* arg, int is_size) {
    const wsp_spec* spec = cmd->info;
    int64_t value;
    if (!parse_number(arg, is_size, &value)) {
        return apr_psprintf(cmd->pool, "%s must be a whole number%s; it is \"%s\"", cmd->cmd->name,
                            is_size ? " of bytes such as 65536, 64K or 1M" : "", arg);
    }
    if (value < spec->min || value > spec->max) {
        return out_of_range(cmd, apr_psprintf(cmd->pool, "%" APR_INT64_T_FMT, spec->min),
                            apr_psprintf(cmd->pool, "%" APR_INT64_T_FMT, spec->max), arg);
    }
    return store(cmd, dir_config, value);
}

static const char* set_size(cmd_parms* cmd, void* dir_config, const char* arg) {
    return set_number(cmd, dir_config, arg, 1);
}

static const char* set_drain_code(cmd_parms* cmd, void* dir_config, const char* arg) {
    if (strcmp(arg, "1001") && strcmp(arg, "1012")) {
        return apr_psprintf(cmd->pool, "%s must be 1001 or 1012; it is \"%s\"", cmd->cmd->name,
                            arg);
    }
    return set_number(cmd, dir_config, arg, 0);
}

static const char* set_count(cmd_parms* cmd, void* dir_config, const char* arg) {
    return set_number(cmd, dir_config, arg, 0);
}

/* --- directives of several words
 * -------------------------------------------------------------------------------- */

static int is_off(const char* arg) {
    return !ap_cstr_casecmp(arg, "off");
}

/* Reads a time within bounds. Returns NULL or a message that names `what`. */
static const char* parse_duration(cmd_parms* cmd, const char* what, const char* arg, int64_t min,
                                  int64_t max, int64_t* value) {
    apr_interval_time_t parsed;
    if (!apr_isdigit(*arg) || ap_timeout_parameter_parse(arg, &parsed, "s") != APR_SUCCESS) {
        return apr_psprintf(
            cmd->pool, "%s: the %s must be a time such as 500ms, 30s, 5min or 2h; it is \"%s\"",
            cmd->cmd->name, what, arg);
    }
    if (parsed < min || parsed > max) {
        return apr_psprintf(cmd->pool, "%s: the %s must be from %s to %s; it is \"%s\"",
                            cmd->cmd->name, what, duration_text(cmd->pool, min),
                            duration_text(cmd->pool, max), arg);
    }
    *value = parsed;
    return NULL;
}

static const char* wsp_set_ping(cmd_parms* cmd, void* dir_config, const char* first,
                                const char* second, const char* third) {
    wsp_dir_config* config = dir_config;
    const int64_t min = 100000, max = 86400000000;
    const char *deadline = second, *backend = third, *err;

    config->ping_interval_us = config->ping_deadline_us = config->ping_backend = 0;
    if (is_off(first)) {
        return second ? apr_pstrcat(cmd->pool, cmd->cmd->name, " Off takes no further words", NULL)
                      : NULL;
    }
    if (second && !third && !ap_cstr_casecmp(second, "backend")) {
        deadline = NULL;
        backend = second;
    }
    if (backend && ap_cstr_casecmp(backend, "backend")) {
        return apr_psprintf(
            cmd->pool, "%s: only the word \"backend\" may stand behind the times; there is \"%s\"",
            cmd->cmd->name, backend);
    }
    err = parse_duration(cmd, "interval", first, min, max, &config->ping_interval_us);
    config->ping_deadline_us = config->ping_interval_us;
    if (!err && deadline) {
        err = parse_duration(cmd, "deadline", deadline, min, max, &config->ping_deadline_us);
    }
    config->ping_backend = backend != NULL;
    return err;
}

static const char* wsp_set_max_lifetime(cmd_parms* cmd, void* dir_config, const char* time,
                                        const char* jitter) {
    wsp_dir_config* config = dir_config;
    char* end = NULL;

    config->max_lifetime_us = config->lifetime_jitter_percent = 0;
    if (is_off(time)) {
        return jitter ? apr_pstrcat(cmd->pool, cmd->cmd->name, " Off takes no further words", NULL)
                      : NULL;
    }
    if (jitter) {
        config->lifetime_jitter_percent = apr_strtoi64(jitter, &end, 10);
        if (!apr_isdigit(*jitter) || (strcmp(end, "%") && *end) ||
            config->lifetime_jitter_percent > 100) {
            return apr_psprintf(cmd->pool, "%s: the jitter must be from 0%% to 100%%; it is \"%s\"",
                                cmd->cmd->name, jitter);
        }
    }
    return parse_duration(cmd, "lifetime", time, 1000000, 31536000000000, &config->max_lifetime_us);
}

static const char* wsp_set_max_message_size(cmd_parms* cmd, void* dir_config, const char* client,
                                            const char* backend) {
    wsp_dir_config* config = dir_config;

    config->max_message_client = config->max_message_backend = 0;
    if (is_off(client)) {
        return backend ? apr_pstrcat(cmd->pool, cmd->cmd->name, " Off takes no further words", NULL)
                       : NULL;
    }
    if (!parse_number(client, 1, &config->max_message_client) ||
        (backend && !parse_number(backend, 1, &config->max_message_backend))) {
        return apr_psprintf(
            cmd->pool,
            "%s takes one or two sizes in bytes such as 65536, 64K or 1M; there is \"%s%s%s\"",
            cmd->cmd->name, client, backend ? " " : "", backend ? backend : "");
    }
    return NULL;
}

static const char* wsp_set_message_rate(cmd_parms* cmd, void* dir_config, const char* rate,
                                        const char* burst) {
    wsp_dir_config* config = dir_config;
    const apr_size_t length = strlen(rate);

    config->message_rate = config->message_burst = 0;
    if (is_off(rate)) {
        return burst ? apr_pstrcat(cmd->pool, cmd->cmd->name, " Off takes no further words", NULL)
                     : NULL;
    }
    if (length > 2 && !strcmp(rate + length - 2, "/s")) {
        rate = apr_pstrmemdup(cmd->pool, rate, length - 2);
    }
    if (!parse_number(rate, 0, &config->message_rate) || config->message_rate < 1 ||
        config->message_rate > 1000000) {
        return apr_psprintf(cmd->pool, "%s: the rate must be from 1/s to 1000000/s; it is \"%s\"",
                            cmd->cmd->name, rate);
    }
    config->message_burst = config->message_rate;
    if (burst && (!parse_number(burst, 0, &config->message_burst) || config->message_burst < 1 ||
                  config->message_burst > 1000000)) {
        return apr_psprintf(cmd->pool, "%s: the burst must be from 1 to 1000000; it is \"%s\"",
                            cmd->cmd->name, burst);
    }
    return NULL;
}

/* Where one word of ProxyWebsocketPool goes. */
typedef struct pool_word {
    const char* name; /* with its = */
    int64_t min, max;
    int is_time;
    int64_t* value;
} pool_word;

static const char* set_pool_word(cmd_parms* cmd, const pool_word* word, const char* value) {
    if (word->is_time) {
        return parse_duration(cmd, word->name, value, word->min, word->max, word->value);
    }
    if (!parse_number(value, 0, word->value) || *word->value < word->min ||
        *word->value > word->max) {
        return apr_psprintf(cmd->pool,
                            "%s: %s must be a whole number from %" APR_INT64_T_FMT
                            " to %" APR_INT64_T_FMT "; it is \"%s\"",
                            cmd->cmd->name, word->name, word->min, word->max, value);
    }
    return NULL;
}

static const char* wsp_set_pool(cmd_parms* cmd, void* dir_config, int argc, char* const argv[]) {
    wsp_dir_config* config = dir_config;
    const pool_word words[] = {{"warm", 0, 1000, 0, &config->pool_warm},
                               {"max-idle", 0, 1000, 0, &config->pool_max_idle},
                               {"ttl", 100000, 3600000000, 1, &config->pool_ttl_us},
                               {"max-connecting", 0, 1000, 0, &config->pool_max_connecting}};
    const int count = sizeof words / sizeof *words;
    int i, k;

    if (argc == 0) {
        return apr_pstrcat(
            cmd->pool, cmd->cmd->name,
            " needs at least one of warm=, max-idle=, ttl= and max-connecting=", NULL);
    }
    config->pool_warm = config->pool_max_connecting = 0;
    config->pool_max_idle = WSP_UNSET;
    config->pool_ttl_us = WSP_UNSET;
    for (i = 0; i < argc; ++i) {
        const char* const equals = strchr(argv[i], '=');
        const char* err;
        for (k = 0; equals && k < count; ++k) {
            if (strlen(words[k].name) == (size_t)(equals - argv[i]) &&
                !strncmp(argv[i], words[k].name, strlen(words[k].name))) {
                break;
            }
        }
        if (!equals || k == count) {
            return apr_psprintf(
                cmd->pool, "%s takes warm=, max-idle=, ttl= and max-connecting=; there is \"%s\"",
                cmd->cmd->name, argv[i]);
        }
        err = set_pool_word(cmd, &words[k], equals + 1);
        if (err) {
            return err;
        }
    }
    if (config->pool_max_idle != WSP_UNSET && config->pool_max_idle < config->pool_warm) {
        return apr_psprintf(cmd->pool,
                            "%s: max-idle=%" APR_INT64_T_FMT " is less than warm=%" APR_INT64_T_FMT
                            ": connections that are kept ahead are idle",
                            cmd->cmd->name, config->pool_max_idle, config->pool_warm);
    }
    return NULL;
}

#undef WSP_CUSTOM
#undef WSP_HANDLED
#define WSP_HANDLED(name, handler, how, syntax, def, context, doc) \
    AP_INIT_##how(name, handler, NULL, context, doc),
#define WSP_CUSTOM(name, handler, syntax, context, doc) \
    AP_INIT_RAW_ARGS(name, handler, NULL, context, doc),
#define WSP_DIRECTIVE(name, field, type, def, min, max, context, doc)                            \
    AP_INIT_TAKE1(name, set_##type, (void*)&spec_##field, (context) & (RSRC_CONF | ACCESS_CONF), \
                  doc),
static const command_rec commands[] = {
#include "directives.def"
    {NULL}};
#undef WSP_DIRECTIVE
#undef WSP_CUSTOM
#undef WSP_HANDLED
#undef WSP_VALUE
#define WSP_CUSTOM(name, handler, syntax, context, doc)
#define WSP_HANDLED(name, handler, how, syntax, def, context, doc)
#define WSP_VALUE(field, def, context) EACH_##context(field, def)

/* What to do with the fields of either struct: one set of names for all functions below. */
#define WSP_DIRECTIVE(name, field, type, def, min, max, context, doc) EACH_##context(field, def)
#define NOTHING(field, def)
#define UNSET(field, def) config->field = WSP_UNSET;
#define INNER(field, def) merged->field = inner->field != WSP_UNSET ? inner->field : outer->field;
#define RESOLVE(field, def) resolved.field = config->field != WSP_UNSET ? config->field : (def);

static void* create_dir_config(apr_pool_t* pool, char* dir) {
    wsp_dir_config* config = apr_pcalloc(pool, sizeof *config);
    (void)dir;
#define EACH_WSP_ANYWHERE UNSET
#define EACH_WSP_WORKER UNSET
#define EACH_WSP_GLOBAL NOTHING
#include "directives.def"
#undef EACH_WSP_ANYWHERE
#undef EACH_WSP_WORKER
#undef EACH_WSP_GLOBAL
    return config;
}

static void* merge_dir_config(apr_pool_t* pool, void* base, void* add) {
    const wsp_dir_config *outer = base, *inner = add;
    wsp_dir_config* merged = apr_pmemdup(pool, inner, sizeof *inner);
#define EACH_WSP_ANYWHERE INNER
#define EACH_WSP_WORKER INNER
#define EACH_WSP_GLOBAL NOTHING
#include "directives.def"
#undef EACH_WSP_ANYWHERE
#undef EACH_WSP_WORKER
#undef EACH_WSP_GLOBAL
    merged->mapping = inner->mapping ? inner->mapping : outer->mapping;
    return merged;
}

wsp_dir_config wsp_dir_config_resolved(const wsp_dir_config* config) {
    wsp_dir_config resolved = *config;
#define EACH_WSP_ANYWHERE RESOLVE
#define EACH_WSP_WORKER RESOLVE
#define EACH_WSP_GLOBAL NOTHING
#include "directives.def"
#undef EACH_WSP_ANYWHERE
#undef EACH_WSP_WORKER
#undef EACH_WSP_GLOBAL
    return resolved;
}

static void* create_server_config(apr_pool_t* pool, server_rec* server) {
    wsp_server_config* config = apr_pcalloc(pool, sizeof *config);
    (void)server;
#define EACH_WSP_ANYWHERE NOTHING
#define EACH_WSP_WORKER NOTHING
#define EACH_WSP_GLOBAL UNSET
#include "directives.def"
#undef EACH_WSP_ANYWHERE
#undef EACH_WSP_WORKER
#undef EACH_WSP_GLOBAL
    config->mappings = apr_array_make(pool, 2, sizeof(struct proxy_alias));
    return config;
}

static void* merge_server_config(apr_pool_t* pool, void* base, void* add) {
    const wsp_server_config *outer = base, *inner = add;
    wsp_server_config* merged = apr_pmemdup(pool, inner, sizeof *inner);
#define EACH_WSP_ANYWHERE NOTHING
#define EACH_WSP_WORKER NOTHING
#define EACH_WSP_GLOBAL INNER
#include "directives.def"
#undef EACH_WSP_ANYWHERE
#undef EACH_WSP_WORKER
#undef EACH_WSP_GLOBAL
    merged->mappings = apr_array_append(pool, inner->mappings, outer->mappings);
    return merged;
}

wsp_server_config wsp_server_config_resolved(const wsp_server_config* config) {
    wsp_server_config resolved = *config;
#define EACH_WSP_ANYWHERE NOTHING
#define EACH_WSP_WORKER NOTHING
#define EACH_WSP_GLOBAL RESOLVE
#include "directives.def"
#undef EACH_WSP_ANYWHERE
#undef EACH_WSP_WORKER
#undef EACH_WSP_GLOBAL
    return resolved;
}

const char* wsp_run_raw_args(cmd_parms* cmd, void* dir_config, const char* args) {
    return cmd->cmd->AP_RAW_ARGS(cmd, dir_config, args);
}

AP_DECLARE_MODULE(proxy_websocket) = {
    STANDARD20_MODULE_STUFF, create_dir_config, merge_dir_config,   create_server_config,
    merge_server_config,     commands,          wsp_register_hooks, AP_MODULE_FLAG_NONE};
