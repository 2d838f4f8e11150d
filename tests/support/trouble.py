# SPDX-License-Identifier: Apache-2.0
"""A TCP relay on a bad line: what passes through it is late, cut, half-closed or held up, at random moments. Bytes are
never changed, so signatures hold, and what arrives is a beginning of what was sent."""
import collections
import contextlib
import random
import socket
import struct
import threading
import time

PIECE = 1 << 14
LONGEST_DELAY = 0.1  # seconds, of each piece of a slow connection
HELD_FOR = 2.0       # seconds that a held connection is silent before it is cut
RESET_AT_CLOSE = struct.pack("ii", 1, 0)


class Fate:
    """What becomes of one connection: `kind`, once `bytes_left` have passed in the direction that it is about."""

    KINDS = {"late": 6, "refused": 1, "request cut": 3, "answer cut": 3, "request half-closed": 3,
             "answer half-closed": 3, "held": 1}  # and how often

    def __init__(self, chance, mean_bytes):
        (self.kind,) = chance.choices(list(self.KINDS), list(self.KINDS.values()))
        self.about = "request" if self.kind.startswith("request") else "answer"
        self.bytes_left = int(chance.expovariate(1 / mean_bytes))
        self.delay = chance.uniform(0, LONGEST_DELAY)


class Trouble:
    """A context manager; `url` stands for the server's. `gate`, where one is given, is called with every piece that a
    client sent."""

    def __init__(self, url, mean_bytes=60_000, gate=None, seed=1):
        """`mean_bytes` pass before a connection meets its fate."""
        host, _, port = url.removeprefix("http://").partition(":")
        self.target, self.gate, self.mean_bytes = (host, int(port)), gate, mean_bytes
        self.chance = random.Random(seed)
        self.met = collections.Counter()  # kinds of trouble that connections ran into
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
        self.listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                fate = Fate(self.chance, self.mean_bytes)
                if fate.kind == "refused":
                    self._meet(fate, client)
                    continue
                try:
                    server = socket.create_connection(self.target)
                except OSError:
                    client.close()
                    continue
                for about, source, sink in (("request", client, server), ("answer", server, client)):
                    threading.Thread(target=self._pump, args=(about, source, sink, fate), daemon=True).start()

    def _pump(self, about, source, sink, fate):
        with contextlib.suppress(OSError):
            while piece := source.recv(PIECE):
                if about == "request" and self.gate:
                    self.gate(piece)
                if fate.kind == "late":
                    time.sleep(fate.delay)
                    self.met["late"] += 1
                elif about == fate.about:
                    fate.bytes_left -= len(piece)
                    if fate.bytes_left < 0:
                        sink.sendall(piece[:fate.bytes_left])
                        return self._meet(fate, source, sink)
                sink.sendall(piece)
        for end in (source, sink):
            _end(end)

    def _meet(self, fate, *ends):
        self.met[fate.kind] += 1
        if fate.kind.endswith("half-closed"):
            # The receiver sees the end of what it was sent; what it sends itself still gets through, until it closes.
            source, sink = ends
            sink.shutdown(socket.SHUT_WR)
            while source.recv(PIECE):
                pass
            return
        if fate.kind == "held":
            time.sleep(HELD_FOR)
        for end in ends:
            _end(end, reset=True)


def _end(end, reset=False):
    """Also wakes the thread of the other direction."""
    with contextlib.suppress(OSError):
        if reset:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
        end.shutdown(socket.SHUT_RD if reset else socket.SHUT_RDWR)
    end.close()
