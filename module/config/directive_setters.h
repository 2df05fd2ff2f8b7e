/* One setter for each type of directive, and one for each directive with several words. A setter checks the value, and
 * stores it in httpd's configuration structs. It returns NULL, or an error message in cmd->pool that names the
 * directive, says what is allowed and repeats what the configuration says. Main thread, while the configuration is
 * read. */
#ifndef WSP_DIRECTIVE_SETTERS_H
#define WSP_DIRECTIVE_SETTERS_H

#include "httpd.h"

#include "http_config.h"

/* The only symbol that this shared object exports. */
extern module AP_MODULE_DECLARE_DATA proxy_websocket_module __attribute__((visibility("default")));

/* In directive_types.c, one for each type of WSP_DIRECTIVE. cmd->info is the field's row in config_fields.h. */
const char* wsp_set_flag(cmd_parms* cmd, void* dir_config, const char* arg);
const char* wsp_set_validate(cmd_parms* cmd, void* dir_config, const char* arg);
const char* wsp_set_member_down(cmd_parms* cmd, void* dir_config, const char* arg);
const char* wsp_set_duration(cmd_parms* cmd, void* dir_config, const char* arg);
const char* wsp_set_size(cmd_parms* cmd, void* dir_config, const char* arg);
const char* wsp_set_count(cmd_parms* cmd, void* dir_config, const char* arg);
const char* wsp_set_drain_code(cmd_parms* cmd, void* dir_config, const char* arg);

/* In directive_setters.c, one for each WSP_HANDLED, and for ProxyWebsocketTag. */
const char* wsp_set_ping(cmd_parms* cmd, void* dir_config, const char* first, const char* second,
                         const char* third);
const char* wsp_set_max_lifetime(cmd_parms* cmd, void* dir_config, const char* time,
                                 const char* jitter);
const char* wsp_set_close_code(cmd_parms* cmd, void* dir_config, int argc, char* const argv[]);
const char* wsp_set_max_blocking(cmd_parms* cmd, void* dir_config, const char* first,
                                 const char* second);
const char* wsp_set_max_message_size(cmd_parms* cmd, void* dir_config, const char* client,
                                     const char* backend);
const char* wsp_set_message_rate(cmd_parms* cmd, void* dir_config, const char* rate,
                                 const char* burst);
const char* wsp_set_tag(cmd_parms* cmd, void* dir_config, const char* args);
const char* wsp_set_pool(cmd_parms* cmd, void* dir_config, int argc, char* const argv[]);

/* Returns NULL outside all sections, where a directive for the whole server belongs; else an error message. */
const char* wsp_check_global(cmd_parms* cmd);

#endif
