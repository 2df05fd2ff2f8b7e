/* The module record and the command table. This file is C because httpd's AP_INIT_* macros are, and httpd takes the
 * name for <IfModule mod_proxy_websocket.c> from it. */
#include "httpd.h"

#include "config/config.h"
#include "config/config_fields.h"
#include "config/directive_setters.h"
#include "hooks.h"

static const command_rec commands[] = {
#define WSP_DIRECTIVE(name, field, type, def, min, max, context, doc) \
    AP_INIT_TAKE1(name, wsp_set_##type, (void*)&wsp_fields[WSP_FIELD_##field], context, doc),
#define WSP_HANDLED(name, handler, how, syntax, def, context, doc) \
    AP_INIT_##how(name, handler, NULL, context, doc),
#define WSP_CUSTOM(name, handler, syntax, context, doc) \
    AP_INIT_RAW_ARGS(name, handler, NULL, context, doc),
#include "config/directives.def"
    {NULL, {NULL}, NULL, 0, RAW_ARGS, NULL}};

AP_DECLARE_MODULE(proxy_websocket) = {STANDARD20_MODULE_STUFF, wsp_create_dir_config,
                                      wsp_merge_dir_config,    wsp_create_server_config,
                                      wsp_merge_server_config, commands,
                                      wsp_register_hooks,      AP_MODULE_FLAG_NONE};
