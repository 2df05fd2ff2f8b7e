// mod_status asks for one of two forms.
#include "status/mod_status_section.hpp"

#include "exposition/brief.hpp"

namespace wsp {

int write_mod_status_section(request_rec* r, int flags, StatusSource* source) {
    if (source == nullptr) {
        return DECLINED;
    }
    source->flush();
    const ServerSnapshot snapshot = source->snapshot();
    const std::string text =
        (flags & AP_STATUS_SHORT) != 0 ? as_brief_lines(snapshot) : as_brief_html(snapshot);
    ap_rwrite(text.data(), static_cast<int>(text.size()), r);
    return OK;
}

}  // namespace wsp
