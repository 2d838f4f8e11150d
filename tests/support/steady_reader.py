# SPDX-License-Identifier: Apache-2.0
"""A client that reads a repository all the time, and holds everything against what it may be."""
import random
import statistics
import threading
import time
import traceback
import urllib.error

from support import metadata
from support.history import GONE, Follower


class SignedPair:
    """repomd.xml and its signature, which no store replaces together: a client that finds them in disagreement asks
    again. How often that was, and that it passes, can be told; that it never happens nobody can promise."""

    def __init__(self, fits):
        """`fits(repomd, signature)`: whether it is a good signature of it."""
        self.fits = fits
        self.reads = self.torn = 0

    def agrees(self, url):
        self.reads += 1
        repomd, signature = (metadata.read(url, f"repodata/repomd.xml{suffix}") for suffix in ("", ".asc"))
        if self.fits(repomd, signature):
            return True
        self.torn += 1
        return False

    def figures(self):
        return f"{self.reads} pairs of repomd.xml and its signature read, {self.torn} in disagreement"


class SteadyReader:
    """A context manager; it reads in a thread of its own, over HTTP. Each read fetches repomd.xml, its signature where
    there are some, and every file that it names, checks checksums, sizes, counts and the order of all three (I7, I8), and
    that the whole is explained by the history; then it fetches some of the packages."""

    def __init__(self, url, history=None, pair=None, bodies=2, pause=0.02, seed=1):
        """`history`: None where others write, too: then only the files are held against each other. `pair`: a
        SignedPair, where the repository is signed. `bodies`: packages fetched with each read."""
        self.url, self.pair, self.bodies, self.pause = url, pair, bodies, pause
        self.follower = Follower(history) if history else None
        self.chance = random.Random(seed)
        self.reads = self.files = self.packages = self.unanswered = 0
        self.seen = set()  # revisions, as different repomd.xml
        self.listed = {}  # href -> pkgid, as it was read last
        self.seconds = []
        self.broken = []
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.thread.join()

    def check(self):
        """Fails when a read so far was broken."""
        assert not self.broken, f"{len(self.broken)} broken of {self.reads} reads; the first:\n{self.broken[0]}"

    def stop(self):
        self.__exit__()
        self.check()

    def figures(self):
        return (f"{self.reads} reads of {self.files} files (median {statistics.median(self.seconds) * 1000:.0f} ms), "
                f"{len(self.seen)} different repomd.xml, {self.packages} packages fetched, {len(self.broken)} broken, "
                f"{self.unanswered} unanswered")

    def _run(self):
        while not self.stopped.wait(self.pause):
            started = time.monotonic()
            try:
                self.read()
            except urllib.error.HTTPError as failure:
                if failure.code >= 500:  # the test's server was too slow: says nothing about the repository
                    self.unanswered += 1
                    continue
                self.broken.append(traceback.format_exc())
            except Exception:  # told by check()
                self.broken.append(traceback.format_exc())
            self.reads += 1
            self.seconds.append(time.monotonic() - started)

    def read(self):
        if self.pair:
            self.pair.agrees(self.url)
        repo = metadata.verify(self.url)
        self.seen.add(repo.repomd_xml)
        self.files += 1 + len(repo.stored)
        self.listed = {package["href"]: package["pkgid"] for package in repo.packages}
        if not self.follower:
            return
        self.follower.follow(self.listed)
        for href in self.chance.sample(sorted(self.listed), min(self.bodies, len(self.listed))):
            self.follower.explains_body(href, self._body(href))
            self.packages += 1

    def _body(self, href):
        try:
            return metadata.read(self.url, href)
        except urllib.error.HTTPError as failure:
            if failure.code == 404:
                return GONE
            raise
