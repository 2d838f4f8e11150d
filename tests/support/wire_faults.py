# SPDX-License-Identifier: Apache-2.0
"""Every way in which one call to the store or to the queue can fail on the wire, and the script of a ScriptedStore that
lets one call fail like that: the n-th of its name, once, or that one and those that repeat it."""
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass

from support.scripted_store import (Cut, CutHead, Damage, DoneBut, Drop, FailedEntries, Garble, Hold, Look, Refuse, Say,
                                    Wait)

# More often than the program asks by itself before a call has failed for its caller (five times).
LASTING = 6
AT_ONCE = ("reset", "closed", "head cut", "500")  # ways after which the program asks again by itself, and soon
# Of the receives that find nothing, and go on for ever, the first.
MOST_RECEIVES = 2
UNARMED_POLL = 0.2  # seconds
CHECKSUM = re.compile(r"[0-9a-f]{64}-")
PROBE = re.compile(r"probe-[0-9a-f]{16}")
NO_ANSWER = b"<html><body>It works!</body></html>"
ERROR = b"<?xml version=\"1.0\"?><Error><Code>InternalError</Code><Message>We failed</Message></Error>"
JSON_ERROR = json.dumps({"__type": "com.amazonaws.sqs#InternalError", "message": "We failed"}).encode()


@dataclass(frozen=True)
class Way:
    name: str
    answer: Callable  # makes what a script gives
    fits: Callable = lambda call: True
    # Minutes, as the program waits for an answer. It comes once only.
    is_slow: bool = False


def is_change(call):
    return call.startswith(("PUT ", "DELETE ", "POST ", "DeleteMessage", "ChangeMessage"))


def has_effect(call):
    """A receive hides what it gives."""
    return is_change(call) or call.startswith("ReceiveMessage")


def has_body(call):
    return not call.startswith(("HEAD ", "PUT ", "DELETE "))


def is_get(call):
    return call.startswith(("GET ", "LIST"))


def is_batch(call):
    return "Batch" in call


CONNECTION_WAYS = (
    Way("reset before", lambda: Drop(reset=True)),
    Way("reset after", lambda: Drop(after=True, reset=True), has_effect),
    Way("closed before", Drop),
    Way("closed after", lambda: Drop(after=True), has_effect),
    Way("timeout before", Hold, is_slow=True),
    Way("timeout after", lambda: Hold(after=True), has_effect, is_slow=True),
    Way("head cut", CutHead),
    Way("body cut", Cut, has_body),
    Way("wrong bytes", Damage, has_body),
)

STORE_WAYS = CONNECTION_WAYS + (
    Way("400", lambda: Refuse(400, "BadDigest")),
    Way("403", lambda: Refuse(403, "AccessDenied")),
    Way("404", lambda: Refuse(404, "NoSuchKey")),
    Way("404 of the bucket", lambda: Refuse(404, "NoSuchBucket"), lambda call: not call.startswith("HEAD ")),
    Way("409", lambda: Refuse(409, "ConditionalRequestConflict")),
    Way("409 after", lambda: DoneBut(409, "ConditionalRequestConflict"), is_change),
    Way("412", lambda: Refuse(412, "PreconditionFailed")),
    Way("412 after", lambda: DoneBut(412, "PreconditionFailed"), is_change),
    Way("500", lambda: Refuse(500)),
    Way("500 after", lambda: DoneBut(500), is_change),
    Way("503", lambda: Refuse(503, "SlowDown")),
    Way("503 after", lambda: DoneBut(503, "SlowDown"), is_change),
    Way("200 with an error", lambda: Say(200, ERROR)),
    Way("200 with an error after", lambda: Say(200, ERROR, after=True), is_change),
    Way("wrong bytes sent", Garble, lambda call: call.startswith("PUT ")),
)

QUEUE_WAYS = CONNECTION_WAYS + (
    Way("400", lambda: Refuse(400, "InvalidParameterValue")),
    Way("403", lambda: Refuse(403, "AccessDeniedException")),
    Way("400 as no queue", lambda: Refuse(400, "QueueDoesNotExist")),
    Way("404", lambda: Refuse(404, "NotFound")),
    Way("409", lambda: Refuse(409, "Conflict")),
    Way("412", lambda: Refuse(412, "PreconditionFailed")),
    Way("400 as throttled", lambda: Refuse(400, "RequestThrottled")),
    Way("400 as too many open", lambda: Refuse(400, "OverLimit"), lambda call: call.startswith("ReceiveMessage")),
    Way("500", lambda: Refuse(500)),
    Way("500 after", lambda: DoneBut(500), has_effect),
    Way("503", lambda: Refuse(503, "ServiceUnavailable")),
    Way("503 after", lambda: DoneBut(503, "ServiceUnavailable"), has_effect),
    Way("200 with an error", lambda: Say(200, JSON_ERROR)),
    Way("200 with an error after", lambda: Say(200, JSON_ERROR, after=True), has_effect),
    Way("200 of something else", lambda: Say(200, NO_ANSWER)),
    Way("200 and nothing", lambda: Say(200, b"{}")),
    Way("200 and nothing after", lambda: Say(200, b"{}", after=True), has_effect),
    Way("another key", lambda: Damage(b".rpm"), lambda call: call.startswith("ReceiveMessage")),
    Way("failed entries", lambda: FailedEntries(ours=False), is_batch),
    Way("refused entries", lambda: FailedEntries(ours=True), is_batch),
    Way("a failed entry after", lambda: FailedEntries(ours=False, after=True), is_batch),
    Way("a refused entry after", lambda: FailedEntries(ours=True, after=True), is_batch),
)


def ways_of(call):
    is_queue = call.split(" ")[0] not in ("GET", "HEAD", "LIST", "PUT", "POST", "DELETE")
    return [way for way in (QUEUE_WAYS if is_queue else STORE_WAYS) if way.fits(call)]


@dataclass(frozen=True)
class Fault:
    call: str  # with its number
    way: Way
    is_lasting: bool = False

    def __str__(self):
        return f"{self.call}: {self.way.name}{', lasting' if self.is_lasting else ''}"

    @property
    def first(self):
        return int(self.call.rpartition("#")[2])

    @property
    def name(self):
        return self.call.rpartition(" #")[0]

    def is_quick(self):
        """Over within seconds: what lasts, and is not asked again at once, takes a redelivery each time."""
        return not self.way.is_slow and (not self.is_lasting or self.way.name.startswith(AT_ONCE))

    def is_lie_about_package(self):
        """Who is told 404 of a package twice can only believe it."""
        return self.is_lasting and self.way.name == "404" and ".rpm" in self.call


class Course:
    """The script of one case, for its store and its queue. Until it is armed nothing is counted, nothing fails, and
    the queue has nothing: what comes afterwards is counted from 1 in each run."""

    def __init__(self, bucket, prefix, fault, on_acknowledge):
        """`fault`: None lets all go well. `on_acknowledge` is called before messages are deleted."""
        self.root, self.fault, self.on_acknowledge = f"/{bucket}/{prefix}/", fault, on_acknowledge
        self.old_names = frozenset()  # of metadata files that were there before
        self.is_armed = False
        self.counts, self.calls = {}, []
        self.lock, self.met, self.is_over = threading.Lock(), threading.Event(), threading.Event()
        if not fault:
            self.met.set()

    def __call__(self, seen):
        with self.lock:
            if not self.is_armed:
                return Wait(UNARMED_POLL, answer=Say(200, b"{}")) if seen.action == "ReceiveMessage" else None
            name = self.name_of(seen)
            number = self.counts[name] = self.counts.get(name, 0) + 1
            if name != "ReceiveMessage" or number <= MOST_RECEIVES:
                self.calls.append(f"{name} #{number}")
            fails = self.fault and name == self.fault.name and \
                0 <= number - self.fault.first < (LASTING if self.fault.is_lasting else 1)
        answer = None
        if fails:
            self.met.set()
            answer = self.fault.way.answer()
        return Look(self.on_acknowledge, answer) if seen.action == "DeleteMessageBatch" else answer

    def name_of(self, seen):
        """The same in each run: metadata files are named after checksums of what differs from run to run, probes by
        chance."""
        if seen.action:
            return seen.action
        if "list-type" in seen.query:
            return "LIST"
        key = seen.key.removeprefix(self.root)
        file = key.rpartition("/")[2]
        if CHECKSUM.match(file):
            key = CHECKSUM.sub("OLD-" if file in self.old_names else "NEW-", key)
        name = f"{seen.method} {PROBE.sub('probe', key)}"
        if subresources := sorted(each for each in seen.query if each != "x-id"):
            name += "?" + "&".join(subresources)
        if asked := seen.headers.get("range"):
            name += " " + asked.removeprefix("bytes=")
        return name
