// By what names statistics tell virtual hosts and backends apart, for people and for Prometheus. A name is made of the
// configuration alone, so it is the same in all processes, and strangers cannot make new ones. No name has credentials
// or a query. Main thread or any thread of a child; may throw bad_alloc.
#pragma once

#include <string>

#include "httpd/httpd.hpp"

namespace wsp {

// "www.example.com:443": the ServerName with its port, or that of <VirtualHost>. Where neither has one, that of all
// Listens, or no port where they differ: "www.example.com".
std::string label_of(const server_rec& server);

// "ws://127.0.0.1:8000/chat", "balancer://chat ws://127.0.0.1:8000", "unix:/run/chat.sock|ws://localhost". For a
// RewriteRule whose target is no configured worker "proxy:reverse", as in mod_proxy.
std::string label_of(const proxy_worker& worker);

// "balancer://chat"
std::string label_of(const proxy_balancer& balancer);

}  // namespace wsp
