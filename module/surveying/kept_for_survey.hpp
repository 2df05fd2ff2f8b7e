// The page through which the processes of this server ask each other about tunnels. The parent process makes it, with
// the descriptor that wakes all loops, and keeps it across restarts. Another build of the module has a page of its own:
// so nobody reads what another version has written, and tunnels that an old version still holds are neither listed nor
// closed.
#pragma once

#include "httpd/httpd.hpp"
#include "survey/survey_page.hpp"

namespace wsp {

// post_config, main thread. Without memory or descriptors nobody can ask, and the log says so.
void prepare_survey(const server_rec* main_server);

// The parent's, or in a child what it has inherited. Null: there is none.
SurveyPage* survey_page(const server_rec* server);

// child_status: a child process is gone, whatever has ended it. The parent's main thread.
void forget_in_survey(const server_rec* server, pid_t child);

}  // namespace wsp
