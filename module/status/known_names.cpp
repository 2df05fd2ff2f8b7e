// Collects the labels of the configuration and of the statistics.
#include "status/known_names.hpp"

#include <algorithm>
#include <set>

#include "httpd/proxy_workers.hpp"
#include "httpd/series_labels.hpp"
#include "metrics/series_names.hpp"

namespace wsp {
namespace {

using Labels = std::set<std::string>;
using Names = bool (*)(std::string_view, std::string_view) noexcept;

std::string complaint(const char* what, const std::string& asked, const Labels& labels,
                      Names names) {
    constexpr std::size_t kMostShown = 20;
    const bool known =
        asked.empty() || std::any_of(labels.begin(), labels.end(),
                                     [&](const std::string& label) { return names(asked, label); });
    if (known) {
        return {};
    }
    std::string sentence = std::string("No ") + what + " is called \"" + asked + "\"; there are ";
    std::size_t shown = 0;
    for (const std::string& label : labels) {
        sentence.append(shown == 0 ? "" : ", ").append(label);
        if (++shown == kMostShown) {
            break;
        }
    }
    return sentence + (shown < labels.size() ? ", and more." : ".");
}

}  // namespace

std::string unknown_name(const server_rec* main_server, const ServerSnapshot& statistics,
                         const std::string& vhost, const std::string& backend) {
    Labels vhosts;
    Labels backends;
    for (const SeriesSnapshot& series : statistics.series) {
        vhosts.insert(series.vhost);
        backends.insert(series.backend);
    }
    for (const server_rec* server = main_server; server != nullptr; server = server->next) {
        vhosts.insert(label_of(*server));
        each_worker_of(server, [&](proxy_worker* worker) { backends.insert(label_of(*worker)); });
    }
    const std::string sentence = complaint("virtual host", vhost, vhosts, names_vhost);
    return sentence.empty() ? complaint("backend", backend, backends, names_backend) : sentence;
}

}  // namespace wsp
