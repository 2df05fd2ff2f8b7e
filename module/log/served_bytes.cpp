// Pump threads add to a number, and request threads take it.
#include "log/served_bytes.hpp"

// mod_logio's: what httpd counts then are the bytes both ways, as they are on the wire (scoreboard.c
// ap_increment_counts).
APR_DECLARE_OPTIONAL_FN(apr_off_t, ap_logio_get_last_bytes, (conn_rec * c));

namespace wsp {

void ServedBytes::learn_what_is_served() {
    both_ways_ = APR_RETRIEVE_OPTIONAL_FN(ap_logio_get_last_bytes) != nullptr;
}

void ServedBytes::note(const TunnelReport& report) noexcept {
    const std::uint64_t bytes =
        report.client.wire_bytes_written + (both_ways_ ? report.client.wire_bytes_read : 0);
    waiting_.fetch_add(static_cast<apr_off_t>(bytes), std::memory_order_relaxed);
}

void ServedBytes::book(const request_rec* r) noexcept {
    // An HTTP/2 stream has no slot, and its thread is not httpd's.
    if (ap_extended_status == 0 || waiting_.load(std::memory_order_relaxed) == 0 ||
        r->connection->sbh == nullptr || r->connection->master != nullptr) {
        return;
    }
    auto* const handle = static_cast<ap_sb_handle_t*>(r->connection->sbh);
    if (worker_score* const slot = ap_get_scoreboard_worker(handle)) {
        const apr_off_t bytes = waiting_.exchange(0, std::memory_order_relaxed);
        slot->bytes_served += bytes;
        slot->my_bytes_served += bytes;
    }
}

}  // namespace wsp
