/* The setters of directives with one value, one for each type. */
#include <string.h>

#include "apr_strings.h"
#include "config/config.h"
#include "config/config_fields.h"
#include "config/directive_setters.h"
#include "config/directive_values.h"

const char* wsp_check_global(cmd_parms* cmd) {
    const char* const err = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    return err ? apr_pstrcat(cmd->pool, err,
                             "; it is for the whole server: write it outside all sections", NULL)
               : NULL;
}

static const char* store(cmd_parms* cmd, void* dir_config, int64_t value) {
    const wsp_field* field = cmd->info;
    char* base = dir_config;
    if (field->scope == WSP_SERVER_SCOPE) {
        const char* const err = wsp_check_global(cmd);
        if (err) {
            return err;
        }
        base = ap_get_module_config(cmd->server->module_config, &proxy_websocket_module);
    }
    *(int64_t*)(void*)(base + field->offset) = value;
    return NULL;
}

/* Stores which of `count` words `arg` is, from 0. An error message lists them as `choice`. */
static const char* set_word(cmd_parms* cmd, void* dir_config, const char* arg,
                            const char* const* words, int count, const char* choice) {
    int i;
    for (i = 0; i < count; ++i) {
        if (!ap_cstr_casecmp(arg, words[i])) {
            return store(cmd, dir_config, i);
        }
    }
    return apr_psprintf(cmd->pool, "%s must be %s; it is \"%s\"", cmd->cmd->name, choice, arg);
}

const char* wsp_set_flag(cmd_parms* cmd, void* dir_config, const char* arg) {
    static const char* const words[] = {"off", "on"};
    return set_word(cmd, dir_config, arg, words, 2, "On or Off");
}

const char* wsp_set_validate(cmd_parms* cmd, void* dir_config, const char* arg) {
    static const char* const words[] = {"off", "frames", "full"};
    return set_word(cmd, dir_config, arg, words, 3, "Off, Frames or Full");
}

const char* wsp_set_member_down(cmd_parms* cmd, void* dir_config, const char* arg) {
    static const char* const words[] = {"keep", "drain"};
    return set_word(cmd, dir_config, arg, words, 2, "keep or drain");
}

const char* wsp_set_duration(cmd_parms* cmd, void* dir_config, const char* arg) {
    const wsp_field* field = cmd->info;
    int64_t value;
    const char* const err = wsp_parse_duration(cmd, NULL, arg, field->min, field->max, &value);
    return err ? err : store(cmd, dir_config, value);
}

static const char* set_number(cmd_parms* cmd, void* dir_config, const char* arg, int is_size) {
    const wsp_field* field = cmd->info;
    int64_t value;
    if (!wsp_parse_number(arg, is_size, &value)) {
        return apr_psprintf(cmd->pool, "%s must be a whole number%s; it is \"%s\"", cmd->cmd->name,
                            is_size ? " of bytes such as 65536, 64K or 1M" : "", arg);
    }
    if (value < field->min || value > field->max) {
        return apr_psprintf(
            cmd->pool, "%s must be from %" APR_INT64_T_FMT " to %" APR_INT64_T_FMT "; it is \"%s\"",
            cmd->cmd->name, field->min, field->max, arg);
    }
    return store(cmd, dir_config, value);
}

const char* wsp_set_size(cmd_parms* cmd, void* dir_config, const char* arg) {
    return set_number(cmd, dir_config, arg, 1);
}

const char* wsp_set_count(cmd_parms* cmd, void* dir_config, const char* arg) {
    return set_number(cmd, dir_config, arg, 0);
}

const char* wsp_set_drain_code(cmd_parms* cmd, void* dir_config, const char* arg) {
    if (strcmp(arg, "1001") && strcmp(arg, "1012")) {
        return apr_psprintf(cmd->pool, "%s must be 1001 or 1012; it is \"%s\"", cmd->cmd->name,
                            arg);
    }
    return set_number(cmd, dir_config, arg, 0);
}
