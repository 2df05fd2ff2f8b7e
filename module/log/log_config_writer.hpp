// Stands between mod_log_config and its writer (mod_log_config.h ap_log_writer), in every child, for two reasons:
//
// - A piped log. httpd ends the log's program at every restart, a graceful one too (server/log.c piped_log_cleanup). A
//   child of the older generation may have tunnels for hours after that, and would write into a broken pipe. The line
//   of such a tunnel goes to the error log instead.
// - BufferedLogs. All threads of a child write into one buffer, and mod_log_config makes a lock for it only with a
//   threaded MPM (mod_log_config.c init_child). With prefork we have threads as well, so the lock is here.
#pragma once

#include <mutex>
#include <vector>

#include "httpd/httpd.hpp"
#include "mod_log_config.h"

namespace wsp {

// Owned by LogContext. The main thread calls all functions but write().
class LogConfigWriter {
  public:
    // open_logs, before mod_log_config's: from here to end_of_opening_logs() mod_log_config calls `open_log` for each
    // log. That function must call open().
    void watch_opening_logs(ap_log_writer_init* open_log);
    void* open(apr_pool_t* pool, server_rec* server, const char* name);
    // post_config.
    void end_of_opening_logs(ap_log_writer_init* open_log);

    // child_init: from here on mod_log_config calls `write_line` for each line. That function must call write().
    void stand_in(ap_log_writer* write_line);
    // Any thread; blocks as long as the log does.
    apr_status_t write(request_rec* r, void* handle, const char** parts, int* sizes, int count,
                       apr_size_t size);

  private:
    struct PipedLog {
        void* handle;  // what the original writer knows the log by
        const char* program;
    };
    const char* program_behind(const void* handle) const;
    bool httpd_was_restarted() const;

    std::vector<PipedLog> piped_logs_;
    ap_log_writer_init* original_open_ = nullptr;
    ap_log_writer* original_writer_ = nullptr;
    int generation_ = 0;  // of this child
    bool buffers_lines_ = false;
    bool needs_lock_ = false;
    std::mutex writing_;  // into the buffers that mod_log_config has no lock for
};

}  // namespace wsp
