"""The status page for people, as the server writes it: complete without JavaScript, and nothing of strangers is markup."""

import re

import pytest

RUNS_ON = ["event"]   # the page reads shared memory and asks loops; no MPM knows of it

LINES = """
    <Location /tunnels>
        SetHandler websocket-status
    </Location>
    """


@pytest.fixture(scope="module")
def server(start_shared, echo):
    return start_shared(LINES + f"ProxyPass /tun {echo.url}/\n")


def assets_of(server):
    page = server.get("/tunnels").body.decode()
    return re.findall(r'(?:href|src)="(\?asset=[^"]+)"', page)


def test_the_page_stands_above_a_mapping_of_its_path(server):
    answer = server.get("/tunnels")
    assert (answer.status, answer.header("Content-Type")) == (200, "text/html; charset=utf-8")
    assert "<h1>WebSocket tunnels</h1>" in answer.body.decode()


def test_files_of_the_page_are_kept_by_their_version(server):
    assets = assets_of(server)
    assert len(assets) == 3
    for query in assets:
        answer = server.get("/tunnels" + query.replace("&amp;", "&"))
        assert answer.status == 200 and "immutable" in answer.header("Cache-Control")
        assert answer.header("ETag").strip('"') in query
        again = server.get("/tunnels" + query.replace("&amp;", "&"), [("If-None-Match", answer.header("ETag"))])
        assert (again.status, again.body) == (304, b"")
    assert server.get("/tunnels?asset=../page.css").status == 404


def test_the_page_has_neither_style_nor_script_in_it(server):
    page = server.get("/tunnels").body.decode()
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", page)
    assert re.findall(r"<script[^>]*>(.*?)</script>", page) == [""]


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "\" autofocus onfocus=\"x", "</title><b>", "%ff%c3("])
def test_what_is_filtered_for_is_no_markup(server, text):
    query = "".join(char if char in "%0123456789abcdef" else f"%{ord(char):02x}" for char in text)
    page = server.get("/tunnels?q=" + query).body
    assert text.encode() not in page
    page.decode()   # UTF-8
