// A number that grows on pump threads and is taken by request threads.
#include "log/served_bytes.hpp"

#include <atomic>

// mod_logio's: what httpd counts then are the bytes both ways, as they are on the wire (scoreboard.c ap_increment_counts).
APR_DECLARE_OPTIONAL_FN(apr_off_t, ap_logio_get_last_bytes, (conn_rec * c));

namespace wsp {
namespace {

bool both_ways = false;  // set in child_init
std::atomic<apr_off_t> waiting{0};

}  // namespace

void learn_what_is_served() {
    both_ways = APR_RETRIEVE_OPTIONAL_FN(ap_logio_get_last_bytes) != nullptr;
}

void note_served_bytes(const TunnelReport& report) noexcept {
    const std::uint64_t bytes =
        report.client.wire_bytes_written + (both_ways ? report.client.wire_bytes_read : 0);
    waiting.fetch_add(static_cast<apr_off_t>(bytes), std::memory_order_relaxed);
}

void book_served_bytes(const request_rec* r) noexcept {
    // An HTTP/2 stream has no slot, and its thread is not httpd's.
    if (ap_extended_status == 0 || waiting.load(std::memory_order_relaxed) == 0 ||
        r->connection->sbh == nullptr || r->connection->master != nullptr) {
        return;
    }
    auto* const handle = static_cast<ap_sb_handle_t*>(r->connection->sbh);
    if (worker_score* const slot = ap_get_scoreboard_worker(handle)) {
        const apr_off_t bytes = waiting.exchange(0, std::memory_order_relaxed);
        slot->bytes_served += bytes;
        slot->my_bytes_served += bytes;
    }
}

}  // namespace wsp
