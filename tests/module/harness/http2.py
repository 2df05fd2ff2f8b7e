"""An HTTP/2 client that opens WebSocket tunnels by extended CONNECT (RFC 8441): enough of a connection for one
stream at a time. Looks like a socket to Peer (sendall, recv), so that frames are built and read as everywhere."""

import socket
import time

from h2.config import H2Configuration
from h2.connection import ConnectionState, H2Connection
from h2.events import (DataReceived, RemoteSettingsChanged, ResponseReceived, StreamEnded, StreamReset,
                       ConnectionTerminated)
from h2.settings import SettingCodes

from .peer import Peer
from .waiting import BOUND

_FRAME_HEAD = 9   # RFC 9113 4.1


class Http2Connection:
    """`needs_connect`: the server must offer extended CONNECT."""

    def __init__(self, port, tls=None, needs_connect=True):
        self._sock = socket.create_connection(("127.0.0.1", port), timeout=BOUND)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self._sock = tls.wrap_socket(self._sock, server_hostname="localhost")
            assert self._sock.selected_alpn_protocol() == "h2"
        self._h2 = H2Connection(H2Configuration(client_side=True, validate_outbound_headers=False,
                                                normalize_outbound_headers=False))
        self._h2.initiate_connection()
        self.allows_connect_protocol = self.going_away = False
        self._streams, self._input = {}, b""
        self._flush()
        if needs_connect:
            self._await(lambda: self.allows_connect_protocol, "SETTINGS_ENABLE_CONNECT_PROTOCOL")

    def _flush(self):
        self._sock.sendall(self._h2.data_to_send())

    def _await(self, condition, what):
        deadline = time.monotonic() + 3 * BOUND
        while not condition():
            assert time.monotonic() < deadline, f"waited {3 * BOUND} s in vain: {what}"   # though frames come
            data = self._sock.recv(1 << 17)
            assert data, f"the HTTP/2 connection ended; expected {what}"
            for frame in self._whole_frames(data):
                for event in self._h2.receive_data(frame):
                    self._take(event)
            self._flush()

    def _whole_frames(self, data):
        """h2 takes frames one by one: behind a GOAWAY it refuses what else came with it."""
        self._input += data
        while len(self._input) >= _FRAME_HEAD + int.from_bytes(self._input[:3], "big"):
            size = _FRAME_HEAD + int.from_bytes(self._input[:3], "big")
            frame, self._input = self._input[:size], self._input[size:]
            yield frame

    def _take(self, event):
        if isinstance(event, RemoteSettingsChanged):
            changed = event.changed_settings.get(SettingCodes.ENABLE_CONNECT_PROTOCOL)
            self.allows_connect_protocol |= bool(changed and changed.new_value)
        elif isinstance(event, ConnectionTerminated):
            if event.error_code:
                raise ConnectionError(f"GOAWAY: {event.error_code}")
            self.going_away = True   # no new streams; those that are open go on, which h2 does not know
            self._h2.state_machine.state = ConnectionState.CLIENT_OPEN
        elif stream := self._streams.get(getattr(event, "stream_id", None)):
            stream.take(event)
            if isinstance(event, DataReceived):
                self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)

    def start_request(self, headers, end_stream):
        """A new stream; its response is still to be awaited."""
        number = self._h2.get_next_available_stream_id()
        stream = self._streams[number] = Http2Stream(self, number)
        self._h2.send_headers(number, headers, end_stream=end_stream)
        self._flush()
        return stream

    def await_response(self, stream):
        self._await(lambda: stream.headers or stream.ended, "a response")
        return stream

    def get(self, path):
        return self.await_response(self.start_request(
            [(":method", "GET"), (":scheme", "http"), (":path", path), (":authority", "localhost")], end_stream=True))

    def start_tunnel(self, path, extra=()):
        """Asks for a tunnel (RFC 8441 4)."""
        return self.start_request([(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"),
                                   (":path", path), (":authority", "localhost"), ("sec-websocket-version", "13"),
                                   *extra], end_stream=False)

    def finish_tunnel(self, stream):
        """A Peer over the stream; fails when the answer is not 200."""
        self.await_response(stream)
        assert stream.status == 200, (stream.headers, stream.buffer)
        return self.peer_of(stream)

    @staticmethod
    def peer_of(stream):
        """Of a tunnel that may not yet be open."""
        return Peer(stream, masks=True)

    def open_tunnel(self, path, extra=()):
        return self.finish_tunnel(self.start_tunnel(path, extra))

    def setting(self, code):
        """What the server has set, or the protocol's default; 0 where that is nothing."""
        return self._h2.remote_settings.get(code, 0)

    def close(self):
        self._sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Http2Stream:
    def __init__(self, connection, number):
        self._connection, self._number = connection, number
        self.headers, self.buffer = {}, b""
        self.ended = False       # by the server
        self._finished = False   # nothing more may be sent

    def take(self, event):
        if isinstance(event, ResponseReceived):
            self.headers = {_text(name): _text(value) for name, value in event.headers}
        elif isinstance(event, DataReceived):
            self.buffer += event.data
        elif isinstance(event, (StreamEnded, StreamReset)):
            self.ended = True
            self._finished |= isinstance(event, StreamReset)

    @property
    def status(self):
        return int(self.headers[":status"])

    # --- what Peer asks of a socket ---
    def sendall(self, data):
        h2, view = self._connection._h2, memoryview(data)
        while view:
            self._connection._await(lambda: h2.local_flow_control_window(self._number) > 0, "a WINDOW_UPDATE")
            size = min(len(view), h2.local_flow_control_window(self._number), h2.max_outbound_frame_size)
            h2.send_data(self._number, bytes(view[:size]))
            self._connection._flush()
            view = view[size:]

    def recv(self, limit):
        self._connection._await(lambda: self.buffer or self.ended, "data or the end of the stream")
        data, self.buffer = self.buffer[:limit], self.buffer[limit:]
        return data

    def settimeout(self, _):
        """The connection has its own."""

    def setsockopt(self, *_):
        """The connection has its own."""

    def close(self):
        """The stream ends in order from this side."""
        if not self._finished:
            self._finished = True
            self._connection._h2.end_stream(self._number)
            self._connection._flush()

    def reset(self):
        self._finished = True
        self._connection._h2.reset_stream(self._number)
        self._connection._flush()


def _text(value):
    return value.decode() if isinstance(value, bytes) else value
