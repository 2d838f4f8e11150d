# SPDX-License-Identifier: Apache-2.0
"""What every key of a repository has been, in order, and whether the metadata that a client reads follow it.

A store cannot change a package and the metadata together, so a client may see metadata that are older than the objects.
What it may never see: a package that was not there, one that nobody touched missing, or a step back: once the metadata
have told of a state of a key, an older state of it must not come back, whoever was killed or lost a race meanwhile."""
import hashlib
import threading

GONE = None


def pkgid_of(data):
    return hashlib.sha256(data).hexdigest()


class History:
    """Thread-safe. A key's states are its pkgids in order, with GONE where it was not there, as it is at the beginning."""

    def __init__(self):
        self.lock = threading.Lock()
        self.states = {}
        self.changes = 0

    def begin(self, href, pkgid):
        """To be called before the store is told: whoever lists it already is not wrong."""
        with self.lock:
            self.states.setdefault(href, [GONE]).append(pkgid)
            self.changes += 1

    def now(self):
        """href -> pkgid of what is there."""
        with self.lock:
            return {href: states[-1] for href, states in self.states.items() if states[-1] is not GONE}

    def after(self, href, position):
        """The states from this one on."""
        with self.lock:
            return list(self.states[href][position:])

    def all(self):
        with self.lock:
            return {href: list(states) for href, states in self.states.items()}


class Follower:
    """One reader's way through a history."""

    def __init__(self, history):
        self.history = history
        self.positions = {}  # href -> the earliest state that the metadata can mean, after all that was read before

    def follow(self, listed):
        """`listed`: href -> pkgid, read after the call before. Fails when no order of events explains it."""
        states = self.history.all()
        strangers = sorted(set(listed) - set(states))
        assert not strangers, f"listed, and never there: {strangers}"
        for href, known in states.items():
            position = self.positions.get(href, 0)
            wanted = listed.get(href, GONE)
            assert wanted in known[position:], \
                f"{href} is listed as {wanted}, which it was not since state {position} of {known}"
            self.positions[href] = known.index(wanted, position)

    def explains_body(self, href, body):
        """`body`: the object's bytes, or GONE, fetched after follow(): as listed, or what it became later."""
        found = GONE if body is GONE else pkgid_of(body)
        later = self.history.after(href, self.positions[href])
        assert found in later, f"{href} has the bytes of {found}, none of {later}"
