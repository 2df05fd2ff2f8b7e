// Makes the page, once for each server and build.
#include "surveying/kept_for_survey.hpp"

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <string>

#include "base/unique_fd.hpp"
#include "base/wake_fd.hpp"
#include "httpd/kept_memory.hpp"
#include "moving/image_build.hpp"

namespace wsp {
namespace {

std::string key_of_page() {
    return "mod_proxy_websocket:survey:" + std::to_string(SurveyPage::kLayout) + ":" +
           std::to_string(image_build());
}

}  // namespace

void prepare_survey(const server_rec* main_server) {
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG ||
        survey_page(main_server) != nullptr) {
        return;  // httpd reads its configuration twice when it starts
    }
    WakeFd wakes;
    apr_status_t error = APR_SUCCESS;
    void* const memory = wakes.open() ? make_kept_memory(main_server, key_of_page().c_str(),
                                                         sizeof(SurveyPage), error)
                                      : nullptr;
    if (memory == nullptr) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, error != APR_SUCCESS ? error : errno, main_server,
                     "WSP0193: open tunnels can neither be listed nor closed one by one: no memory "
                     "or descriptor is left for it");
        return;
    }
    SurveyPage::in(memory).set_wake_fd(wakes.release());
}

SurveyPage* survey_page(const server_rec* server) {
    void* const memory = kept_memory(server, key_of_page().c_str());
    return memory != nullptr ? &SurveyPage::in(memory) : nullptr;
}

void forget_in_survey(const server_rec* server, pid_t child) {
    if (SurveyPage* const page = survey_page(server)) {
        page->forget(child);
    }
}

}  // namespace wsp
