// What this folder keeps with a configuration: all that is learned from it about logs, and what must be counted. Made
// in open_logs, in the configuration's pool; each server's wsp_server_config points to it. The main thread writes it
// until child_init is over. From then on each child process has its own copy, and its threads only read it, but for
// what guards itself.
#pragma once

#include "base/log_needs.hpp"
#include "httpd/httpd.hpp"
#include "log/log_conditions.hpp"
#include "log/log_config_writer.hpp"
#include "log/served_bytes.hpp"

namespace wsp {

struct LogContext {
    // What the formats and conditions of access logs ask for, and ErrorLogFormat.
    LogNeeds needs;
    // What ErrorLogFormat alone asks for.
    LogNeeds error_log_needs;
    LogConditions conditions;
    LogConfigWriter writer;
    // See logio_counters.hpp.
    bool logio_layout_holds = false;
    ServedBytes served_bytes;
};

// open_logs, before mod_log_config's: makes the context of this configuration. Main thread.
void make_log_context(apr_pool_t* pconf, server_rec* main_server);

// post_config: learns from the LogFormat, CustomLog, TransferLog, GlobalLog and ErrorLogFormat lines which headers,
// notes and variables a record must keep. Main thread.
void learn_log_formats(apr_pool_t* pconf, apr_pool_t* ptemp, const server_rec* main_server);

// child_init. Main thread.
void begin_logs_of_child(apr_pool_t* pchild, server_rec* main_server);

// Any thread, from open_logs on.
LogContext& log_context_of(const server_rec* server);

}  // namespace wsp
