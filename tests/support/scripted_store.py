# SPDX-License-Identifier: Apache-2.0
"""A store that has bad days: a real one behind a proxy that refuses, cuts, damages, delays and drops as a test says.
It serves as the endpoint itself, with or without TLS, and as the HTTP proxy before another one."""
import http.client
import http.server
import json
import socket
import ssl
import struct
import threading
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass

from support.servers import HttpServer

UPSTREAM_TIMEOUT = 60
RESET_AT_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER: what is not sent yet is thrown away, and a reset sent
JSON_TYPE = ("Content-Type", "application/x-amz-json-1.0")
CHANGES = ("PUT", "POST", "DELETE")


@dataclass
class Seen:
    """A request as it came. `number` counts them from 1."""

    number: int
    at: float  # time.monotonic()
    method: str
    target: str  # path and query, as sent
    headers: dict  # names in lower case
    answer: object = None  # the script's

    @property
    def key(self):
        return urllib.parse.unquote(self.target.partition("?")[0])

    @property
    def query(self):
        return urllib.parse.parse_qs(self.target.partition("?")[2], keep_blank_values=True)

    @property
    def action(self):
        """What is asked of SQS; empty for S3."""
        return self.headers.get("x-amz-target", "").rpartition(".")[2]


def flipped(content):
    """With one bit in the middle changed."""
    middle = len(content) // 2
    return content[:middle] + bytes(byte ^ 1 for byte in content[middle:middle + 1]) + content[middle + 1:]


# ---- what a script may answer; None passes the request on ----------------------------------------------------

@dataclass
class Refuse:
    """An answer of our own; the store never sees the request."""

    status: int
    code: str = "InternalError"
    headers: tuple = ()

    def serve(self, handler, body):
        handler.refuse(self.status, self.code, self.headers)


@dataclass
class Say:
    """Any answer of our own, before or after the store has done what it was asked."""

    status: int
    content: bytes
    after: bool = False

    def serve(self, handler, body):
        if self.after:
            handler.ask_store(body)
        handler.reply(self.status, (), self.content)


@dataclass
class Drop:
    """The connection closes without an answer, or is reset, before or after the store has done what it was asked."""

    after: bool = False
    reset: bool = False

    def serve(self, handler, body):
        if self.after:
            handler.ask_store(body)
        handler.close(self.reset)


@dataclass
class Hold:
    """No answer, until the client has gone, before or after the store has done what it was asked."""

    after: bool = False

    def serve(self, handler, body):
        if self.after:
            handler.ask_store(body)
        handler.await_departure()


@dataclass
class DoneBut:
    """The store does what it was asked, and the answer is another one."""

    status: int
    code: str = "InternalError"

    def serve(self, handler, body):
        handler.ask_store(body)
        handler.refuse(self.status, self.code)


@dataclass
class FailedEntries:
    """SQS's answer to a batch, 200, that says of entries that they failed: of all, without having asked for any, or of
    the first, when all are done. `ours`: it says that the sender is to blame."""

    ours: bool
    after: bool = False

    def serve(self, handler, body):
        ids = [entry["Id"] for entry in json.loads(body)["Entries"]]
        if self.after:
            handler.ask_store(body)
        failed, done = (ids[:1], ids[1:]) if self.after else (ids, [])
        answer = {"Successful": [{"Id": each} for each in done],
                  "Failed": [{"Id": each, "Code": "InternalError", "SenderFault": self.ours} for each in failed]}
        handler.reply(200, [JSON_TYPE], json.dumps(answer).encode())


@dataclass
class Cut:
    """Half of the body arrives, then the connection closes."""

    def serve(self, handler, body):
        status, headers, content = handler.ask_store(body)
        handler.reply(status, headers, content[:len(content) // 2], length=len(content))
        handler.close()


@dataclass
class CutHead:
    """The answer ends within its head."""

    def serve(self, handler, body):
        status, _, _ = handler.ask_store(body)
        handler.wfile.write(f"HTTP/1.1 {status} Fine\r\nContent-Le".encode())
        handler.close()


@dataclass
class Damage:
    """One byte of the body arrives as another; or each that begins these."""

    beginning: bytes = b""

    def serve(self, handler, body):
        status, headers, content = handler.ask_store(body)
        damaged = content.replace(self.beginning, flipped(self.beginning[:1]) + self.beginning[1:]) if self.beginning \
            else flipped(content)
        handler.reply(status, headers, damaged)


@dataclass
class Garble:
    """One byte of what is sent arrives at the store as another."""

    def serve(self, handler, body):
        handler.reply(*handler.ask_store(flipped(body)))


@dataclass
class Wait:
    """Passed on after a while, or when the event comes; or another answer then."""

    seconds: float
    event: threading.Event = None
    answer: object = None

    def serve(self, handler, body):
        (self.event or threading.Event()).wait(self.seconds)
        if self.answer:
            self.answer.serve(handler, body)
        else:
            handler.reply(*handler.ask_store(body))


@dataclass
class Look:
    """Something is called first, beside what else goes on; then the request is passed on, or answered otherwise."""

    first: Callable
    answer: object = None

    def serve(self, handler, body):
        self.first()
        if self.answer:
            self.answer.serve(handler, body)
        else:
            handler.reply(*handler.ask_store(body))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # A small answer must not wait for the acknowledgement of its head.
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def any_method(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer = self.server.store.take(self)
        if answer is None:
            self.reply(*self.ask_store(body))
        else:
            answer.serve(self, body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = any_method

    @property
    def target(self):
        """Of a proxy's request the part behind the host."""
        if not self.path.startswith("http://"):
            return self.path
        return "/" + self.path.removeprefix("http://").partition("/")[2]

    def ask_store(self, body):
        answer = self._ask_store(body)
        if self.command in CHANGES and self.server.store.after_effect:
            self.server.store.after_effect(self.seen)
        return answer

    def _ask_store(self, body):
        upstream = http.client.HTTPConnection(self.server.store.upstream, timeout=UPSTREAM_TIMEOUT)
        try:
            upstream.putrequest(self.command, self.target, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in ("connection", "proxy-connection"):
                    upstream.putheader(name, value)
            upstream.endheaders(body)
            response = upstream.getresponse()
            return response.status, response.getheaders(), response.read()
        finally:
            upstream.close()

    def reply(self, status, headers, content, length=None):
        stated = {name.lower(): value for name, value in headers}.get("content-length")
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date"):
                self.send_header(name, value)
        self.send_header("Date", self.date_time_string())
        if self.command == "HEAD":
            self.send_header("Content-Length", stated or "0")
        elif status not in (204, 304):
            self.send_header("Content-Length", str(len(content) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def refuse(self, status, code, headers=()):
        """As the service that was asked says it."""
        if self.headers.get("X-Amz-Target"):
            answer = {"__type": f"com.amazonaws.sqs#{code}", "message": "as the test says"}
            self.reply(status, [*headers, JSON_TYPE], json.dumps(answer).encode())
        else:
            self.reply(status, headers, f"<Error><Code>{code}</Code></Error>".encode())

    def close(self, reset=False):
        self.close_connection = True
        self.wfile.flush()
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
            # Closes it for good, where shutdown() would end it in an orderly way; the files over it must be gone first.
            self.rfile.close()
            self.wfile.close()
            self.connection.close()
        else:
            self.connection.shutdown(socket.SHUT_RDWR)

    def await_departure(self):
        self.close_connection = True
        while self.connection.recv(1):
            pass


class QuietServer(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass  # a client that goes away, or does not trust us, is part of many scripts


class ScriptedStore(HttpServer):
    """A context manager. `script(seen)` is called for each request, never twice at once, and gives what to answer.
    `after_effect(seen)` is called, from any thread, when the store has answered a request that may have changed it,
    before the client learns of it."""

    def __init__(self, endpoint, script=lambda seen: None, certificate=None, after_effect=None):
        self.upstream = urllib.parse.urlsplit(endpoint.url).netloc
        self.after_effect = after_effect
        self.script, self.lock, self.seen = script, threading.Lock(), []
        super().__init__(Handler, QuietServer)
        self.server.store = self
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            # The handshake happens in the connection's own thread.
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                     do_handshake_on_connect=False)
            self.url = self.url.replace("http:", "https:")

    def take(self, handler):
        headers = {name.lower(): value for name, value in handler.headers.items()}
        with self.lock:
            seen = Seen(len(self.seen) + 1, time.monotonic(), handler.command, handler.target, headers)
            handler.seen = seen
            self.seen.append(seen)
            seen.answer = self.script(seen)
        return seen.answer

    def answered_with(self, kind):
        return [seen for seen in self.seen if isinstance(seen.answer, kind)]
