// Uses mod_log_config's own functions to replace its writer.
#include "log/log_config_writer.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include "base/signal_safe_lock.hpp"
#include "httpd/boundary.hpp"
#include "httpd/config_tree.hpp"
#include "httpd/mpm_query.hpp"

namespace wsp {
namespace {

bool are_lines_buffered() {
    const ap_directive_t* const on = find_directive(ap_conftree, [](const ap_directive_t* line) {
        return strcasecmp(line->directive, "BufferedLogs") == 0 && line->args != nullptr &&
               strcasecmp(line->args, "on") == 0;
    });
    return on != nullptr;
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
    ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r,
                  "WSP0205: a tunnel has outlived the restart that ended the access log's program "
                  "\"%s\"; its line: %s",
                  program, line.c_str());
}

}  // namespace

void LogConfigWriter::watch_opening_logs(ap_log_writer_init* open_log) {
    if (auto* const set_opener = APR_RETRIEVE_OPTIONAL_FN(ap_log_set_writer_init)) {
        original_open_ = set_opener(open_log);
    }
}

void* LogConfigWriter::open(apr_pool_t* pool, server_rec* server, const char* name) {
    void* const handle = original_open_(pool, server, name);
    if (handle != nullptr && *name == '|') {
        guarded_or(0, [&] { return piped_logs_.push_back({handle, name}), 0; });
    }
    return handle;
}

void LogConfigWriter::end_of_opening_logs(ap_log_writer_init* open_log) {
    buffers_lines_ = are_lines_buffered();
    auto* const set_opener = APR_RETRIEVE_OPTIONAL_FN(ap_log_set_writer_init);
    if (set_opener == nullptr || original_open_ == nullptr) {
        return;
    }
    ap_log_writer_init* const current = set_opener(original_open_);
    if (current != open_log) {
        set_opener(current);  // another module has replaced ours
    }
}

void LogConfigWriter::stand_in(ap_log_writer* write_line) {
    needs_lock_ = !is_threaded_mpm() && buffers_lines_;
    ap_mpm_query(AP_MPMQ_GENERATION, &generation_);
    if (auto* const set_writer = APR_RETRIEVE_OPTIONAL_FN(ap_log_set_writer)) {
        original_writer_ = set_writer(write_line);
    }
}

const char* LogConfigWriter::program_behind(const void* handle) const {
    const auto found = std::find_if(piped_logs_.begin(), piped_logs_.end(),
                                    [handle](const PipedLog& log) { return log.handle == handle; });
    return found != piped_logs_.end() ? found->program : nullptr;
}

// httpd counts its generation up before it ends the programs (event.c, worker.c and prefork.c at the end of the MPM's
// run).
bool LogConfigWriter::httpd_was_restarted() const {
    const global_score* const shared = ap_get_scoreboard_global();
    return shared != nullptr && shared->running_generation != generation_;
}

apr_status_t LogConfigWriter::write(request_rec* r, void* handle, const char** parts, int* sizes,
                                    int count, apr_size_t size) {
    const char* const program = program_behind(handle);
    if (program != nullptr && is_of_tunnel(r) && httpd_was_restarted()) {
        return guarded_or(APR_ENOMEM, [&] {
            return log_to_error_log(r, program, parts, sizes, count), APR_SUCCESS;
        });
    }
    if (!needs_lock_) {
        return original_writer_(r, handle, parts, sizes, count, size);
    }
    const SignalSafeLock lock(writing_);
    return original_writer_(r, handle, parts, sizes, count, size);
}

}  // namespace wsp
