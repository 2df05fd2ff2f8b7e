// The socket of a connection to a backend: its address as the connect race takes it, the options that mod_proxy sets,
// and its way into httpd's structures.
#pragma once

#include "base/unique_fd.hpp"
#include "net/connect_race.hpp"
#include "pool/connect_fault.hpp"
#include "upstream/backend.hpp"

namespace wsp {

ConnectAddress address_of(const apr_sockaddr_t& from);
// Of a Unix socket.
ConnectAddress address_of_path(const char* path);

// RaceRules::prepare. Sets what mod_proxy sets on a socket before it connects (proxy_util.c ap_proxy_connect_backend).
// `backend` is a Backend. False with errno when ProxySourceAddress cannot be bound to.
bool prepare_socket(int fd, const ConnectAddress& to, void* backend);

// Makes the connected socket the record's. `remote`: the address, or null for a Unix socket.
void adopt_socket(const Backend& backend, proxy_conn_rec& record, UniqueFd fd,
                  apr_sockaddr_t* remote);

// What an errno of connect(2) means.
ConnectFault fault_of_errno(int error);

}  // namespace wsp
