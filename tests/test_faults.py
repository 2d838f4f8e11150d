# SPDX-License-Identifier: Apache-2.0
"""Every call fails once, on the wire. The real daemon works on a change between a real store and a real queue, with a
proxy before each; the n-th call of a name fails in one of the ways of support/wire_faults.py, once, or with those that
repeat it. Whenever something changed in the store a client reads the repository: it has to find the old one or the new
one, whole. Messages may be deleted only when the new one is visible, with a signature that fits. In the end, with
nobody's help, it is, and the queue is empty.

`make check` takes some of the cases, which chance chooses, always the same. REPOUPDATE_FAULTS=NUMBER takes so many of
each store (`make reliability`), REPOUPDATE_FAULTS=TEXT those with this text in their name, REPOUPDATE_FAULTS=once, in an
hour, all that fail once, and REPOUPDATE_FAULTS=all, in some hours, all of them. The calls are those of a run without a
fault; the same in process, with many more scenarios, is src/sync/faults_test.cpp."""
import collections
import contextlib
import itertools
import json
import os
import random
import shutil
import threading
import time
import traceback
import urllib.error
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from support import aws, metadata
from support.gpg import Keyring
from support.history import pkgid_of
from support.process import wait_until
from support.queue_stage import QueueStage
from support.scripted_store import ScriptedStore
from support.servers import serve_bucket
from support.signing import Signing
from support.wire_faults import LASTING, MOST_RECEIVES, Course, Fault, ways_of

WANTED = os.environ.get("REPOUPDATE_FAULTS", "")
CASES = 24           # of each store, when not all are wanted
AT_ONCE = 28 if WANTED else 4  # cases, most of which wait
VISIBILITY = 'visibility = "10s"'  # the shortest there is
END_WITHIN = 900     # seconds: some answers are waited for a minute each time
TIMEOUT = 3 * 3600 if WANTED else 800

# Comes when messages have waited for some time, on a slow machine also where they need not: others leave it out.
GIVEN_TIME = "ChangeMessageVisibilityBatch #1"
OLD = {"a.rpm": 0, "b.rpm": 1, "sub/c+ü.rpm": 2, "d.rpm": 3}  # href -> number of the package
PAUSE = 2 if WANTED else 0.3  # seconds between two looks, which take time from what is looked at
TELL_EVERY = 250     # cases
MOST_UNMET = 0.05    # of the cases
NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Scenario:
    name: str
    changes: dict = field(hash=False)  # href -> number of the package that is there then, None: no more
    is_first: bool = False   # there is no repository yet
    is_warm: bool = False    # the daemon has published before
    is_signed: bool = False
    quiet: str = "100ms"
    is_stopped: bool = False  # the daemon ends while it has messages, and another one comes
    only: str = ""            # the call that fails

    def __str__(self):
        return self.name


# Each change with a daemon that starts and one that is warm, signed and not signed; not each with each.
SCENARIOS = [
    Scenario("add", {"e.rpm": 4}, is_signed=True),
    Scenario("add_warm", {"e.rpm": 4}, is_warm=True),
    Scenario("replace", {"b.rpm": 4}),
    Scenario("replace_warm_signed", {"b.rpm": 4}, is_warm=True, is_signed=True),
    Scenario("remove", {"b.rpm": None}),
    Scenario("remove_warm_signed", {"b.rpm": None}, is_warm=True, is_signed=True),
    Scenario("first", {"a.rpm": 0, "b.rpm": 1}, is_first=True),
    Scenario("first_signed", {"a.rpm": 0, "b.rpm": 1}, is_first=True, is_signed=True),
    # Messages are kept hidden while they wait, and given back by who ends.
    Scenario("wait", {"e.rpm": 4}, is_warm=True, quiet="5s", only=GIVEN_TIME),
    Scenario("stop", {"e.rpm": 4}, is_warm=True, quiet="60s", is_stopped=True, only=GIVEN_TIME),
]


class World:
    """A store, a queue, packages and keys, which all cases share."""

    def __init__(self, stage, base, packages, signing):
        self.stage, self.base, self.signing = stage, base, signing
        self.bodies = [path.read_bytes() for path in packages[:5]]
        self.pkgids = [pkgid_of(body) for body in self.bodies]

    def put(self, prefix, href, number):
        key = f"{prefix}/{href}"
        if number is None:
            self.stage.s3.delete_object(Bucket=self.stage.bucket, Key=key)
        else:
            self.stage.s3.put_object(Bucket=self.stage.bucket, Key=key, Body=self.bodies[number])

    def named(self, numbers):
        """href -> pkgid."""
        return {href: self.pkgids[number] for href, number in numbers.items() if number is not None}


class Client:
    """What a client finds that reads the repository at `url`, and everything that was wrong with it."""

    def __init__(self, url, old, new, pair, may_lack=()):
        """`old`, `new`: href -> pkgid; no old one: None. `pair`: a SignedPair or None. `may_lack`: packages that the
        program was told are not there."""
        self.url, self.old, self.new, self.pair, self.may_lack = url, old, new, pair, set(may_lack)
        self.reads, self.problems, self.repomds = 0, [], set()
        self.last = None  # what was read last
        self.lock = threading.Lock()

    def look(self):
        """href -> pkgid; None: there is no repository."""
        try:
            repo = metadata.verify(self.url)
        except urllib.error.HTTPError as failure:
            if failure.code == 404 and failure.url.endswith("/repomd.xml"):
                return None
            raise
        with self.lock:
            self.reads += 1
            self.last = repo
            self.repomds.add(repo.repomd_xml)
        return {package["href"]: package["pkgid"] for package in repo.packages}

    def read(self, when):
        try:
            seen = self.look()
        except Exception:  # told with the case
            return self.wrong(f"{when}: a broken read: {traceback.format_exc()}")
        if not self.is_old_or_new(seen):
            self.wrong(f"{when}: neither the old repository nor the new one: {seen}")
        return seen

    def is_old_or_new(self, seen):
        """A package that could not be read costs its neighbours nothing: each is as it was or as it is."""
        if seen is None:
            return self.old is None
        old = self.old or {}
        return all(seen.get(href) in (old.get(href), self.new.get(href)) or (href in self.may_lack and href not in seen)
                   for href in {*seen, *old, *self.new})

    def is_new(self):
        return self.look() == self.new and self.pair_agrees()

    def pair_agrees(self):
        return not self.pair or self.pair.agrees(self.url)

    def wrong(self, what):
        with self.lock:
            self.problems.append(what)


class Case:
    def __init__(self, world, home, scenario, fault=None):
        self.world, self.scenario, self.fault = world, scenario, fault
        self.number = next(NUMBERS)
        self.prefix = f"case-{self.number}"
        self.home = home / self.prefix
        self.home.mkdir()
        self.stage = world.stage.at(self.home)
        self.url = self.stage.url(self.prefix)
        self.signing = world.signing if scenario.is_signed else None
        old = {} if scenario.is_first else OLD
        lied_about = scenario.changes if fault and fault.is_lie_about_package() else ()
        self.is_lied_to = bool(lied_about)
        self.client = Client(f"{world.base}/{self.prefix}", world.named(old) or None,
                             world.named(old | scenario.changes), self.signing and self.signing.pair,
                             {*lied_about, *(old if lied_about else ())})
        self.course = Course(self.stage.bucket, self.prefix, fault, self.before_acknowledging)
        self.daemons = 0

    def __str__(self):
        return f"{self.scenario}: {self.fault or 'no fault'}"

    def run(self):
        """Fills client.problems; everything is removed when there are none."""
        with contextlib.ExitStack() as proxies:
            through = [proxies.enter_context(ScriptedStore(each, self.course, after_effect=self.after_effect)).url
                       for each in (self.stage.rgw, self.stage.sqs.endpoint)]
            self.queue, self.queue_url = self.stage.queue()
            try:
                self._run(through)
            except Exception:
                self.client.wrong(traceback.format_exc())
            finally:
                self.stage.queues.delete_queue(QueueUrl=self.queue_url)
        if self.client.problems:
            print(f"--- {self} ({self.home.name})\n" + "\n".join(self.client.problems[:3]), flush=True)
        else:
            shutil.rmtree(self.home)
        return self

    def _run(self, through):
        for href, number in ({} if self.scenario.is_first else OLD).items():
            self.world.put(self.prefix, href, number)
        if not self.scenario.is_warm:
            if not self.scenario.is_first:
                options = self.signing.init_options if self.signing else ()
                self.stage.program.run("update", "--create", self.url, *options)
            self.change()
        with self.daemon(through, self.scenario.quiet) as daemon:
            if self.scenario.is_warm:
                daemon.wait_for_message("published")
                self.change()
            if self.scenario.is_stopped:
                self.wait(daemon, lambda: f"ReceiveMessage #{MOST_RECEIVES}" in self.course.calls, "the messages")
            else:
                self.await_end(daemon)
        if self.scenario.is_stopped:
            with self.daemon(through, "100ms") as daemon:
                self.await_end(daemon)
        if self.client.read("at the end") != self.client.new and not self.is_lied_to:
            self.client.wrong("the change is not visible in the end")
        if not self.is_lied_to and len(self.client.repomds) > 2:
            self.client.wrong(f"one change was published {len(self.client.repomds) - 1} times")

    def daemon(self, through, quiet):
        self.daemons += 1
        return self.stage.daemon([self.queue], [self.url], [VISIBILITY], quiet=quiet, max_age="90s", through=through,
                                 repository=self.signing.settings if self.signing else (),
                                 log_name=f"daemon-{self.daemons}.log")

    def change(self):
        """From here on calls count, and may fail."""
        if self.client.read("before the change"):
            self.course.old_names = {record.href.rpartition("/")[2] for record in self.client.last.repomd.values()}
        for href, number in self.scenario.changes.items():
            self.world.put(self.prefix, href, number)
        self.tell()
        self.course.is_armed = True

    def tell(self):
        """One message about everything, so that it is done only when all of that is; it comes twice, as S3's may."""
        keys = [f"{self.prefix}/{href}" for href in self.scenario.changes]
        kind = "ObjectRemoved:Delete" if None in self.scenario.changes.values() else "ObjectCreated:Put"
        records = [record for key in keys for record in aws.s3_event(self.stage.bucket, key, kind)["Records"]]
        self.stage.send(self.queue_url, [json.dumps({"Records": records})] * 2)

    def is_settled(self):
        """With a receive that finds nothing afterwards: what the daemon does about the change it has done then."""
        return (self.course.met.is_set() or f"ReceiveMessage #{MOST_RECEIVES}" in self.course.calls) and \
            self.stage.is_empty(self.queue_url)

    def await_end(self, daemon):
        self.wait(daemon, self.is_settled, "the queue to be empty")
        for _ in range(LASTING if self.is_lied_to else 0):  # each time it may be told the lie again, and believe it
            if self.client.is_new():
                break
            self.tell()
            self.wait(daemon, self.is_settled, "the queue to be empty again")
        self.wait(daemon, lambda: self.is_settled() and self.client.is_new(), "the new repository")

    @staticmethod
    def wait(daemon, condition, what):
        wait_until(lambda: daemon.server.running() and condition(), END_WITHIN, what, PAUSE)

    def after_effect(self, seen):
        is_of_clients = not seen.action and "/.repoupdate/" not in seen.key
        if self.course.is_armed and is_of_clients:
            self.client.read(f"after {seen.method} {seen.key}")

    def before_acknowledging(self):
        if not self.is_lied_to and not self.client.is_new():
            self.client.wrong("messages are deleted, and the change is not visible, or not with a signature that fits")


def all_faults(world, home):
    """Scenario and fault, of everything that is called when nothing fails."""
    found = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        plain = list(pool.map(lambda scenario: Case(world, home, scenario).run(), SCENARIOS))
    for case in plain:
        assert not case.client.problems, f"{case}: {case.client.problems[0]}"
        for call in sorted(set(case.course.calls)):
            if case.scenario.only in call if case.scenario.only else not call.startswith("ChangeMessage"):
                ways = ways_of(call)
                found += [(case.scenario, Fault(call, way)) for way in ways]
                found += [(case.scenario, Fault(call, way, True)) for way in ways if not way.is_slow]
    return found


def chosen(faults):
    if WANTED.isdigit():
        return random.Random().sample(faults, min(int(WANTED), len(faults)))
    if WANTED:
        found = [each for each in faults if WANTED in ("all", "once") or WANTED in f"{each[0]}: {each[1]}"]
        found = [each for each in found if WANTED != "once" or not each[1].is_lasting]
        return random.Random(1).sample(found, len(found))  # those that wait long among the others
    quick = [each for each in faults if each[1].is_quick()]
    return random.Random(1).sample(quick, min(CASES, len(quick)))


@pytest.fixture(scope="module")
def signing(tmp_path_factory):
    with Keyring() as keyring:
        yield Signing(keyring, tmp_path_factory.mktemp("signing"))


@pytest.fixture(params=["moto", "rgw"])
def world(request, tmp_path, packages, signing):
    """moto's S3 and SQS; Ceph RGW and local-aws-sqs."""
    store = request.getfixturevalue(request.param)
    queue = store if request.param == "moto" else request.getfixturevalue("sqs")
    stage = QueueStage(store, queue, tmp_path)
    with serve_bucket(stage.rgw, stage.bucket) as view:
        yield World(stage, view.url, packages, signing)


@pytest.mark.timeout(TIMEOUT)
def test_every_call_fails_once_in_each_way(world, tmp_path):
    faults = all_faults(world, tmp_path)
    cases = chosen(faults)
    started = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        done = []
        for case in pool.map(lambda each: Case(world, tmp_path, *each).run(), cases):
            done.append(case)
            if len(done) % TELL_EVERY == 0:
                print(f"{len(done)} of {len(cases)}, {time.monotonic() - started:.0f} s", flush=True)
    unmet = [case for case in done if not case.course.met.is_set()]
    wrong = [case for case in done if case.client.problems]
    calls = len({(scenario.name, fault.call) for scenario, fault in faults})
    print(f"\n{len(SCENARIOS)} scenarios, {calls} calls, {len(faults)} cases; {len(done)} of them run, "
          f"{len(wrong)} wrong, in {len(unmet)} the call did not come; "
          f"{sum(case.client.reads for case in done)} reads, {time.monotonic() - started:.0f} s")
    # Some calls come or not as threads happen to run.
    assert len(unmet) <= len(done) * MOST_UNMET, [str(case) for case in unmet]
    assert not wrong, collections.Counter(str(case) for case in wrong)
