"""What the log says of tunnels whose TLS side leaves OpenSSL, and of those that stay."""

_LEFT, _STAYED = "WSP0160:", "WSP0161:"   # one of them for each TLS side of a tunnel, at debug

LOG_LINE = "LogLevel proxy_websocket:debug"


def await_left(server, sides=1):
    """So many sides of this test's tunnels have left."""
    server.error_log.wait_for(_LEFT, sides)


def await_stayed(server, reason, sides=1):
    """So many stay, for a reason that matches."""
    server.error_log.wait_for(f"{_STAYED}.*{reason}", sides)


def left(server):
    return len(server.error_log.lines(_LEFT))
