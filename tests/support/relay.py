# SPDX-License-Identifier: Apache-2.0
"""A TCP relay in front of a server, where a test holds or cuts what a client sends. The bytes are passed on as they
are, so signatures hold: the client signs for the relay's address, and the server verifies what the client sent."""
import contextlib
import socket
import threading
import urllib.parse

PIECE = 1 << 16


class Relay:
    """A context manager; `url` stands for the server's. `gate` is called with every piece that a client sent before it
    is passed on: it may wait, and by raising Cut it ends this connection."""

    def __init__(self, url, gate):
        target = urllib.parse.urlsplit(url)
        self.target, self.gate = (target.hostname, target.port), gate
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        # Wakes the thread that waits in accept(), which close() alone does not.
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                try:
                    server = socket.create_connection(self.target)
                except OSError:
                    client.close()
                    continue
                threading.Thread(target=_pump, args=(client, server, self.gate), daemon=True).start()
                threading.Thread(target=_pump, args=(server, client, None), daemon=True).start()


class Cut(Exception):
    """Raised by a gate."""


def _pump(source, sink, gate):
    """Passes on what `source` sends until it ends or a gate cuts it; then both connections are over."""
    with contextlib.suppress(OSError, Cut):
        while piece := source.recv(PIECE):
            if gate:
                gate(piece)
            sink.sendall(piece)
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)  # wakes the thread of the other direction
        end.close()


class CutAfter:
    """A gate that cuts connections once `limit` bytes have gone through: `times` of them, or all that follow."""

    def __init__(self, limit, times=None):
        self.left, self.times = limit, times
        self.lock = threading.Lock()

    def __call__(self, piece):
        with self.lock:
            self.left -= len(piece)
            if self.left >= 0 or self.times == 0:
                return
            if self.times is not None:
                self.times -= 1
            raise Cut


class HoldAt:
    """A gate that holds everything back from the first piece on that holds `pattern`, until release()."""

    def __init__(self, pattern, skip=0):
        """`skip` bytes are let through first, counted from that piece on."""
        self.pattern, self.left = pattern, skip
        self.seen = False
        self.reached, self.released = threading.Event(), threading.Event()

    def __call__(self, piece):
        self.seen = self.seen or self.pattern in piece
        if not self.seen:
            return
        self.left -= len(piece)
        if self.left < 0:
            self.reached.set()
            self.released.wait()

    def release(self):
        self.released.set()
