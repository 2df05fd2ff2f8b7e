// Reads what is asked for, collects it, and lets lib write it.
#include "status/status_handler.hpp"

#include <optional>

#include "exposition/csv.hpp"
#include "exposition/html_page.hpp"
#include "exposition/json.hpp"
#include "exposition/page_request.hpp"
#include "exposition/prometheus.hpp"
#include "status/action_token.hpp"
#include "status/actions.hpp"
#include "status/cell_words.hpp"
#include "status/page_assets.hpp"
#include "status/responses.hpp"

namespace wsp {
namespace {

constexpr const char* kHandler = "websocket-status";

// Everything comes from the page's own address, nothing stands in the page itself, and no other site may frame it.
constexpr const char* kContentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

void set_headers(request_rec* r) {
    apr_table_setn(r->err_headers_out, "Content-Security-Policy", kContentSecurityPolicy);
    apr_table_setn(r->err_headers_out, "X-Content-Type-Options", "nosniff");
    apr_table_setn(r->err_headers_out, "Referrer-Policy", "same-origin");
    apr_table_setn(r->err_headers_out, "Cache-Control", "no-store");
}

// A request for the page, and what answers it.
struct Asked {
    request_rec* r;
    StatusSource& source;
    const char* version;
    PageRequest what;
};

// The page names its files together with their version, so a browser may keep them.
int send_asset(request_rec* r, std::string_view name) {
    const std::optional<PageAsset> asset = value_named<PageAsset>(name);
    if (!asset) {
        return send_error(r, HTTP_NOT_FOUND, "The page has no file of this name.");
    }
    const std::string version = version_of(*asset);
    apr_table_setn(r->headers_out, "ETag", apr_psprintf(r->pool, "\"%s\"", version.c_str()));
    apr_table_setn(r->err_headers_out, "Cache-Control", "private, max-age=31536000, immutable");
    const int condition = ap_meets_conditions(r);
    return condition != OK ? condition
                           : send(r, row_of(*asset).content_type, row_of(*asset).content);
}

StatusReport collect(const Asked& by, bool with_rows) {
    StatusReport report;
    SurveyOutcome outcome;
    if (with_rows) {
        RowsAnswer answer = by.source.rows();
        report.rows = std::move(answer.rows);
        report.left_out = answer.left_out;
        outcome = answer;
    } else {
        outcome = by.source.flush();
    }
    report.asked = outcome.asked;
    report.silent = outcome.silent;
    report.snapshot = by.source.snapshot();
    // Not the Host that the client has sent: the page is about the server.
    report.server_name = by.r->server->server_hostname;
    report.version = by.version;
    report.describe = words_of_cell;
    if (const PauseTable* const pauses = by.source.pauses()) {
        report.pauses = pauses->list();
    }
    report.acts = are_actions_on(by.r);
    report.action_token = report.acts ? action_token_for(by.r) : std::string();
    return report;
}

int send_json(const Asked& by) {
    const StatusReport report = collect(by, by.what.wants_rows);
    const RowPage page = select_rows(report.rows, by.what.rows);
    return send(by.r, "application/json",
                as_json(report, by.what.rows, by.what.wants_rows ? &page : nullptr));
}

int send_csv(const Asked& by) {
    apr_table_setn(by.r->headers_out, "Content-Disposition",
                   "attachment; filename=\"websocket-tunnels.csv\"");
    return send(by.r, "text/csv; charset=utf-8; header=present",
                rows_as_csv(by.source.rows().rows));
}

int send_prometheus(const Asked& by) {
    const char* const accept = apr_table_get(by.r->headers_in, "Accept");
    const PrometheusFormat format = choose_format(accept != nullptr ? accept : "");
    apr_table_mergen(by.r->headers_out, "Vary", "Accept");
    return send(by.r, content_type_of(format), as_prometheus(collect(by, false), format));
}

int send_page(const Asked& by) {
    const StatusReport report = collect(by, by.what.wants_rows);
    const PageFiles files{version_of(PageAsset::stylesheet), version_of(PageAsset::script),
                          version_of(PageAsset::icon)};
    return send(by.r, "text/html; charset=utf-8", as_html(report, by.what, files));
}

int answer(const Asked& by) {
    if (!by.what.asset.empty()) {
        return send_asset(by.r, by.what.asset);
    }
    if (!by.what.error.empty()) {
        return send_error(by.r, HTTP_BAD_REQUEST, by.what.error);
    }
    switch (by.what.format) {
        case PageFormat::json:
            return send_json(by);
        case PageFormat::csv:
            return send_csv(by);
        case PageFormat::prometheus:
            return send_prometheus(by);
        case PageFormat::html:
            break;
    }
    return send_page(by);
}

}  // namespace

int handle_status(request_rec* r, StatusSource* source, const char* version) {
    if (r->handler == nullptr || std::strcmp(r->handler, kHandler) != 0) {
        return DECLINED;
    }
    ap_allow_standard_methods(r, MERGE_ALLOW, M_GET, M_POST, -1);
    if (r->method_number != M_GET && r->method_number != M_POST) {
        return HTTP_METHOD_NOT_ALLOWED;
    }
    set_headers(r);
    if (source == nullptr) {
        return send_error(r, HTTP_SERVICE_UNAVAILABLE,
                          "This child process had no memory for statistics when it began.");
    }
    if (r->method_number == M_POST) {
        return handle_action(r, *source);
    }
    return answer({r, *source, version, parse_page_request(r->args != nullptr ? r->args : "")});
}

}  // namespace wsp
