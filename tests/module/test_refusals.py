"""A backend may refuse a handshake: its answer reaches the client whole, and the connection stays usable."""

import pytest

from harness import http1
from harness.error_log import REFUSAL

RUNS_ON = ["event"]   # a request thread reads the backend's answer and hands it to httpd's filters


@pytest.fixture(scope="module")
def site(start_shared, module_listener):
    return start_shared(f"ProxyPass /ws {module_listener.url}/ retry=0")


def response_bytes(status, headers, body=b""):
    return http1.format_head(f"HTTP/1.1 {status}", headers) + body


REFUSALS = [
    ("401 Unauthorized", [("WWW-Authenticate", 'Basic realm="chat"'), ("Content-Type", "text/plain")], b"who are you?"),
    ("403 Forbidden", [("X-Reason", "origin"), ("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2; HttpOnly")], b"no"),
    ("404 Not Found", [("Content-Type", "text/html; charset=utf-8")], b"<p>gone</p>" * 5000),
    ("302 Found", [("Location", "https://login.example/?back=1")], b""),
    ("426 Upgrade Required", [("Sec-WebSocket-Version", "13, 8")], b"version"),
    ("429 Too Many Requests", [("Retry-After", "7")], b"later"),
    ("503 Service Unavailable", [("Retry-After", "30")], b"maintenance"),
]
IDS = [refusal[0].split()[0] for refusal in REFUSALS]


def refuse(site, stage, answer):
    """The client's connection and the response it got."""
    site.allow_log(r"WSP\d{4}:")
    client = site.start_handshake("/ws")
    with stage.accept() as session:
        session.send(answer)
    return client, client.read_response()


def assert_connection_is_usable(client, status):
    if status == 503:   # httpd itself hangs up after a few statuses (ap_status_drops_connection, httpd.h)
        client.expect_end()
        return
    client.send(http1.plain_request("/"))
    assert client.read_response().status == 200


@pytest.mark.runs_on("event", "worker", "prefork")   # each MPM keeps connections alive in its own way
@pytest.mark.parametrize("status, headers, body", REFUSALS, ids=IDS)
def test_a_refusal_reaches_the_client_whole(site, stage, status, headers, body):
    answer = response_bytes(status, [*headers, ("Content-Length", str(len(body)))], body)
    client, response = refuse(site, stage, answer)
    with client:
        assert (response.status, response.body) == (int(status.split()[0]), body)
        for name, _ in headers:
            assert response.all(name) == [value for key, value in headers if key == name]
        assert_connection_is_usable(client, response.status)


@pytest.mark.parametrize("status, headers, body", REFUSALS, ids=IDS)
def test_a_refusal_with_a_chunked_body_reaches_the_client_whole(site, stage, status, headers, body):
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:3], body[3:]) if part)
    answer = response_bytes(status, [*headers, ("Transfer-Encoding", "chunked")], chunks + b"0\r\n\r\n")
    client, response = refuse(site, stage, answer)
    with client:
        assert (response.status, response.body) == (int(status.split()[0]), body)
        assert_connection_is_usable(client, response.status)


def test_a_refusal_whose_body_ends_with_the_connection_reaches_the_client_whole(site, stage):
    client, response = refuse(site, stage, response_bytes("403 Forbidden", [], b"no " * 30_000))
    with client:
        pass
    assert (response.status, response.body) == (403, b"no " * 30_000)


def test_lengths_that_say_the_same_arrive_as_one(site, stage):
    client, response = refuse(site, stage, response_bytes("403 Forbidden", 2 * [("Content-Length", "2")], b"no"))
    with client:
        assert (response.status, response.all("Content-Length"), response.body) == (403, ["2"], b"no")


def test_chunks_count_more_than_a_length_beside_them(site, stage):
    headers = [("Content-Length", "1"), ("Transfer-Encoding", "chunked")]
    client, response = refuse(site, stage, response_bytes("403 Forbidden", headers, b"2\r\nno\r\n0\r\n\r\n"))
    with client:
        assert (response.status, response.body) == (403, b"no")


def test_lengths_that_contradict_each_other_make_the_answer_unusable(site, stage):
    headers = [("Content-Length", "2"), ("Content-Length", "3")]
    client, response = refuse(site, stage, response_bytes("403 Forbidden", headers, b"non"))
    with client:
        assert response.status == 502
        assert "WSP0118" in str(site.error_log.wait_for("WSP0118"))


def test_a_refusal_is_one_log_line_that_names_status_and_mapping(site, stage):
    client, _ = refuse(site, stage, response_bytes("403 Forbidden", [("Content-Length", "0")]))
    with client:
        lines = site.error_log.wait_for(REFUSAL)
        assert len(lines) == 1 and "/ws" in lines[0].text and "403" in lines[0].text, lines


@pytest.mark.runs_on("event", "worker", "prefork")   # the same
def test_a_tunnel_opens_on_the_connection_that_was_refused_before(site, stage):
    client, response = refuse(site, stage, response_bytes("401 Unauthorized", [("Content-Length", "0")]))
    with client:
        assert response.status == 401
        client.send(http1.handshake_request("/ws", {"Authorization": "Basic dTpw"}))
        with stage.accept() as session:
            assert session.request.header("Authorization") == "Basic dTpw"
            session.accept_handshake()
            assert client.read_response().status == 101
            session.send_text("welcome")
            assert client.read_message() == b"welcome"


def test_a_refusal_in_the_error_documents_place_is_the_admins_choice(start, stage):
    server = start(f"""
        ProxyErrorOverride On
        ErrorDocument 403 "our own words"
        ProxyPass /ws {stage.url}/
        """)
    client, response = refuse(server, stage, response_bytes("403 Forbidden", [("Content-Length", "2")], b"no"))
    with client:
        assert (response.status, response.body) == (403, b"our own words")
