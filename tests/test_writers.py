# SPDX-License-Identifier: Apache-2.0
"""Many writers at one repository: processes that each add their packages one by one, all at the same time. In the end
every package is listed once, and its fragments are those that createrepo_c writes.

REPOUPDATE_WRITERS=100 runs the full size, eight writers with 100 packages each, three times over; that takes some ten
minutes a server, and REPOUPDATE_SERVER names another one of support/stores.py than the usual two. With pytest's -s each
round says what it took."""
import os
import shutil
import signal
import statistics
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import aws, metadata
from support.packages import build_many
from support.process import wait_until
from support.program import Exit
from support.servers import Moto
from support.stage import Stage
from support.stores import STORES, RunningStore
from support.swift import Swift

SERVER = os.environ.get("REPOUPDATE_SERVER")
WRITERS = 8
FULL_SIZE = int(os.environ.get("REPOUPDATE_WRITERS", "0"))
PACKAGES_EACH = FULL_SIZE or 5
ROUNDS = 3 if FULL_SIZE else 1
# Without conditional writes each publication waits for the others' turns, and for its own lease to settle.
LEASE_WRITERS, LEASE_PACKAGES_EACH = 3, 2


@pytest.fixture(scope="session")
def many_packages(packages, package_cache):
    """One for each writer and turn."""
    count = WRITERS * PACKAGES_EACH
    if count <= len(packages):
        return packages[:count]
    return build_many(package_cache / "writers", [f"w{number:04}" for number in range(count)])


@pytest.fixture(params=[SERVER] if SERVER else ["rgw", "moto"])
def server(request, tmp_path):
    if missing := STORES[request.param].missing():
        pytest.fail(missing)
    store = RunningStore(request.param, tmp_path)
    yield store
    store.stop()


@pytest.fixture(params=["ignored", "refused", "swift"])
def server_without_conditions(request, tmp_path):
    """moto with other manners, and Swift, which answers 501 by itself."""
    if request.param != "swift":
        server = Moto(tmp_path, conditions=request.param)
    elif missing := STORES["swift"].missing():
        pytest.fail(missing)
    else:
        server = Swift()
    yield server
    server.stop()


class WritersStage(Stage):
    def add(self, path):
        """Seconds that it took, and the races that it lost."""
        started = time.monotonic()
        done = self.program.start("add", "--json", self.url, path, timeout=280).expect(Exit.DONE)
        assert done.json["failures"] == []
        return time.monotonic() - started, done.json["lost_races"]

    def add_at_the_same_time(self, packages, writers):
        shares = [packages[number::writers] for number in range(writers)]
        started = time.monotonic()
        with ThreadPoolExecutor(writers) as pool:
            turns = [turn for share in pool.map(lambda share: [self.add(path) for path in share], shares)
                     for turn in share]
        seconds, races = zip(*turns, strict=True)
        print(f"{len(turns)} packages by {writers} writers in {time.monotonic() - started:.1f} s; each: median "
              f"{statistics.median(seconds):.2f} s, longest {max(seconds):.2f} s; races lost: {sum(races)}, "
              f"at most {max(races)} in a row")

    def expect_all(self, packages):
        """Each is listed once, with the fragments of createrepo_c for a package of the object's time."""
        repo = metadata.verify(self.view.url)
        assert repo.hrefs() == sorted(path.name for path in packages)
        copy = self.home / f"copy-{self.bucket}"
        copy.mkdir()
        for path in packages:
            shutil.copy(path, copy)
            uploaded = self.s3.head_object(Bucket=self.bucket, Key=self.prefix + path.name)["LastModified"].timestamp()
            os.utime(copy / path.name, (uploaded, uploaded))
        subprocess.run(["createrepo_c", "--quiet", "--no-database", str(copy)], check=True)
        wanted = metadata.load_repo(copy)
        for kind in metadata.KINDS:
            assert repo.fragments_by_pkgid(kind) == wanted.fragments_by_pkgid(kind), kind
        self.program.run("verify", self.url)

    def probes(self):
        return [key for key in self.keys() if "/probe-" in key]

    def lease(self):
        return aws.read_object(self.endpoint, self.bucket, f"{self.prefix}repodata/.repoupdate/lease.json").decode()


@pytest.mark.timeout(3 * 3600 if FULL_SIZE else 300)
def test_eight_writers_at_the_same_time_lose_nothing(server, many_packages, tmp_path):
    for _ in range(ROUNDS):
        stage = WritersStage(server, tmp_path)
        with stage.view:
            stage.program.run("init", stage.url)
            stage.add_at_the_same_time(many_packages, WRITERS)
            stage.expect_all(many_packages)
            assert stage.probes() == []


def test_writers_without_conditional_writes_take_turns(server_without_conditions, packages, tmp_path):
    stage = WritersStage(server_without_conditions, tmp_path)
    chosen = packages[:LEASE_WRITERS * LEASE_PACKAGES_EACH]
    with stage.view:
        stage.program.start("init", stage.url).expect(Exit.DONE, "without conditional writes", "lease")
        stage.add_at_the_same_time(chosen, LEASE_WRITERS)
        stage.expect_all(chosen)
        assert stage.probes() == []
        assert '"owner": ""' in stage.lease(), "the last one did not give it back"


@pytest.mark.parametrize("server_without_conditions", ["ignored"], indirect=True)
def test_writer_that_is_killed_with_the_lease_delays_others_by_its_length(server_without_conditions, packages, tmp_path):
    stage = WritersStage(server_without_conditions, tmp_path)
    with stage.view:
        stage.program.run("init", stage.url)

        victim = subprocess.Popen([stage.program.named("repoupdate"), "add", "--lease", "10s", stage.url, packages[0]],
                                  cwd=tmp_path, env=stage.program.environment, stderr=subprocess.DEVNULL)
        # It has written its claim, and now waits for it to settle.
        wait_until(lambda: '"owner": ""' not in stage.lease(), 60, "the lease to be taken")
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        stage.program.run("add", stage.url, packages[1])
        stage.program.run("update", stage.url)
        stage.expect_all(packages[:2])
