# SPDX-License-Identifier: Apache-2.0
"""A proxy in front of an S3 server that answers later, and counts.

It speaks HTTP/1.1 with keep-alive on both sides, and passes requests on as they are, so that their signatures hold.
Each request waits for `latency` seconds before it is passed on, as if the server were that far away; however many are
under way, each waits for its own time only.
"""
import asyncio
import socket
import threading
import time
from dataclasses import dataclass

HEAD_LIMIT = 1 << 16
PIECE = 1 << 16


@dataclass
class Request:
    method: str
    target: str
    begin: float
    end: float = 0.0
    status: int = 0
    sent: int = 0      # bytes of body from the client
    received: int = 0  # and to it


def stage_of(request, published):
    """What a request is part of. Those of one stage are about different objects and do not wait for each other's
    answers, however many of them have places at a time."""
    path = request.target.split("?")[0]
    kind = "pointer" if path.endswith("/repomd.xml") else "metadata" if "/repodata/" in path else (
        "package" if path.endswith(".rpm") else "listing")
    return kind, request.method in ("PUT", "POST"), request.begin >= published


def chain(requests):
    """The longest run of requests that had to wait for each other: stages of which each began when all of the one before
    had been answered, each as long as the most requests that it made for one object."""
    published = min((r.end for r in requests if r.method == "PUT" and stage_of(r, 0)[0] == "pointer"), default=1e18)
    stages = {}
    for request in requests:
        stages.setdefault(stage_of(request, published), []).append(request)

    def length(stage):
        paths = [request.target.split("?")[0] for request in stages[stage]]
        return max(paths.count(path) for path in paths)

    longest = {}
    for stage in sorted(stages, key=lambda stage: min(r.begin for r in stages[stage])):
        begin = min(r.begin for r in stages[stage])
        before = [longest[other] for other in longest if max(r.end for r in stages[other]) <= begin]
        longest[stage] = length(stage) + max(before, default=0)
    return max(longest.values(), default=0)


class Body:
    """Copies one message body, whatever its framing."""

    def __init__(self, headers, has_body=True):
        self.chunked = has_body and headers.get("transfer-encoding", "").lower() == "chunked"
        self.size = int(headers.get("content-length", "0")) if has_body else 0

    async def copy(self, source, target):
        if not self.chunked:
            return await self._copy(source, target, self.size)
        total = 0
        while True:
            line = await source.readline()
            target.write(line)
            size = int(line.split(b";")[0], 16)
            total += await self._copy(source, target, size + 2)  # with the line's end
            if size == 0:
                return total

    @staticmethod
    async def _copy(source, target, size):
        left = size
        while left > 0:
            piece = await source.read(min(left, PIECE))
            if not piece:
                raise ConnectionError("the message ends early")
            target.write(piece)
            await target.drain()
            left -= len(piece)
        return size


async def read_head(reader):
    """The first line, the headers in lower case, and all of it as it came."""
    raw = await reader.readuntil(b"\r\n\r\n")
    lines = raw.decode("latin-1").split("\r\n")
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return lines[0], headers, raw


class LatencyProxy:
    """Runs in a thread of its own. A context manager; `url` has no last slash."""

    def __init__(self, upstream, latency):
        host, _, port = upstream.removeprefix("http://").partition(":")
        self.upstream, self.latency = (host, int(port)), latency
        self.requests, self.under_way = [], 0
        self.loop = asyncio.new_event_loop()
        self.idle = []  # connections to the server that are free

    def __enter__(self):
        started = threading.Event()

        async def start():
            self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=HEAD_LIMIT, backlog=256)
            self.url = "http://127.0.0.1:%d" % self.server.sockets[0].getsockname()[1]
            started.set()

        def run():
            asyncio.set_event_loop(self.loop)
            self.loop.create_task(start())
            self.loop.run_forever()

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()
        assert started.wait(10), "the proxy does not start"
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)

    def take(self):
        """The finished requests since the last call."""
        taken, self.requests = self.requests, []
        return taken

    async def _connect(self):
        while self.idle:
            reader, writer = self.idle.pop()
            if not writer.is_closing() and not reader.at_eof():
                return reader, writer
            writer.close()
        return await asyncio.open_connection(*self.upstream, limit=HEAD_LIMIT)

    async def _serve(self, reader, writer):
        try:
            while await self._exchange(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client is done, or one of the two went away: the client tries again
        finally:
            writer.close()

    async def _exchange(self, reader, writer):
        first, headers, raw = await read_head(reader)
        method, target, _ = first.split(" ", 2)
        request = Request(method, target, time.monotonic())
        self.under_way += 1
        up_writer = None
        try:
            await asyncio.sleep(self.latency)
            up_reader, up_writer = await self._connect()
            up_writer.write(raw)
            if headers.get("expect", "").lower() == "100-continue":
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.sent = await Body(headers).copy(reader, up_writer)
            await up_writer.drain()
            status, answer, raw_answer = await read_head(up_reader)
            # As the program does: or the answers of a server that waits for this would come 40 ms later.
            up_writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            while status.split(" ")[1] == "100":
                status, answer, raw_answer = await read_head(up_reader)
            request.status = int(status.split(" ")[1])
            writer.write(raw_answer)
            has_body = method != "HEAD" and request.status not in (204, 304)
            request.received = await Body(answer, has_body).copy(up_reader, writer)
            request.end = time.monotonic()
            await writer.drain()
        except BaseException:
            if up_writer:
                up_writer.close()  # in the middle of an exchange: of no use to another one
            raise
        finally:
            self.under_way -= 1
        self.requests.append(request)
        if answer.get("connection", "").lower() == "close":
            up_writer.close()
            return False
        self.idle.append((up_reader, up_writer))
        return headers.get("connection", "").lower() != "close"
