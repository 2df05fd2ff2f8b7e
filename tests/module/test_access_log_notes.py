"""What the logs say of a tunnel beyond an ordinary request: notes, an id on every line, a line when it opens."""

import json
import re

import pytest

from harness import frames
from harness.config import REPOSITORY
from harness.pair import open_pair
from harness.pumps import pump_line
from harness.waiting import wait_until

RUNS_ON = ["event"]   # a copy of the request is logged, or the request

NAMES = ("close-code", "close-reason", "closed-by", "messages-in", "messages-out", "bytes-in", "bytes-out", "duration-ms", "rtt-ms",
         "subprotocol", "extensions", "backend", "mode", "tag")
FORMAT = " ".join(f"{name}=<%{{ws-{name}}}n>" for name in NAMES)
OFFER = {"Sec-WebSocket-Protocol": "chat", "Sec-WebSocket-Extensions": "permessage-deflate"}


@pytest.fixture(scope="module")
def site(start_shared, module_listener):
    url = module_listener.url
    return start_shared(f"""
        LogLevel proxy_websocket:debug
        ErrorLogFormat "[%t] [%-m:%l] [pid %P:tid %T] [id %-L %-{{c}}L] %M"
        LogFormat "%r id=<%L> {FORMAT}" notes
        CustomLog notes.log notes
        Include {REPOSITORY}/conf/log-formats.conf
        CustomLog json.log tunnels_json
        CustomLog text.log tunnels "expr=-n note('ws-closed-by')"
        ProxyWebsocketLogOpen On
        ProxyWebsocketTag "%{{req:X-Name}}"
        ProxyWebsocketPing 100ms 1h
        ProxyPass /loop {url}/room
        ProxyPass /thread {url}/room
        <Location /thread>
            {pump_line("thread")}
        </Location>
        <Directory {{root}}/htdocs>
            RewriteEngine On
            RewriteRule ^old-(\\w+)$ /$1?id=8
        </Directory>
        """, files={"htdocs/old-loop": "", "htdocs/old-thread": ""})


def line_of(server, name, path):
    """The only line about `path` in a log."""
    log = server.root / name
    lines = wait_until(lambda: log.exists() and [line for line in log.read_text(errors="replace").split("\n")[:-1] if path in line],
                       f"the line of {path} in {name}")
    assert len(lines) == 1, lines
    return lines[0]


def notes_of(server, path):
    return dict(re.findall(r"([\w-]+)=<(.*?)>(?: |$)", line_of(server, "notes.log", path + " HTTP")))


def end(pair, code=4001, reason="bye"):
    """Each side sends and receives; the client answers a Ping; the backend closes."""
    pair.client.send_text("one")
    pair.session.read_message()
    for _ in range(2):
        pair.session.send_text("two")
    seen = [pair.client.read_frame() for _ in range(3)]
    ping = next(frame for frame in seen if frame.opcode == frames.PING)
    pair.client.send_frame(frames.PONG, ping.payload)
    pair.client.send_text("after the Pong")
    pair.session.read_message()
    pair.session.send_close(code, reason)
    while pair.client.read_frame().opcode != frames.CLOSE:
        pass
    pair.client.send_close(code, reason)
    pair.session.read_close()
    pair.session.close()
    pair.client.expect_end()
    pair.client.close()


@pytest.mark.parametrize("way", ["/loop", "/thread", "/old-loop", "/old-thread"])
def test_all_notes_are_there_however_the_tunnel_came_and_was_pumped(site, stage, way):
    path = "/loop" if "loop" in way else "/thread"
    pair = open_pair(site, way + "?id=7", stage, changes={**OFFER, "X-Name": "alice"}, answer=OFFER)
    end(pair)
    notes = notes_of(site, way + "?id=7")
    numbers = {name: notes.pop(name) for name in ("bytes-in", "bytes-out", "duration-ms", "rtt-ms")}
    assert re.fullmatch(r"\d+\.\d{3}", numbers.pop("rtt-ms"))
    assert all(number.isdigit() for number in numbers.values()), numbers
    assert 40 < int(numbers["bytes-in"]) < 200 and 20 < int(numbers["bytes-out"]) < 200
    assert notes.pop("id") not in ("", "-")
    assert notes == {"close-code": "4001", "close-reason": "bye", "closed-by": "backend", "messages-in": "2", "messages-out": "2",
                     "subprotocol": "chat", "extensions": "permessage-deflate", "backend": f"{stage.url}/room",
                     "mode": "pumped" if path == "/loop" else "blocking", "tag": "alice"}
    text = line_of(site, "text.log", way + "?id=7")
    assert 'reason="bye"' in text and 'tag="alice"' in text


def test_a_request_that_is_no_tunnel_has_no_notes(site):
    assert site.get("/nothing").status == 404
    notes = notes_of(site, "/nothing")
    del notes["id"]   # it has one if the error log has a line about it
    assert set(notes.values()) == {"-"}
    row = json.loads(line_of(site, "json.log", "/nothing"))
    assert (row["status"], row["tag"], row["close_code"]) == (404, None, None)
    assert "/nothing" not in (site.root / "text.log").read_text()


# A tab, a byte that is no UTF-8, and what JSON and HTML care about; in a Close also a vertical tab, which is \\v to httpd.
EVIL = b'a"b\\c\td</script>\xe9\xff'
SHOWN = 'a"b\\c d</script>??'


@pytest.mark.parametrize("pump", ["loop", "thread"])
def test_json_is_json_whatever_strangers_write(site, stage, pump):
    path = f"/{pump}/json-{pump}"
    header = EVIL.decode("latin-1")
    client = site.start_handshake(path + "%22%5C%0B%E9?%22\\q",
                                  {"User-Agent": header, "Origin": header, "X-Name": header, "Referer": '"'})
    session = stage.accept()
    session.accept_handshake()
    client.read_response()
    client.send_frame(frames.CLOSE, frames.close_payload(4001) + b"\x0b" + EVIL)
    session.read_frame()
    session.close()
    client.close()
    row = json.loads(line_of(site, "json.log", f"json-{pump}"))
    assert {row[name] for name in ("agent", "origin", "tag", "close_reason")} == {SHOWN}
    assert (row["referer"], row["path"], row["query"]) == ('"', path + '"\\ ?', '%22\\q')
    assert (row["closed_by"], row["close_code"], row["status"], row["rtt_ms"]) == ("client", 4001, 101, None)


# --- one id on every line ---
def ids_of(server, numbers):
    lines = server.error_log.wait_for("|".join(numbers), len(numbers))
    return {re.search(r"\[id (\S+) ", line.text)[1] for line in lines}


@pytest.mark.parametrize("way", ["/loop", "/thread", "/old-loop", "/old-thread"])
def test_every_line_of_a_tunnels_life_has_the_id_that_its_access_line_has(site, stage, way):
    path = way + "?ids"
    pair = open_pair(site, path, stage, changes={"X-Name": "bob"})
    site.error_log.wait_for(r"WSP0195: tunnel opened: 127\.0\.0\.1:\d+ to ws://.*/room \(subprotocol none, extensions none, tag bob\)")
    end(pair, 1000, "")
    notes = notes_of(site, path)
    wanted = ["WSP0101", "WSP0102", "WSP0103", "WSP0195", "WSP0201"] + ["WSP0104"] * ("loop" in way)
    assert ids_of(site, wanted) == {notes["id"]}
    assert notes["close-reason"] == "-"


def test_the_id_moves_with_its_tunnel(site, stage):
    pair = open_pair(site, "/loop/moves", stage, changes={"X-Name": "carol"})
    site.graceful()
    site.error_log.wait_for("WSP0171")
    end(pair)
    notes = notes_of(site, "/loop/moves")
    assert ids_of(site, ["WSP0195", "WSP0171", "WSP0201"]) == {notes["id"]}
    assert (notes["tag"], notes["mode"], notes["messages-in"]) == ("carol", "pumped", "2")
