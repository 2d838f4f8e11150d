# SPDX-License-Identifier: Apache-2.0
"""Queues under load and in trouble: backlogs, poison, several queues and several daemons. The queues are
local-aws-sqs's, the bucket is Ceph's, and the test writes the notifications that S3 would send.

REPOUPDATE_BACKLOG=100000 makes the backlog larger and prints how it went.
"""
import json
import os
import random
import time

import pytest

from support import aws, metadata
from support import packages as package_builder
from support.checks import published
from support.program import IS_SANITIZED, Exit
from support.queue_stage import NUMBERS
from support.servers import serve_bucket

BACKLOG = int(os.environ.get("REPOUPDATE_BACKLOG", 2000))
BACKLOG_TIMEOUT = 120 + BACKLOG // 50
MOST_MEMORY_MIB = 200


def complaints(daemon):
    return [line for line in daemon.lines() if line["level"] in ("warning", "error")]


def peak_memory_mib(daemon):
    with open(f"/proc/{daemon.server.process.pid}/status", encoding="ascii") as status:
        (line,) = (line for line in status if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024


def backlog_of(stage, prefix, hrefs, count):
    """`count` notifications in no order: each of `hrefs` many times over, keys that were never there, keys of nobody."""
    chance = random.Random(count)
    strangers = [stage.event(prefix, f"never-{number}.rpm") for number in range(50)]
    strangers += [stage.event(prefix, "p00.rpm", bucket="another-bucket"), stage.event("elsewhere", "p00.rpm"),
                  stage.event(prefix, "README"), json.dumps(aws.bucket_test_event(stage.bucket))]
    known = [stage.event(prefix, href) for href in hrefs]
    bodies = known + [chance.choice(known if chance.random() < 0.9 else strangers) for _ in range(count - len(known))]
    chance.shuffle(bodies)
    return bodies


def test_backlog_is_drained_into_few_publications(stage, many_packages):
    name, url = stage.queue()
    view = stage.view("el9")
    before, during = many_packages[:150], many_packages[150:]
    for path in before:
        stage.put(path, "el9")
    stage.send(url, backlog_of(stage, "el9", [path.name for path in before], BACKLOG))
    with stage.daemon([name], [stage.url("el9")], ['visibility = "30s"'], quiet="3s") as daemon:
        started = time.monotonic()
        for path in during:  # uploaded while the backlog is drained, and notified behind it
            stage.put(path, "el9")
        stage.send(url, [stage.event("el9", path.name) for path in during])
        daemon.wait_until(lambda: not stage.depth(url), BACKLOG_TIMEOUT, "the queue to be empty")
        seconds = time.monotonic() - started
        assert published(view) == sorted(path.name for path in many_packages)
        publications = len(daemon.messages("published"))
        memory = peak_memory_mib(daemon)
        deliveries = stage.sqs.deliveries(name)
        print(f"\nbacklog {BACKLOG}: {seconds:.1f} s, {BACKLOG / seconds:.0f} messages/s, {publications} publications, "
              f"peak memory {memory} MiB, deliveries {deliveries}")
        assert publications <= 10, "events have to be coalesced"
        assert memory < MOST_MEMORY_MIB or IS_SANITIZED
        assert deliveries["messages"] == BACKLOG + len(during)
        assert not complaints(daemon)
    metadata.verify(view)


def test_messages_stay_hidden_while_they_wait(stage, packages):
    """Longer than the visibility timeout, and nobody else gets them (semantics 7)."""
    name, url = stage.queue()
    view = stage.view("el9")
    with stage.daemon([name], [stage.url("el9")], ['visibility = "10s"'], quiet="25s", max_age="60s") as daemon:
        for path in packages[:30]:
            stage.put(path, "el9")
        stage.send(url, [stage.event("el9", path.name) for path in packages[:30]])
        daemon.wait_until(lambda: not stage.depth(url), 90, "the queue to be empty")
        assert published(view) == [path.name for path in packages[:30]]
        assert stage.sqs.deliveries(name) == {"messages": 30, "deliveries": 30, "most": 1}


def test_a_backlog_in_one_queue_does_not_hold_up_another(stage, packages):
    big, big_url = stage.queue()
    small, small_url = stage.queue()
    view = stage.view("small")
    stage.put(packages[0], "big")
    stage.send(big_url, [stage.event("big", packages[0].name)] * 8000)
    # Few may be open at the same time, so that the backlog needs many rounds.
    with stage.daemon([big, small], [stage.url("big"), stage.url("small")], ["open_messages = 200"]) as daemon:
        stage.put(packages[1], "small")
        stage.send(small_url, [stage.event("small", packages[1].name)])
        daemon.wait_until(lambda: published(view) == [packages[1].name], 60, "the small queue's package")
        assert stage.depth(big_url) > 0, "it was published after the backlog"
        daemon.wait_until(lambda: not stage.depth(big_url) + stage.depth(small_url), 120, "the queues to be empty")


def test_a_repository_that_fails_does_not_keep_the_messages_of_others_out(stage, packages):
    """More messages than may be open wait for a bucket that is not there (semantics 9)."""
    name, url = stage.queue()
    view = stage.view("el9")
    missing = f"missing-{next(NUMBERS)}"
    with stage.daemon([name], [f"s3://{missing}/el9", stage.url("el9")], ["open_messages = 100"]) as daemon:
        stage.send(url, [stage.event("el9", packages[0].name, bucket=missing)] * 400)
        stage.put(packages[1], "el9")
        stage.send(url, [stage.event("el9", packages[1].name)])
        daemon.wait_until(lambda: published(view) == [packages[1].name], 120, "the package behind them")
        # Nothing of what was left for later is lost.
        daemon.wait_until(lambda: stage.depth(url) == 400, 60, "only its message to be acknowledged")
        stage.s3.create_bucket(Bucket=missing)
        stage.s3.put_object(Bucket=missing, Key=f"el9/{packages[0].name}", Body=packages[0].read_bytes())
        with serve_bucket(stage.rgw, missing, "el9/") as late:
            daemon.wait_until(lambda: published(late.url) == [packages[0].name], 60, "the package of the new bucket")


def test_two_daemons_on_one_queue_share_it_and_lose_nothing(stage, many_packages):
    name, url = stage.queue()
    view = stage.view("el9")
    before, during = many_packages[:60], many_packages[60:120]
    for path in before:
        stage.put(path, "el9")
    stage.send(url, backlog_of(stage, "el9", [path.name for path in before], 600))
    arguments = [name], [stage.url("el9")], ["open_messages = 100"]
    with stage.daemon(*arguments, log_name="first.log") as first, \
         stage.daemon(*arguments, log_name="second.log") as second:
        for path in during:
            stage.put(path, "el9")
            stage.send(url, [stage.event("el9", path.name)])
        for path in before[:20]:
            stage.s3.delete_object(Bucket=stage.bucket, Key=f"el9/{path.name}")
            stage.send(url, [stage.event("el9", path.name)])
        first.wait_until(lambda: not stage.depth(url), 120, "the queue to be empty")
        assert published(view) == sorted(path.name for path in many_packages[20:120])
        assert not complaints(first) + complaints(second)
    metadata.verify(view)


# ---- poison ---------------------------------------------------------------------------------------------------

def send_poison(stage, url, packages):
    """A message that nobody understands, one about a file that is no package, and two good ones around them."""
    stage.s3.put_object(Bucket=stage.bucket, Key="el9/text.rpm", Body=b"this is no package\n")
    for path in packages:
        stage.put(path, "el9")
    stage.send(url, [stage.event("el9", packages[0].name), '{"order": "of something else"}',
                     stage.event("el9", "text.rpm"), stage.event("el9", packages[1].name)])


def test_poison_goes_to_the_dead_letter_queue_where_there_is_one(stage, packages):
    dead_url, dead_arn = aws.make_queue(stage.sqs.endpoint, f"dead-{next(NUMBERS)}")
    name, url = stage.queue(RedrivePolicy=json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": "2"}))
    view = stage.view("el9")
    with stage.daemon([name], [stage.url("el9")], ['visibility = "10s"', "park_after = 1"]) as daemon:
        send_poison(stage, url, packages[:2])
        daemon.wait_until(lambda: published(view) == [packages[0].name, packages[1].name], 60, "the good packages")
        daemon.wait_until(lambda: stage.depth(dead_url) == 2 and not stage.depth(url), 90, "the poison to be moved")
        assert dead_arn in str(daemon.messages("queue has a dead-letter queue"))
        assert not [line for line in daemon.lines() if "given up" in line["message"]], "the queue decides, not we"


def test_poison_is_given_up_where_nothing_else_takes_it(stage, packages):
    name, url = stage.queue()
    view = stage.view("el9")
    with stage.daemon([name], [stage.url("el9")], ['visibility = "10s"', "park_after = 2"]) as daemon:
        send_poison(stage, url, packages[:2])
        good = [packages[0].name, packages[1].name]
        daemon.wait_until(lambda: published(view) == good, 60, "the good packages")
        daemon.wait_until(lambda: not stage.depth(url), 90, "the queue to be empty")
        assert stage.sqs.deliveries(name)["most"] == 2, "it was tried again, and then no more"
        (parked,) = daemon.messages("message not understood, given up")
        assert parked["level"] == "error" and "of something else" in parked["body"]
        (unlisted,) = daemon.messages("package not listed, its message given up")
        assert unlisted["location_href"] == "text.rpm"
        # The object is still there, and nothing keeps a good one from taking its place.
        stage.put(packages[2], "el9", "text.rpm")
        stage.send(url, [stage.event("el9", "text.rpm")])
        daemon.wait_until(lambda: published(view) == sorted([*good, "text.rpm"]), 60, "the good text.rpm")


def test_fifo_queues_are_refused_with_the_reason(stage):
    daemon = stage.daemon(["pool.fifo"], [stage.url("el9")])
    stage.program.start("daemon", *daemon.command[-2:]).expect(Exit.USAGE, "pool.fifo", "FIFO", "S3 cannot notify")
