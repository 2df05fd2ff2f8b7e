/* The setters of directives with several words, one for each directive. */
#include "config/directive_setters.h"

#include <string.h>

#include "ap_expr.h"
#include "apr_lib.h"
#include "apr_strings.h"
#include "config/config.h"
#include "config/directive_values.h"

/* Returns an error message if there is a word behind Off. */
static const char* expect_no_more(cmd_parms* cmd, const char* next) {
    return next ? apr_pstrcat(cmd->pool, cmd->cmd->name, " Off takes no further words", NULL)
                : NULL;
}

const char* wsp_set_ping(cmd_parms* cmd, void* dir_config, const char* first, const char* second,
                         const char* third) {
    wsp_dir_config* config = dir_config;
    const int64_t min = 100000, max = 86400000000;
    const char *deadline = second, *backend = third, *err;

    config->ping_interval_us = config->ping_deadline_us = config->ping_backend = 0;
    if (wsp_is_off(first)) {
        return expect_no_more(cmd, second);
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
    err = wsp_parse_duration(cmd, "interval", first, min, max, &config->ping_interval_us);
    config->ping_deadline_us = config->ping_interval_us;
    if (!err && deadline) {
        err = wsp_parse_duration(cmd, "deadline", deadline, min, max, &config->ping_deadline_us);
    }
    config->ping_backend = backend != NULL;
    return err;
}

const char* wsp_set_max_lifetime(cmd_parms* cmd, void* dir_config, const char* time,
                                 const char* jitter) {
    wsp_dir_config* config = dir_config;
    char* end = NULL;

    config->max_lifetime_us = config->lifetime_jitter_percent = 0;
    if (wsp_is_off(time)) {
        return expect_no_more(cmd, jitter);
    }
    if (jitter) {
        config->lifetime_jitter_percent = apr_strtoi64(jitter, &end, 10);
        if (!apr_isdigit(*jitter) || (strcmp(end, "%") && *end) ||
            config->lifetime_jitter_percent > 100) {
            return apr_psprintf(cmd->pool, "%s: the jitter must be from 0%% to 100%%; it is \"%s\"",
                                cmd->cmd->name, jitter);
        }
    }
    return wsp_parse_duration(cmd, "lifetime", time, 1000000, 31536000000000,
                              &config->max_lifetime_us);
}

const char* wsp_set_max_blocking(cmd_parms* cmd, void* dir_config, const char* first,
                                 const char* second) {
    wsp_server_config* const config =
        ap_get_module_config(cmd->server->module_config, &proxy_websocket_module);
    const char* const upper = second ? second : first;
    const char* const err = wsp_check_global(cmd);
    (void)dir_config;

    if (err) {
        return err;
    }
    config->max_blocking = 0;
    config->max_blocking_offers = WSP_UNSET;
    if (wsp_is_off(first)) {
        return expect_no_more(cmd, second);
    }
    if (!wsp_parse_number(upper, 0, &config->max_blocking) || config->max_blocking < 1 ||
        config->max_blocking > 100000) {
        return apr_psprintf(cmd->pool,
                            "%s: the upper number must be from 1 to 100000, or Off; it is \"%s\"",
                            cmd->cmd->name, upper);
    }
    if (second && (!wsp_parse_number(first, 0, &config->max_blocking_offers) ||
                   config->max_blocking_offers > config->max_blocking)) {
        return apr_psprintf(
            cmd->pool, "%s: the lower number must be from 0 to the upper one, %s; it is \"%s\"",
            cmd->cmd->name, upper, first);
    }
    return NULL;
}

const char* wsp_set_max_message_size(cmd_parms* cmd, void* dir_config, const char* client,
                                     const char* backend) {
    wsp_dir_config* config = dir_config;

    config->max_message_client = config->max_message_backend = 0;
    if (wsp_is_off(client)) {
        return expect_no_more(cmd, backend);
    }
    if (!wsp_parse_number(client, 1, &config->max_message_client) ||
        (backend && !wsp_parse_number(backend, 1, &config->max_message_backend))) {
        return apr_psprintf(
            cmd->pool,
            "%s takes one or two sizes in bytes such as 65536, 64K or 1M; there is \"%s%s%s\"",
            cmd->cmd->name, client, backend ? " " : "", backend ? backend : "");
    }
    return NULL;
}

const char* wsp_set_message_rate(cmd_parms* cmd, void* dir_config, const char* rate,
                                 const char* burst) {
    wsp_dir_config* config = dir_config;
    const apr_size_t length = strlen(rate);

    config->message_rate = config->message_burst = 0;
    if (wsp_is_off(rate)) {
        return expect_no_more(cmd, burst);
    }
    if (length > 2 && !strcmp(rate + length - 2, "/s")) {
        rate = apr_pstrmemdup(cmd->pool, rate, length - 2);
    }
    if (!wsp_parse_number(rate, 0, &config->message_rate) || config->message_rate < 1 ||
        config->message_rate > 1000000) {
        return apr_psprintf(cmd->pool, "%s: the rate must be from 1/s to 1000000/s; it is \"%s\"",
                            cmd->cmd->name, rate);
    }
    config->message_burst = config->message_rate;
    if (burst && (!wsp_parse_number(burst, 0, &config->message_burst) ||
                  config->message_burst < 1 || config->message_burst > 1000000)) {
        return apr_psprintf(cmd->pool, "%s: the burst must be from 1 to 1000000; it is \"%s\"",
                            cmd->cmd->name, burst);
    }
    return NULL;
}

/* One name=value that a directive takes, and where the value goes. */
typedef struct named_value {
    const char* name;
    int64_t min, max;
    int is_time;
    int64_t* value;
} named_value;

static const char* set_pool_word(cmd_parms* cmd, const named_value* word, const char* value) {
    if (word->is_time) {
        return wsp_parse_duration(cmd, word->name, value, word->min, word->max, word->value);
    }
    if (!wsp_parse_number(value, 0, word->value) || *word->value < word->min ||
        *word->value > word->max) {
        return apr_psprintf(cmd->pool,
                            "%s: %s must be a whole number from %" APR_INT64_T_FMT
                            " to %" APR_INT64_T_FMT "; it is \"%s\"",
                            cmd->cmd->name, word->name, word->min, word->max, value);
    }
    return NULL;
}

/* Returns NULL if `arg` is none of `words`. */
static const named_value* find_named_value(const named_value* words, int count, const char* arg) {
    int i;
    for (i = 0; i < count; ++i) {
        const size_t length = strlen(words[i].name);
        if (!strncmp(arg, words[i].name, length) && arg[length] == '=') {
            return &words[i];
        }
    }
    return NULL;
}

const char* wsp_set_pool(cmd_parms* cmd, void* dir_config, int argc, char* const argv[]) {
    wsp_dir_config* config = dir_config;
    const named_value words[] = {{"warm", 0, 1000, 0, &config->pool_warm},
                                 {"max-idle", 0, 1000, 0, &config->pool_max_idle},
                                 {"ttl", 100000, 3600000000, 1, &config->pool_ttl_us},
                                 {"max-connecting", 0, 1000, 0, &config->pool_max_connecting}};
    const int count = sizeof words / sizeof *words;
    int i;

    if (argc == 0) {
        return apr_pstrcat(
            cmd->pool, cmd->cmd->name,
            " needs at least one of warm=, max-idle=, ttl= and max-connecting=", NULL);
    }
    config->pool_warm = config->pool_max_connecting = 0;
    config->pool_max_idle = WSP_UNSET;
    config->pool_ttl_us = WSP_UNSET;
    for (i = 0; i < argc; ++i) {
        const named_value* const word = find_named_value(words, count, argv[i]);
        const char* err;
        if (!word) {
            return apr_psprintf(
                cmd->pool, "%s takes warm=, max-idle=, ttl= and max-connecting=; there is \"%s\"",
                cmd->cmd->name, argv[i]);
        }
        err = set_pool_word(cmd, word, argv[i] + strlen(word->name) + 1);
        if (err) {
            return err;
        }
    }
    if (config->pool_max_idle != WSP_UNSET && config->pool_max_idle < config->pool_warm) {
        return apr_psprintf(cmd->pool,
                            "%s: max-idle=%" APR_INT64_T_FMT " is less than warm=%" APR_INT64_T_FMT
                            ": warm connections are idle ones",
                            cmd->cmd->name, config->pool_max_idle, config->pool_warm);
    }
    return NULL;
}

static const char* parse_close_code(cmd_parms* cmd, const char* arg, int64_t* value) {
    if (!wsp_parse_number(arg, 0, value) || !wsp_is_close_code(*value)) {
        return apr_psprintf(
            cmd->pool,
            "%s: a code must be from 1000 to 1003, from 1007 to 1014 or from 3000 to "
            "4999; it is \"%s\"",
            cmd->cmd->name, arg);
    }
    return NULL;
}

/* reason=code, or an error for any other word. */
static const char* set_close_code_of_reason(cmd_parms* cmd, const named_value* reasons, int count,
                                            const char* arg) {
    const named_value* const found = find_named_value(reasons, count, arg);
    if (!found) {
        return apr_psprintf(cmd->pool,
                            "%s takes one code and idle=, lifetime=, expires=, drain=, stop= and "
                            "member-down=; there is \"%s\"",
                            cmd->cmd->name, arg);
    }
    return parse_close_code(cmd, arg + strlen(found->name) + 1, found->value);
}

const char* wsp_set_close_code(cmd_parms* cmd, void* dir_config, int argc, char* const argv[]) {
    wsp_dir_config* config = dir_config;
    const named_value reasons[] = {{"idle", 0, 0, 0, &config->close_code_idle},
                                   {"lifetime", 0, 0, 0, &config->close_code_lifetime},
                                   {"expires", 0, 0, 0, &config->close_code_expires},
                                   {"drain", 0, 0, 0, &config->close_code_drain},
                                   {"stop", 0, 0, 0, &config->close_code_stop},
                                   {"member-down", 0, 0, 0, &config->close_code_member_down}};
    const int count = sizeof reasons / sizeof *reasons;
    const char* err = NULL;
    int i = 0;

    if (argc == 0) {
        return apr_pstrcat(cmd->pool, cmd->cmd->name, " needs a code such as 1012", NULL);
    }
    if (!strchr(argv[0], '=')) {
        int64_t code;
        err = parse_close_code(cmd, argv[0], &code);
        if (err) {
            return err;
        }
        for (i = 0; i < count; ++i) {
            *reasons[i].value = code;
        }
        i = 1;
    }
    for (; i < argc && !err; ++i) {
        err = set_close_code_of_reason(cmd, reasons, count, argv[i]);
    }
    return err;
}

const char* wsp_set_tag(cmd_parms* cmd, void* dir_config, const char* args) {
    wsp_dir_config* config = dir_config;
    const char* const word = ap_getword_conf(cmd->pool, &args);
    const char* err = NULL;

    if (!*word || *args) {
        return apr_pstrcat(
            cmd->pool, cmd->cmd->name,
            " takes one expression, such as \"%{REMOTE_USER}\", or Off; write quotes "
            "around one that has spaces",
            NULL);
    }
    if (wsp_is_off(word)) {
        config->tag = &wsp_no_tag;
        return NULL;
    }
    config->tag =
        ap_expr_parse_cmd_mi(cmd, word, AP_EXPR_FLAG_STRING_RESULT | AP_EXPR_FLAG_DONT_VARY, &err,
                             NULL, proxy_websocket_module.module_index);
    return err ? apr_psprintf(cmd->pool, "%s: \"%s\" is no expression of httpd: %s", cmd->cmd->name,
                              word, err)
               : NULL;
}

const char* wsp_run_raw_args(cmd_parms* cmd, void* dir_config, const char* args) {
    return cmd->cmd->AP_RAW_ARGS(cmd, dir_config, args);
}
