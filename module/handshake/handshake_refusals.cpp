// The line of a refusal from its table row, and what only this handshake knows about it.
#include "handshake/handshake_refusals.hpp"

#include "handshake/refusal_hints.hpp"
#include "upstream/retry_after.hpp"
#include "upstream/worker_state.hpp"

namespace wsp {
namespace {

constexpr std::string_view kPlaceholder = "{}";

// The row's text with `what` in place of the placeholder.
const char* text_with(apr_pool_t* pool, std::string_view text, const char* what) {
    const std::size_t place = text.find(kPlaceholder);
    if (place == std::string_view::npos) {
        return text.data();
    }
    return apr_psprintf(pool, "%.*s%s%s", static_cast<int>(place), text.data(), what,
                        text.data() + place + kPlaceholder.size());
}

// A redirect, or a question for credentials.
bool is_everyday_answer(int status) {
    return status < 400 || status == HTTP_UNAUTHORIZED ||
           status == HTTP_PROXY_AUTHENTICATION_REQUIRED;
}

}  // namespace

int refuse(request_rec* r, const char* url, LogRateLimit& gate, const RefusalRow& row,
           const RefusalDetails& details) {
    const int status = row.http_status != 0 ? row.http_status : details.status;
    if (status == HTTP_GATEWAY_TIME_OUT) {
        apr_table_setn(r->notes, "proxy_timedout", "1");  // for a balancer's failontimeout
    }
    const char* const hint = details.hint != nullptr ? details.hint : row.hint.data();
    const char* const line =
        apr_psprintf(r->pool, "%s: handshake refused with %d: %s; %s%s%s", row.number.data(),
                     status, text_with(r->pool, row.text, details.what), name_of_request(r, url),
                     *hint != '\0' ? "; hint: " : "", hint);
    const int level = httpd_level(row.level);
    if (level <= APLOG_WARNING) {
        warn(r, gate, line, {level});
    } else {
        ap_log_rerror(APLOG_MARK, level, 0, r, "%s", line);
    }
    return status;
}

int Refusals::refuse_for_now(RefusalCause why, const RefusalDetails& details) const {
    note_full_worker(r_, worker_);
    set_retry_soon(r_);
    return refuse(why, details);
}

// Which backend was connected to, or was to be.
const char* Refusals::name_of_backend() const {
    const proxy_conn_rec& record = *connector_.record();
    if (record.uds_path != nullptr) {
        return apr_psprintf(r_->pool, "on the Unix socket %s", record.uds_path);
    }
    if (const char* const proxy = route_.forward_proxy(r_->pool)) {
        return apr_psprintf(r_->pool, "%s:%d, by way of the forward proxy %s (ProxyRemote),",
                            route_.uri.hostname, static_cast<int>(route_.uri.port), proxy);
    }
    return apr_psprintf(r_->pool, "%s:%d", record.hostname, record.port);
}

// With a forward proxy mod_proxy looks that up, and not the backend.
const char* Refusals::name_looked_up() const {
    if (const char* const proxy = route_.forward_proxy(r_->pool)) {
        return apr_psprintf(r_->pool, "the forward proxy %s (ProxyRemote)", proxy);
    }
    return apr_psprintf(r_->pool, "the backend's name %s", route_.uri.hostname);
}

const char* Refusals::detail_of(BackendFault fault) const {
    if (row_of(fault).text.find(kPlaceholder) == std::string_view::npos) {
        return "";
    }
    return fault == BackendFault::no_address ? name_looked_up() : name_of_backend();
}

// Null: the row's hint.
const char* Refusals::hint_for(BackendFault fault) const {
    switch (fault) {
        case BackendFault::out_of_use:
            return hint_for_unusable_worker(r_, *worker_);
        case BackendFault::unreachable:
            return hint_for_connect(r_, connector_.connection());
        case BackendFault::no_tls:
            return hint_for_missing_tls(r_);
        case BackendFault::tls_failed:
        case BackendFault::tls_late:
            return hint_for_tls(r_, target_, connector_.connection());
        case BackendFault::closed:
            return hint_for_no_answer(r_, target_, connector_.connection(), true);
        case BackendFault::send_failed:
        case BackendFault::late:
        case BackendFault::too_large:
        case BackendFault::long_field:
        case BackendFault::not_http:
        case BackendFault::bad_line:
        case BackendFault::bad_octet:
            return hint_for_no_answer(r_, target_, connector_.connection(), false);
        default:
            return nullptr;
    }
}

// When to come again.
void Refusals::advise_client(BackendFault fault) const {
    switch (fault) {
        case BackendFault::out_of_use:
        case BackendFault::unreachable:
            set_retry_after(r_, worker_);
            break;
        case BackendFault::crowded:
            note_full_worker(r_, worker_);
            set_retry_soon(r_);
            break;
        default:
            break;
    }
}

int Refusals::refuse_for(BackendFault fault) const {
    advise_client(fault);
    return refuse(fault, {detail_of(fault), hint_for(fault), connector_.status()});
}

// A Host, Origin or path that the backend does not want is a matter of configuration, and worth a warning.
void Refusals::log_backends_refusal(int status) const {
    const char* const proxy = route_.forward_proxy(r_->pool);
    const char* const whose =
        proxy != nullptr
            ? apr_psprintf(r_->pool, ", or that of the forward proxy %s (ProxyRemote)", proxy)
            : "";
    refuse(
        is_everyday_answer(status) ? RefusalCause::everyday_answer : RefusalCause::backends_answer,
        {whose,
         hint_for_answer(r_, target_, connector_.connection(), route_.uri, route_.path, status),
         status});
}

}  // namespace wsp
