/* Makes, merges and resolves the structs of config.h, with loops over the table of their fields. */
#include "config/config.h"

#include "apr_strings.h"
#include "config/config_fields.h"
#include "mod_proxy.h"

const wsp_field wsp_fields[WSP_FIELDS] = {
#define WSP_DIR_FIELD(field, def, min, max) \
    {WSP_DIR_SCOPE, offsetof(wsp_dir_config, field), def, min, max},
#define WSP_SERVER_FIELD(field, def, min, max) \
    {WSP_SERVER_SCOPE, offsetof(wsp_server_config, field), def, min, max},
#include "config/directives.def"
};

/* A field that stands in a struct and in no row would be neither merged nor resolved. So each struct is exactly as
 * large as its rows and its pointers. */
struct dir_config_of_rows {
    int64_t fields[0
#define WSP_DIR_FIELD(field, def, min, max) +1
#include "config/directives.def"
    ];
    void* pointers[2];
};
struct server_config_of_rows {
    int64_t fields[0
#define WSP_SERVER_FIELD(field, def, min, max) +1
#include "config/directives.def"
    ];
    void* pointers[5];
};
_Static_assert(sizeof(wsp_dir_config) == sizeof(struct dir_config_of_rows),
               "a field of wsp_dir_config has no row in directives.def");
_Static_assert(sizeof(wsp_server_config) == sizeof(struct server_config_of_rows),
               "a field of wsp_server_config has no row in directives.def");

const ap_expr_info_t wsp_no_tag;

static int64_t* value_of(const wsp_field* field, void* config) {
    return (int64_t*)(void*)((char*)config + field->offset);
}

static void unset_fields(wsp_scope scope, void* config) {
    int i;
    for (i = 0; i < WSP_FIELDS; ++i) {
        if (wsp_fields[i].scope == scope) {
            *value_of(&wsp_fields[i], config) = WSP_UNSET;
        }
    }
}

/* Fills each unset field of `config` from `outer`, or with its default where `outer` is NULL. */
static void fill_unset_fields(wsp_scope scope, void* config, void* outer) {
    int i;
    for (i = 0; i < WSP_FIELDS; ++i) {
        const wsp_field* const field = &wsp_fields[i];
        if (field->scope == scope && *value_of(field, config) == WSP_UNSET) {
            *value_of(field, config) = outer ? *value_of(field, outer) : field->def;
        }
    }
}

void* wsp_create_dir_config(apr_pool_t* pool, char* dir) {
    wsp_dir_config* const config = apr_pcalloc(pool, sizeof *config);
    (void)dir;
    unset_fields(WSP_DIR_SCOPE, config);
    return config;
}

void* wsp_merge_dir_config(apr_pool_t* pool, void* outer, void* inner) {
    wsp_dir_config* const merged = apr_pmemdup(pool, inner, sizeof *merged);
    fill_unset_fields(WSP_DIR_SCOPE, merged, outer);
    if (!merged->mapping) {
        merged->mapping = ((const wsp_dir_config*)outer)->mapping;
    }
    if (!merged->tag) {
        merged->tag = ((const wsp_dir_config*)outer)->tag;
    }
    return merged;
}

wsp_dir_config wsp_dir_config_resolved(const wsp_dir_config* config) {
    wsp_dir_config resolved = *config;
    fill_unset_fields(WSP_DIR_SCOPE, &resolved, NULL);
    return resolved;
}

void* wsp_create_server_config(apr_pool_t* pool, server_rec* server) {
    wsp_server_config* const config = apr_pcalloc(pool, sizeof *config);
    (void)server;
    unset_fields(WSP_SERVER_SCOPE, config);
    config->mappings = apr_array_make(pool, 2, sizeof(struct proxy_alias));
    return config;
}

void* wsp_merge_server_config(apr_pool_t* pool, void* outer, void* inner) {
    const wsp_server_config* const outer_config = outer;
    wsp_server_config* const merged = apr_pmemdup(pool, inner, sizeof *merged);
    fill_unset_fields(WSP_SERVER_SCOPE, merged, outer);
    merged->mappings = apr_array_append(pool, merged->mappings, outer_config->mappings);
    return merged;
}

wsp_server_config wsp_server_config_resolved(const wsp_server_config* config) {
    wsp_server_config resolved = *config;
    fill_unset_fields(WSP_SERVER_SCOPE, &resolved, NULL);
    return resolved;
}
