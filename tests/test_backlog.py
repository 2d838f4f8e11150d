# SPDX-License-Identifier: Apache-2.0
"""A long queue about many repositories, and a daemon that is restarted while it works on it, once as it should be and
once by SIGKILL: nothing is lost, and it takes few publications.

REPOUPDATE_BACKLOG=100000 is the whole form (`make reliability`), over 20 repositories; with pytest's -s it says how it
went."""
import os
import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import metadata
from support.history import pkgid_of
from support.queue_stage import SENDERS

FULL = int(os.environ.get("REPOUPDATE_BACKLOG", 0))
EVENTS = FULL or 4000
REPOSITORIES = 20 if FULL else 5
PACKAGES_EACH = 100 if FULL else 40
REMOVED_SHARE = 5
TIMEOUT = 240 + EVENTS // 50
SOME = EVENTS // 5  # messages that each of the first two daemons acknowledges before it is ended
VISIBILITY = "30s" if FULL else "10s"
AT_A_TIME = EVENTS // 8  # that a daemon takes, so that it needs several turns


class Backlog:
    """Packages of all repositories, and `count` events about them in no order: of each at least one, of most many. Every
    fifth package is gone again when its events are read."""

    def __init__(self, stage, chosen, count):
        """`chosen`: prefix -> packages."""
        self.stage = stage
        self.keys = [(prefix, path.name) for prefix, paths in chosen.items() for path in paths]
        self.there = [(prefix, path) for prefix, paths in chosen.items()
                      for number, path in enumerate(paths) if number % REMOVED_SHARE]
        chance = random.Random(count)
        self.events = self.keys + chance.choices(self.keys, k=count - len(self.keys))
        chance.shuffle(self.events)

    def put(self, queue_url):
        with ThreadPoolExecutor(SENDERS) as senders:
            list(senders.map(lambda one: self.stage.put(one[1], one[0]), self.there))
        self.stage.send(queue_url, [self.stage.event(prefix, href) for prefix, href in self.events])

    def wanted(self, prefix):
        """href -> pkgid of what is to be listed."""
        return {path.name: pkgid_of(path.read_bytes()) for where, path in self.there if where == prefix}


@pytest.mark.timeout(TIMEOUT * 3)
def test_backlog_of_many_repositories_survives_restarts(stage, many_packages):
    name, url = stage.queue()
    prefixes = [f"el{number:02}" for number in range(REPOSITORIES)]
    chance = random.Random(EVENTS)
    chosen = {prefix: chance.sample(many_packages, PACKAGES_EACH) for prefix in prefixes}
    backlog = Backlog(stage, chosen, EVENTS)
    backlog.put(url)
    logs, started = [], time.monotonic()

    def daemon():
        logs.append(stage.daemon([name], [stage.url(prefix) for prefix in prefixes],
                                 [f'visibility = "{VISIBILITY}"', f"open_messages = {AT_A_TIME}"], quiet="1s",
                                 log_name=f"daemon-{len(logs)}.log"))
        return logs[-1]

    with daemon() as first:  # ended by SIGTERM
        first.wait_until(lambda: stage.depth(url) <= EVENTS - SOME, TIMEOUT, "the first part of the backlog")
    left = [stage.depth(url)]
    with daemon() as second:
        second.wait_until(lambda: stage.depth(url) <= max(left[0] - SOME, 0), TIMEOUT, "the second part of the backlog")
        second.kill()
    left.append(stage.depth(url))
    with daemon() as third:
        third.wait_until(lambda: not stage.depth(url), TIMEOUT, "the queue to be empty")
        seconds = time.monotonic() - started
    assert all(left), "the backlog was over before the restarts"
    for prefix in prefixes:
        repo = metadata.verify(stage.view(prefix))
        assert {package["href"]: package["pkgid"] for package in repo.packages} == \
            backlog.wanted(prefix)
    deliveries = stage.sqs.deliveries(name)
    publications = sum(len(one.messages("published")) for one in logs)
    print(f"\n{EVENTS} events about {len(backlog.keys)} keys of {REPOSITORIES} repositories: {seconds:.1f} s with two restarts "
          f"({left[0]} left after SIGTERM, {left[1]} after SIGKILL), {EVENTS / seconds:.0f} events/s, {publications} "
          f"publications, {len(backlog.there)} packages, {deliveries}")
    assert deliveries["messages"] == EVENTS
    assert publications <= 12 * REPOSITORIES, "events have to be coalesced"
