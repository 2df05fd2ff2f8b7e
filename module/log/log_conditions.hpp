// Conditions of access logs (CustomLog ... "expr=...") for tunnels. mod_log_config judges them when the tunnel has
// ended, on a copy of its request. httpd's expressions ask more of a request than a copy can tell: its connection and
// TLS, the private data of other modules, even subrequests. So a condition is asked in two parts. Variables, and
// functions that may look at more than the copied fields, are asked at the handoff, while the request is whole; the
// copy repeats their answers. The request's tables, with the notes about the tunnel's end, and the time are asked when
// the tunnel has ended.
#pragma once

#include <vector>

#include "ap_expr.h"
#include "httpd/httpd.hpp"

namespace wsp {

class LogNeeds;
struct WrappedFunction;

// pre_config: lets functions of expressions be wrapped if an access log has a condition. Main thread.
void expect_log_conditions();

// All conditions of a configuration. Refers to what is in the configuration's pool. The main thread learns them; any
// thread may ask afterwards.
class LogConditions {
  public:
    struct Question {
        const WrappedFunction* wrapped;
        const char* argument;  // null: a variable
    };
    struct Condition {
        const server_rec* server = nullptr;  // null: any
        ap_expr_info_t* parsed = nullptr;
        std::vector<Question> questions;
        // It has functions whose arguments are known only when it is judged.
        bool open = false;
    };

    // post_config: learns which questions to ask at the handoff, and tells `needs` which tables of a request to keep.
    // Main thread.
    void learn(apr_pool_t* pconf, apr_pool_t* ptemp, const server_rec* main_server,
               LogNeeds& needs);

    // Asks everything that conditions may ask about this request's tunnel. Returns null if there are no conditions.
    // Request thread; may take as long as subrequests do.
    apr_table_t* answers_for(request_rec* r) const;

  private:
    std::vector<Condition> conditions_;
};

// Lets a copied request answer. The thread that owns the copy.
void give_answers(request_rec* copy, const apr_table_t* answers);

}  // namespace wsp
