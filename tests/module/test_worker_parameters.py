"""Parameters of workers, and directives of mod_proxy, that are about a backend's answer."""

import pytest

from harness import http1
from harness.client import finish_handshake

RUNS_ON = ["event"]   # what a request thread reads and writes


@pytest.fixture(scope="module")
def sites(start_shared, module_listener):
    """name -> what the server is asked with."""
    url = module_listener.url
    return start_shared(f"""
        ProxyPass /sized {url}/sized responsefieldsize=100 retry=0
        ProxyPass /large {url}/large responsefieldsize=200000 retry=0
        ProxyPass /plain {url}/plain retry=0
        """)


def answered(server, path, stage, answer):
    """The response to a handshake that the backend answers so; `answer` takes the request."""
    with server.start_handshake(path) as client, stage.accept() as session:
        session.send(answer(session.request))
        return client.read_response()


# --- responsefieldsize= ---

def with_field(line_length):
    """A 101 and a 403 with a field whose line is so long."""
    field = ("X", "y" * (line_length - 3))
    return (lambda request: http1.handshake_response(request, dict([field])),
            lambda _: http1.format_head("HTTP/1.1 403 Forbidden", [field, ("Content-Length", "0")]))


@pytest.mark.parametrize("path, longest", [("/sized", 99), ("/large", 199_999)])
def test_a_field_may_be_as_long_as_responsefieldsize_says(sites, stage, path, longest):
    """As in mod_proxy_http, whose buffer holds a NUL besides."""
    assert [answered(sites, path, stage, answer).status for answer in with_field(longest)] == [101, 403]
    sites.error_log.allow(r"WSP\d{4}: ")
    assert [answered(sites, path, stage, answer).status for answer in with_field(longest + 1)] == [502, 502]
    sites.error_log.wait_for("WSP0116: .*responsefieldsize=", 2)


def test_without_responsefieldsize_a_field_may_be_longer_than_8_kib(sites, stage):
    sites.error_log.allow(r"WSP\d{4}: ")
    assert [answered(sites, "/plain", stage, answer).status for answer in with_field(60_000)] == [101, 403]
