// Makes the channel and the page, once for each server, and publishes what a generation can take over.
#include "moving/kept_for_moves.hpp"

#include <fcntl.h>
#include <poll.h>

#include <cerrno>

#include "config/config.h"
#include "httpd/boundary.hpp"
#include "httpd/mpm_query.hpp"
#include "moving/image_build.hpp"
#include "net/descriptor_channel.hpp"
#include "upstream/worker_directory.hpp"

namespace wsp {
namespace {

static_assert(ServingPage::kLayout == 1, "the key names the layout");
constexpr char kKey[] = "mod_proxy_websocket:moves:1";

int duplicate_of(int fd) {
    return ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

// Null with errno.
const KeptForMoves* make_kept(apr_pool_t* pool) {
    DescriptorChannel channel;
    if (!channel.open()) {
        return nullptr;
    }
    UniqueFd writing(duplicate_of(channel.write_fd()));
    UniqueFd reading(duplicate_of(channel.read_fd()));
    ServingPage* const page = writing.valid() && reading.valid() ? ServingPage::make() : nullptr;
    if (page == nullptr) {
        return nullptr;
    }
    auto* const kept = static_cast<KeptForMoves*>(apr_palloc(pool, sizeof(KeptForMoves)));
    *kept = {page, writing.release(), reading.release()};
    apr_pool_userdata_set(kept, kKey, nullptr, pool);
    return kept;
}

wsp_server_config& config_of(const server_rec* server) {
    return *static_cast<wsp_server_config*>(
        ap_get_module_config(server->module_config, &proxy_websocket_module));
}

void publish(const KeptForMoves& kept, const WorkerDirectory& directory, server_rec* main_server) {
    const std::size_t left_out =
        kept.page->publish(mpm_setting(AP_MPMQ_GENERATION), image_build(), directory.names());
    if (left_out > 0) {
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, main_server,
                     "WSP0174: the configuration has more mappings than a table has room for: "
                     "tunnels of %" APR_SIZE_T_FMT " of them do not move to other child processes",
                     left_out);
    }
}

}  // namespace

const KeptForMoves* kept_for_moves(const server_rec* server) {
    void* kept = nullptr;
    apr_pool_userdata_get(&kept, kKey, server->process->pool);
    return static_cast<const KeptForMoves*>(kept);
}

void prepare_moves(apr_pool_t* pconf, server_rec* main_server) {
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG) {
        return;  // httpd reads its configuration twice when it starts
    }
    const KeptForMoves* kept = kept_for_moves(main_server);
    wsp_server_config& config = config_of(main_server);
    if (wsp_server_config_resolved(&config).migrate == 0) {
        if (kept != nullptr) {
            kept->page->publish(mpm_setting(AP_MPMQ_GENERATION), 0, {});
        }
        return;
    }
    if (kept == nullptr && (kept = make_kept(main_server->process->pool)) == nullptr) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, errno, main_server,
                     "WSP0173: tunnels cannot move to other child processes: no memory or "
                     "descriptor is left for it");
        return;
    }
    auto* const directory = make_in_pool<WorkerDirectory>(pconf, main_server);
    config.worker_directory = directory;
    if (image_build() == 0) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, main_server,
                     "WSP0176: tunnels do not move to other child processes: the module has no "
                     "build id; link it with --build-id");
    }
    publish(*kept, *directory, main_server);
}

bool nothing_under_way(const server_rec* server) {
    const KeptForMoves* const kept = kept_for_moves(server);
    pollfd asked{kept != nullptr ? kept->read_fd : -1, POLLIN, 0};
    return ::poll(&asked, 1, 0) == 0;
}

void forget_child(const server_rec* server, pid_t child) {
    if (const KeptForMoves* const kept = kept_for_moves(server)) {
        kept->page->forget(child);
    }
}

}  // namespace wsp
