// mod_log_config's own way to be given another writer.
#include "log/log_config_writer.hpp"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <string>
#include <vector>

#include "base/signal_safe_lock.hpp"
#include "httpd/boundary.hpp"
#include "httpd/config_tree.hpp"
#include "mod_log_config.h"

namespace wsp {
namespace {

struct PipedLog {
    void* handle;  // the writer's business
    const char* program;
};

// Written in open_logs and child_init by the main thread, only read afterwards.
std::vector<PipedLog> piped_logs;
ap_log_writer_init* open_log_of_others = nullptr;
ap_log_writer* writer_of_others = nullptr;
int generation = 0;  // of this child
bool buffers_lines = false;
bool needs_lock = false;

std::mutex writing;  // into the buffers that httpd has no lock for

bool are_lines_buffered() {
    const ap_directive_t* const on = find_directive(ap_conftree, [](const ap_directive_t* line) {
        return strcasecmp(line->directive, "BufferedLogs") == 0 && line->args != nullptr &&
               strcasecmp(line->args, "on") == 0;
    });
    return on != nullptr;
}

extern "C" void* open_log(apr_pool_t* pool, server_rec* server, const char* name) {
    void* const handle = open_log_of_others(pool, server, name);
    if (handle != nullptr && *name == '|') {
        guarded_or(0, [&] { return piped_logs.push_back({handle, name}), 0; });
    }
    return handle;
}

const char* program_behind(const void* handle) {
    const auto found = std::find_if(piped_logs.begin(), piped_logs.end(),
                                    [handle](const PipedLog& log) { return log.handle == handle; });
    return found != piped_logs.end() ? found->program : nullptr;
}

// httpd counts its generation up before it ends the programs (event.c and its like at the end of the MPM's run).
bool httpd_was_restarted() {
    const global_score* const shared = ap_get_scoreboard_global();
    return shared != nullptr && shared->running_generation != generation;
}

bool is_of_tunnel(const request_rec* r) {
    return apr_table_get(r->notes, "ws-close-code") != nullptr;
}

void log_to_error_log(const request_rec* r, const char* program, const char** parts,
                      const int* sizes, int count) {
    std::string line;
    for (int i = 0; i < count; ++i) {
        line.append(parts[i], static_cast<std::size_t>(sizes[i]));
    }
    line.resize(line.find_last_not_of('\n') + 1);
    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, r->server,
                 "WSP0205: a tunnel has outlived the restart that ended the access log's program "
                 "\"%s\"; its line: %s",
                 program, line.c_str());
}

extern "C" apr_status_t write_line(request_rec* r, void* handle, const char** parts, int* sizes,
                                   int count, apr_size_t size) {
    const char* const program = program_behind(handle);
    if (program != nullptr && is_of_tunnel(r) && httpd_was_restarted()) {
        return guarded_or(APR_ENOMEM, [&] {
            return log_to_error_log(r, program, parts, sizes, count), APR_SUCCESS;
        });
    }
    if (!needs_lock) {
        return writer_of_others(r, handle, parts, sizes, count, size);
    }
    const SignalSafeLock lock(writing);
    return writer_of_others(r, handle, parts, sizes, count, size);
}

}  // namespace

void watch_opening_logs() {
    piped_logs.clear();
    if (auto* const set_opener = APR_RETRIEVE_OPTIONAL_FN(ap_log_set_writer_init)) {
        open_log_of_others = set_opener(open_log);
    }
}

void end_of_opening_logs() {
    buffers_lines = are_lines_buffered();
    auto* const set_opener = APR_RETRIEVE_OPTIONAL_FN(ap_log_set_writer_init);
    if (set_opener == nullptr || open_log_of_others == nullptr) {
        return;
    }
    ap_log_writer_init* const current = set_opener(open_log_of_others);
    if (current != open_log) {
        set_opener(current);  // somebody has come after us
    }
}

void wrap_log_config_writer() {
    int threads = AP_MPMQ_NOT_SUPPORTED;
    ap_mpm_query(AP_MPMQ_IS_THREADED, &threads);
    needs_lock = threads == AP_MPMQ_NOT_SUPPORTED && buffers_lines;
    ap_mpm_query(AP_MPMQ_GENERATION, &generation);
    if (auto* const set_writer = APR_RETRIEVE_OPTIONAL_FN(ap_log_set_writer)) {
        writer_of_others = set_writer(write_line);
    }
}

}  // namespace wsp
