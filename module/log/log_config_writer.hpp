// What stands between mod_log_config and the place that a line is written to, in every child:
//
// - A piped log's program is ended by httpd at every restart, a graceful one too (server/log.c piped_log_cleanup), while a
//   child of before may have tunnels for hours: it writes into a broken pipe. The line of a tunnel goes to the error log then.
// - BufferedLogs shares a buffer between all that writes in a child, and has a lock for it only where the MPM has threads
//   (mod_log_config.c init_child). We have one with prefork, too.
#pragma once

#include "httpd/httpd.hpp"

namespace wsp {

// open_logs, before mod_log_config's: from here to end_of_opening_logs() notes which logs are programs. Main thread.
void watch_opening_logs();
// post_config, or whenever open_logs is over.
void end_of_opening_logs();

// child_init: takes the writer's place. Main thread.
void wrap_log_config_writer();

}  // namespace wsp
