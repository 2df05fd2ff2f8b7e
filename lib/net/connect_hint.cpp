// A table with one row for each errno that people meet.
#include "net/connect_hint.hpp"

#include <algorithm>
#include <cerrno>

namespace wsp {
namespace {

struct Row {
    int error;
    std::string_view of_address;
    std::string_view of_path;
};

constexpr std::string_view kForbidden =
    "this system forbids it: SELinux (\"setsebool -P httpd_can_network_connect on\" allows it), a "
    "local firewall, or a route";
constexpr std::string_view kLocked =
    "the user that httpd's child processes run as needs write permission for the socket and search "
    "permission for every folder above it; where those are right, see what SELinux says (ausearch "
    "-m avc)";

constexpr Row kRows[] = {
    {EACCES, kForbidden, kLocked},
    {EPERM, kForbidden, kLocked},
    {ECONNREFUSED,
     "nobody listens there: start the backend, or correct the host and port of the URL",
     "nobody listens on the socket any more: start the backend"},
    {ENOENT, "",
     "there is no such socket: start the backend, or correct the path (a service with "
     "PrivateTmp=yes has another /tmp)"},
    {ETIMEDOUT, "it does not answer: look for a firewall on the way", ""},
    {EHOSTUNREACH, "it cannot be reached: check the address, the network and firewalls", ""},
    {ENETUNREACH, "there is no route to its network", ""},
    {EADDRNOTAVAIL,
     "no local port is left, or ProxySourceAddress is none of this machine's addresses", ""},
    {EMFILE, "this process has no descriptor left: raise ulimit -n",
     "this process has no descriptor left: raise ulimit -n"},
    {EAGAIN, "", "the socket's queue of connections is full: the backend does not accept them"},
};

const Row* row_of(int error) {
    const Row* const row = std::find_if(std::begin(kRows), std::end(kRows),
                                        [error](const Row& each) { return each.error == error; });
    return row != std::end(kRows) ? row : nullptr;
}

}  // namespace

int more_telling_error(int one, int other) noexcept {
    const bool one_is_forbidden = one == EACCES || one == EPERM;
    return one_is_forbidden || other == 0 ? one : other;
}

std::string_view hint_for_connect_error(int error, bool is_unix) noexcept {
    const Row* const row = row_of(error);
    if (row == nullptr) {
        return {};
    }
    return is_unix ? row->of_path : row->of_address;
}

}  // namespace wsp
