# SPDX-License-Identifier: Apache-2.0
"""Eight writers at one repository that are killed, and whose lines are bad, as CI jobs that are done again when they
fail; and another tool that writes the repository in between, knowing nothing of them.

REPOUPDATE_ROUNDS=300 is the whole form (`make reliability`); with pytest's -s each test says what happened."""
import collections
import contextlib
import os
import random
import shutil
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import aws
from support.history import History, pkgid_of
from support.process import checked, die_with_parent
from support.program import Exit, binary
from support.steady_reader import SteadyReader
from support.trouble import Trouble

FULL = bool(os.environ.get("REPOUPDATE_ROUNDS"))
WRITERS = 8
PACKAGES_EACH = 25 if FULL else 3
FOREIGN_ROUNDS = 20 if FULL else 3
KILLED_SHARE = 0.5
LONGEST_LIFE = 1.0  # seconds of those that are killed
MOST_TRIES = 60
PASSING = {Exit.SOME_FAILED, Exit.UNREACHABLE, Exit.CONFLICT}  # what a bad line may lead to
TIMEOUT = 3600 if FULL else 280


class Writer:
    """Adds its packages one after the other; each `add` that does not end well is done again."""

    def __init__(self, stage, url, history, number, killed_share, extra=None):
        self.program = stage.program
        self.url, self.history, self.killed_share = url, history, killed_share
        self.environment = self.program.environment | (extra or {})
        self.chance = random.Random(number)
        self.codes = collections.Counter()  # how many ended how; negative: killed

    def add(self, path):
        self.history.begin(path.name, pkgid_of(path.read_bytes()))
        for _ in range(MOST_TRIES):
            code, said = self.try_to_add(path)
            self.codes[code] += 1
            if code == Exit.DONE:
                return
            assert code < 0 or code in PASSING, f"adding {path.name} ended with {code}:\n{said}"
        raise AssertionError(f"{path.name} was not added in {MOST_TRIES} tries: {self.codes}")

    def try_to_add(self, path):
        command = [binary(), "add", self.url, path]
        process = subprocess.Popen(command, cwd=self.program.home, env=self.environment, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
        try:
            if self.chance.random() < self.killed_share:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(self.chance.uniform(0, LONGEST_LIFE))
                process.kill()
            _, said = process.communicate(timeout=120)
            return process.returncode, said
        finally:
            process.kill()
            process.wait()


def add_all(writers, packages):
    shares = [packages[number::len(writers)] for number in range(len(writers))]
    with ThreadPoolExecutor(len(writers)) as threads:
        list(threads.map(lambda writer, share: [writer.add(path) for path in share], writers, shares))
    return sum((writer.codes for writer in writers), collections.Counter())


def told(codes):
    killed = sum(count for code, count in codes.items() if code < 0)
    failed = sum(count for code, count in codes.items() if code > 0)
    return f"{codes[0]} done, {killed} killed, {failed} failed and were done again"


@pytest.mark.timeout(TIMEOUT)
def test_writers_that_are_killed_behind_bad_lines_lose_and_break_nothing(stage, many_packages):
    url, history, chosen = stage.url("el9"), History(), many_packages[:WRITERS * PACKAGES_EACH]
    stage.program.run("init", url)
    with Trouble(stage.rgw.url) as trouble, SteadyReader(stage.public_url("el9"), history) as reader:
        behind = {"AWS_ENDPOINT_URL": trouble.url}
        writers = [Writer(stage, url, history, number, KILLED_SHARE, behind) for number in range(WRITERS)]
        codes = add_all(writers, chosen)
        reader.stop()
    # What was done is listed at once: nobody has to compare anything with the listing first.
    reader.read()
    assert reader.listed == history.now()
    stage.program.run("verify", url)
    print(f"\n{WRITERS} writers, {len(chosen)} packages: {told(codes)}\n{reader.figures()}\ntrouble: {dict(trouble.met)}")


class ForeignWriter:
    """createrepo_c on a copy of the packages; its files, then its repomd.xml over whatever is there."""

    def __init__(self, stage, prefix, directory):
        self.stage, self.prefix, self.directory = stage, prefix, directory
        self.rounds = 0

    def write(self):
        shutil.rmtree(self.directory / "repodata", ignore_errors=True)
        keys = [key for key in aws.keys(self.stage.rgw, self.stage.bucket, f"{self.prefix}/") if key.endswith(".rpm")]
        for key in keys:
            path = self.directory / key.rpartition("/")[2]
            if not path.exists():
                path.write_bytes(aws.read_object(self.stage.rgw, self.stage.bucket, key))
        checked(["createrepo_c", "--quiet", str(self.directory)])
        written = sorted((self.directory / "repodata").iterdir(), key=lambda path: path.name == "repomd.xml")
        for path in written:
            self.stage.put(path, self.prefix, f"repodata/{path.name}")
        self.rounds += 1

    def write_until(self, done):
        while self.rounds < FOREIGN_ROUNDS or not done.is_set():
            self.write()


@pytest.mark.timeout(TIMEOUT)
def test_what_a_foreign_writer_drops_comes_back(stage, many_packages, tmp_path):
    """It may undo a publication, as it asks nobody; it cannot make ours break a read, and comparing with the listing
    brings everything back."""
    url, history, chosen = stage.url("el9"), History(), many_packages[:WRITERS * PACKAGES_EACH]
    queue, queue_url = stage.queue()
    stage.program.run("init", url)
    (tmp_path / "copy").mkdir()
    foreign, done = ForeignWriter(stage, "el9", tmp_path / "copy"), threading.Event()
    with SteadyReader(stage.public_url("el9")) as reader, ThreadPoolExecutor(1) as thread, \
         stage.daemon([queue], [url], poll="3s") as daemon:
        writing = thread.submit(foreign.write_until, done)
        try:
            writers = [Writer(stage, url, history, number, 0) for number in range(WRITERS - 1)]
            codes = add_all(writers, chosen)
        finally:
            done.set()
        writing.result()
        # Nobody does anything: the daemon's next look at the listing heals it.
        daemon.wait_until(lambda: reader.listed == history.now(), 60, "all packages to be listed again")
        reader.stop()
        assert not [line for line in daemon.lines() if line["level"] == "error"]
        added = [line["added"] for line in daemon.messages("published")]
    foreign.write()
    # And without a daemon the next comparison does.
    stage.s3.delete_object(Bucket=stage.bucket, Key=f"el9/{chosen[0].name}")
    stage.program.run("update", url)
    reader.read()
    wanted = history.now()
    del wanted[chosen[0].name]
    assert reader.listed == wanted
    stage.program.run("verify", url)
    print(f"\n{WRITERS - 1} writers and a daemon: {told(codes)}; {foreign.rounds} foreign publications; "
          f"{sum(added)} packages added by the daemon, which looks at the listing\n{reader.figures()}")
