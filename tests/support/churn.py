# SPDX-License-Identifier: Apache-2.0
"""A steady stream of added, replaced and removed packages, as the users of a bucket make it."""
import random
import threading
import traceback

from support.history import GONE, History, pkgid_of

TWICE = 0.05  # of the events come twice, as S3's may


class Place:
    """One repository that is worked on: its prefix, its keys, and what they were."""

    def __init__(self, prefix, slots, still=()):
        """`slots`: how many keys come and go. `still`: packages that are put first, and then left alone."""
        self.prefix, self.history = prefix, History()
        self.still = {f"still/{path.name}": path for path in still}
        folders = ("", "Packages/", "with space/ü+/")
        self.slots = [f"{folders[number % 3]}slot+{number:03}.rpm" for number in range(slots)]


class Churn:
    """A context manager; it works in a thread of its own, until stop(). `put(key, bytes)` and `delete(key)` change the
    store, `tell(key)` then says so to the queue, where the store does not do that itself."""

    def __init__(self, places, packages, put, delete, tell, pause, seed=1):
        """`pause`: seconds between two changes. Half of the slots are taken, more or less. `packages` must be more than
        all places have slots, so that no package is at two places at a time."""
        self.places, self.pause = places, pause
        self.put_object, self.delete_object, self.tell = put, delete, tell
        self.chance = random.Random(seed)
        self.bodies = {pkgid_of(data): data for data in (path.read_bytes() for path in packages)}
        self.free = list(self.bodies)
        assert len(self.free) > sum(len(place.slots) for place in places)
        self.counts = {"added": 0, "replaced": 0, "removed": 0}
        self.failure = None
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        for place in self.places:
            for href, path in place.still.items():
                data = path.read_bytes()
                place.history.begin(href, pkgid_of(data))
                self._tell_after(place, href, lambda key, data=data: self.put_object(key, data))
            for href in place.slots[::2]:
                self._put(place, href)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Ends it; fails when something went wrong."""
        self.stopped.set()
        self.thread.join()
        assert not self.failure, self.failure

    def changes(self):
        return sum(self.counts.values())

    def _run(self):
        try:
            while not self.stopped.wait(self.pause):
                self.change()
        except Exception:  # told by stop()
            self.failure = traceback.format_exc()

    def change(self):
        place = self.chance.choice(self.places)
        href = self.chance.choice(place.slots)
        if href not in place.history.now():
            self._put(place, href)
            self.counts["added"] += 1
        elif self.chance.random() < 0.5:
            self._put(place, href)
            self.counts["replaced"] += 1
        else:
            self._remove(place, href)
            self.counts["removed"] += 1

    def _put(self, place, href):
        self._release(place, href)
        pkgid = self.free.pop(self.chance.randrange(len(self.free)))
        place.history.begin(href, pkgid)
        self._tell_after(place, href, lambda key: self.put_object(key, self.bodies[pkgid]))

    def _remove(self, place, href):
        self._release(place, href)
        place.history.begin(href, GONE)
        self._tell_after(place, href, self.delete_object)

    def _release(self, place, href):
        if (old := place.history.now().get(href)) is not GONE:
            self.free.append(old)

    def _tell_after(self, place, href, change):
        key = f"{place.prefix}/{href}"
        change(key)
        self.tell(key)
        if self.chance.random() < TWICE:
            self.tell(key)
