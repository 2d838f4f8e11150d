# SPDX-License-Identifier: Apache-2.0
"""The daemon is killed at random moments, again and again, while packages are added, replaced and removed, and a client
reads all the time: no read is broken, and in the end exactly what is in the bucket is listed. The same with SIGTERM, and
with bad lines between the daemon, its store and its queue.

REPOUPDATE_ROUNDS=300 is the whole form (`make reliability`); with pytest's -s each test says what happened."""
import contextlib
import os
import random
import signal
import threading

import pytest

from support import aws
from support.churn import Place
from support.gpg import Keyring
from support.program import Exit
from support.relay import Relay
from support.signing import Signing
from support.steady_reader import SteadyReader
from support.trouble import Trouble

FULL_ROUNDS = int(os.environ.get("REPOUPDATE_ROUNDS", 0))
ROUNDS = FULL_ROUNDS or 6
TROUBLED_ROUNDS = FULL_ROUNDS // 3 or 3  # each takes several times as long
SIGNED_ROUNDS = FULL_ROUNDS or 3
SLOTS = 30
PAUSE = 0.03               # seconds between two changes
LONGEST_LIFE = 1.5         # seconds that a daemon has, from its start on
LONGEST_TROUBLED_LIFE = 6  # the same behind bad lines, where it gets on slowly
LONGEST_WAIT = 15          # seconds for a publication to begin
LONGEST_WRITE = 0.03       # seconds from the first byte of a publication on, when that is when it is killed
VISIBILITY = 'visibility = "10s"'  # the shortest there is
TIMEOUT = 300 + FULL_ROUNDS * 10


class Publishing:
    """A gate of a relay in front of the store: notices when a publication begins to be written."""

    def __init__(self):
        self.begun = threading.Event()

    def __call__(self, piece):
        if piece.startswith(b"PUT ") and b"/repodata/" in piece[:300]:
            self.begun.set()


class Rounds:
    """Lives of a daemon: each ends at a moment that chance chooses, half of them while a publication is written."""

    def __init__(self, stage, queue, place, publishing, through, longest_life, signing, seed):
        self.longest_life, self.signing = longest_life, signing
        self.stage, self.queue, self.place, self.publishing, self.through = stage, queue, place, publishing, through
        self.chance = random.Random(seed)
        self.publications = self.aimed = self.complaints = 0

    def daemon(self, number):
        return self.stage.daemon([self.queue], [self.stage.url(self.place.prefix)], [VISIBILITY], quiet="100ms",
                                 max_age="400ms", through=self.through,
                                 repository=self.signing.settings if self.signing else (), log_name=f"round-{number}.log")

    def live(self, number, end):
        """One life; `end` is the signal."""
        daemon = self.daemon(number)
        self.publishing.begun.clear()
        daemon.launch()
        if number % 2 and self.publishing.begun.wait(LONGEST_WAIT):
            self.aimed += 1
            threading.Event().wait(self.chance.uniform(0, LONGEST_WRITE))
        else:
            threading.Event().wait(self.chance.uniform(0, self.longest_life))
        process = daemon.server.process
        daemon.server.running()
        process.send_signal(end)
        code = process.wait(60)
        # Before it handles signals SIGTERM ends it as any other program.
        early = end == signal.SIGTERM and not daemon.server.output()
        assert code == (-end if end == signal.SIGKILL or early else Exit.DONE), daemon.server.output()[-4000:]
        self.count(daemon)

    def count(self, daemon):
        self.publications += len(daemon.messages("published"))
        self.complaints += len([line for line in daemon.lines() if line["level"] in ("warning", "error")])


def run_rounds(stage, place, pool, end, publishing, through, count=ROUNDS, longest_life=LONGEST_LIFE, signing=None,
               seed=1):
    """The whole of one test; `through`: addresses that stand for the store and the queue. `signing`: where the repository
    is signed, the lines of its settings, and as `pair` a SignedPair."""
    queue, queue_url = stage.queue()
    stage.program.run("init", stage.url(place.prefix), *(signing.init_options if signing else ()))
    rounds = Rounds(stage, queue, place, publishing, through, longest_life, signing, seed)
    pair = signing.pair if signing else None
    with stage.churn([place], pool, queue_url, PAUSE, seed=seed) as churn, \
         SteadyReader(stage.public_url(place.prefix), place.history, pair, seed=seed) as reader:
        for number in range(count):
            rounds.live(number, end)
            reader.check()
            if pair and end == signal.SIGTERM:
                assert pair.agrees(reader.url), "a daemon that was ended properly left another signature"
        churn.stop()
        with rounds.daemon("last") as daemon:
            daemon.wait_until(lambda: not stage.depth(queue_url), 120, "the queue to be empty")
        rounds.count(daemon)
        reader.stop()
    reader.read()
    assert reader.listed == place.history.now()
    if pair:
        assert pair.agrees(reader.url)
        print(pair.figures())
    stage.program.run("verify", stage.url(place.prefix), *(signing.verify_options if signing else ()))
    deliveries = stage.sqs.deliveries(queue)
    print(f"\n{end.name}: {count} rounds, {rounds.aimed} of them in a publication; {churn.counts}; "
          f"{rounds.publications} publications told, {len(files_of(stage, place))} primary files; {deliveries['messages']} "
          f"events, {deliveries['deliveries'] - deliveries['messages']} redeliveries, at most {deliveries['most']} of one; "
          f"{len(reader.listed)} packages; {rounds.complaints} warnings and errors\n{reader.figures()}")
    return rounds


def files_of(stage, place):
    return [key for key in aws.keys(stage.rgw, stage.bucket, f"{place.prefix}/repodata/") if "primary" in key]


@pytest.mark.timeout(TIMEOUT)
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM], ids=["kill", "term"])
def test_daemon_that_ends_at_any_moment_loses_and_breaks_nothing(stage, many_packages, packages, end):
    publishing = Publishing()
    with Relay(stage.rgw.url, publishing) as relay:
        run_rounds(stage, Place("el9", SLOTS, packages[:5]), many_packages, end, publishing,
                   (relay.url, stage.sqs.endpoint.url))


@pytest.mark.timeout(TIMEOUT)
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM], ids=["kill", "term"])
def test_signature_fits_again_after_any_end(stage, many_packages, packages, tmp_path, end):
    """After SIGTERM it fits at once; after SIGKILL when the next daemon has looked at the pair."""
    publishing = Publishing()
    with Relay(stage.rgw.url, publishing) as relay, Keyring() as keyring:
        (tmp_path / "signing").mkdir()
        run_rounds(stage, Place("el9", SLOTS, packages[:5]), many_packages, end, publishing,
                   (relay.url, stage.sqs.endpoint.url),
                   SIGNED_ROUNDS, signing=Signing(keyring, tmp_path / "signing"))


@pytest.mark.timeout(TIMEOUT * 2)
def test_daemon_that_is_killed_behind_bad_lines_loses_and_breaks_nothing(stage, many_packages, packages):
    publishing = Publishing()
    with contextlib.ExitStack() as lines:
        store = lines.enter_context(Trouble(stage.rgw.url, gate=publishing, seed=2))
        queue = lines.enter_context(Trouble(stage.sqs.endpoint.url, mean_bytes=20_000, seed=3))
        run_rounds(stage, Place("el9", SLOTS, packages[:5]), many_packages, signal.SIGKILL, publishing,
                   (store.url, queue.url),
                   TROUBLED_ROUNDS, LONGEST_TROUBLED_LIFE, seed=2)
        print(f"to the store: {dict(store.met)}\nto the queue: {dict(queue.met)}")
        assert len(store.met) > 1 and len(queue.met) > 1, "no trouble was met"
