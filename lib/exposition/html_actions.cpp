// Forms without JavaScript: each is a POST to the page, which answers with the page.
#include <set>

#include "exposition/action_request.hpp"
#include "exposition/html_sections.hpp"

namespace wsp {
namespace {

// `id`: empty for a form that no button elsewhere belongs to.
void begin_form(HtmlWriter& html, const StatusReport& report, std::string_view id,
                OperatorAction action) {
    html.raw("<form method=\"post\"");
    if (!id.empty()) {
        html.raw(" id=\"").text(id).raw("\"");
    }
    html.raw(">");
    html.hidden("action", row_of(action).name);
    html.hidden("token", report.action_token);
}

void write_close_form(HtmlWriter& html, const StatusReport& report) {
    begin_form(html, report, "", OperatorAction::close);
    html.raw("<label>Close tunnels <select name=\"by\">");
    for (const auto& field : rows_of<TunnelField>()) {
        html.raw("<option value=\"").text(field.name).raw("\">").text(field.text).raw("</option>");
    }
    html.raw(
        "</select></label>\n<label><span class=\"unseen\">Which</span> <input name=\"value\" "
        "autocomplete=\"off\" spellcheck=\"false\"></label>\n"
        "<label>Code <input name=\"code\" inputmode=\"numeric\" size=\"4\" "
        "value=\"1000\"></label>\n"
        "<label>Reason <input name=\"reason\" maxlength=\"123\" autocomplete=\"off\"></label>\n"
        "<label>Within <input name=\"spread\" size=\"5\" value=\"0s\"></label>\n"
        "<button>Close</button></form>\n");
}

void write_labels(HtmlWriter& html, std::string_view name, std::string_view title,
                  const std::set<std::string>& labels) {
    html.raw("<label>").text(title).raw(" <select name=\"").text(name);
    html.raw("\"><option value=\"\">any</option>");
    for (const std::string& label : labels) {
        html.raw("<option>").text(label).raw("</option>");
    }
    html.raw("</select></label>\n");
}

void write_pause_form(HtmlWriter& html, const StatusReport& report) {
    std::set<std::string> vhosts;
    std::set<std::string> backends;
    for (const SeriesSnapshot& series : report.snapshot.series) {
        vhosts.insert(series.vhost);
        backends.insert(series.backend);
    }
    begin_form(html, report, "", OperatorAction::pause);
    write_labels(html, "vhost", "Pause new tunnels of virtual host", vhosts);
    write_labels(html, "backend", "backend", backends);
    html.raw("<button>Pause</button></form>\n");
}

void write_resume_forms(HtmlWriter& html, const StatusReport& report) {
    for (const PauseTable::Pause& pause : report.pauses) {
        begin_form(html, report, "", OperatorAction::resume);
        html.hidden("vhost", pause.vhost);
        html.hidden("backend", pause.backend);
        html.raw("<p>New tunnels are paused: ").text(pause.vhost);
        html.text(pause.vhost.empty() || pause.backend.empty() ? "" : ", ").text(pause.backend);
        html.raw(" <button>Resume</button></p></form>\n");
    }
}

}  // namespace

void write_actions(HtmlWriter& html, const StatusReport& report) {
    if (!report.acts) {
        return;
    }
    html.raw("<section id=\"act\" aria-labelledby=\"act-title\">\n<h2 id=\"act-title\">Act</h2>\n");
    begin_form(html, report, "close-one", OperatorAction::close);
    html.raw("</form>\n");
    write_close_form(html, report);
    write_pause_form(html, report);
    write_resume_forms(html, report);
    html.raw("</section>\n");
}

}  // namespace wsp
