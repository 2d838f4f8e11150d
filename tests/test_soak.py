# SPDX-License-Identifier: Apache-2.0
"""A daemon under steady load: what it takes does not grow, and nobody sees anything broken meanwhile.

REPOUPDATE_SOAK_MINUTES=60 is `make soak`; the usual form is one minute long and sees gross leaks only. The figures go to
standard output (pytest's -s) and to the directory in REPOUPDATE_FIGURES, as soak.csv and soak.svg."""
import contextlib
import os
import time
from pathlib import Path

import pytest

from support.churn import Place
from support.gpg import Keyring
from support.process_figures import Record
from support.program import IS_SANITIZED
from support.signing import Signing
from support.steady_reader import SteadyReader

MINUTES = float(os.environ.get("REPOUPDATE_SOAK_MINUTES", 1))
REPOSITORIES = 4
SLOTS = 40          # keys of each that come and go
PAUSE = 0.08        # seconds between two changes
EVERY = max(0.5, MINUTES / 12)  # seconds between two measurements
SWEEP = ['sweep = "1m"', 'sweep_grace = "1h"']  # as often and as early as it can be had
SHRINKING = ["shrink_limit = 100"]  # what comes and goes by chance may halve a repository within the hour
WARM_UP = 1 / 3     # of the time: connections, threads and caches come into being
WINDOWS = 6 if MINUTES > 5 else 2
KEPT_BY_SANITIZERS = ("memory", "private memory")  # so that a use after the end is found


@pytest.fixture
def stage(stage, tmp_path):
    stage.cache = tmp_path / "cache"
    stage.cache.mkdir()
    stage.program.environment["REPOUPDATE_CACHE_DIRECTORY"] = str(stage.cache)
    return stage


def soak(stage, daemon, churn, readers):
    """Measures the daemon while the time lasts."""
    record = Record(daemon.server.process.pid, stage.cache)
    while time.monotonic() < record.started + MINUTES * 60:
        time.sleep(EVERY)
        daemon.server.running()
        for reader in readers:
            reader.check()
        assert not churn.failure, churn.failure
        record.take(churn.changes())
    return record


@pytest.mark.timeout(MINUTES * 60 + 300)
def test_daemon_takes_no_more_after_long_work_than_before(stage, many_packages, packages, tmp_path):
    name, url = stage.queue()
    places = [Place(f"el{number}", SLOTS, packages[:5]) for number in range(REPOSITORIES)]
    urls = [stage.url(place.prefix) for place in places]
    with contextlib.ExitStack() as running:
        signing = Signing(running.enter_context(Keyring()), tmp_path)
        for each in urls:
            stage.program.run("init", each, *signing.init_options)
        churn = running.enter_context(stage.churn(places, many_packages, url, PAUSE))
        readers = [running.enter_context(SteadyReader(stage.public_url(place.prefix), place.history, signing.pair,
                                                      pause=0.5))
                   for place in places]
        daemon = running.enter_context(stage.daemon([name], urls, quiet="1s", max_age="3s",
                                                    repository=[*signing.settings, *SWEEP, *SHRINKING]))
        record = soak(stage, daemon, churn, readers)
        churn.stop()
        daemon.wait_until(lambda: not stage.depth(url), 60, "the queue to be empty")
        for place, reader in zip(places, readers, strict=True):
            reader.stop()
            reader.read()
            assert reader.listed == place.history.now()
        published = daemon.messages("published")
        complaints = [line for line in daemon.lines() if line["level"] in ("warning", "error")]

    windows = record.windows(WARM_UP, WINDOWS)
    medians = record.medians(windows)
    print(f"\n{MINUTES:g} minutes, {REPOSITORIES} repositories, {churn.counts}, {len(published)} publications, "
          f"{stage.sqs.deliveries(name)}")
    for reader in readers:
        print(reader.figures())
    print(signing.pair.figures())
    print(record.table(windows, medians))
    if where := os.environ.get("REPOUPDATE_FIGURES"):
        record.write_csv(Path(where) / "soak.csv")
        record.write_svg(Path(where) / "soak.svg")
    assert not complaints
    assert not record.growth(medians, KEPT_BY_SANITIZERS if IS_SANITIZED else ())
