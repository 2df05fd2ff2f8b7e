// How loud a log line is, for tables of lib that say so. The module gives it to httpd.
#pragma once

namespace wsp {

// The numbers are those of syslog(3), which httpd uses too.
enum class LogLevel : int { error = 3, warning = 4, notice = 5, info = 6, debug = 7 };

}  // namespace wsp
