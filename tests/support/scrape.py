# SPDX-License-Identifier: Apache-2.0
"""What monitoring sees of a daemon: /metrics, read strictly, /healthz and /readyz."""
import json
import math
import re
import urllib.error
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
LINE = re.compile(r'[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\[\\"n])*",?)*\})? [^ ]+')


def fetch(url):
    """Status, content type and text, whatever the status."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers["Content-Type"], answer.read().decode()


def check_text(text):
    """What the text format demands beyond what the parser looks at."""
    assert text.endswith("\n")
    seen, family = set(), None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            family = line.split(" ", 3)[2]
            assert family not in seen, f"{family} comes twice"
            seen.add(family)
        elif line.startswith("# TYPE "):
            assert line.split(" ")[2] == family, f"the type of another family: {line}"
        else:
            assert LINE.fullmatch(line), f"no sample: {line!r}"
            assert re.fullmatch(rf"{family}(_bucket|_sum|_count)?[ {{].*", line), f"under {family}: {line}"
    samples = [line.rsplit(" ", 1)[0] for line in text.splitlines() if not line.startswith("#")]
    assert len(samples) == len(set(samples)), "a series comes twice"


class Metrics:
    def __init__(self, text):
        check_text(text)
        self.text = text
        self.families = {family.name: family for family in text_string_to_metric_families(text)}
        for family in self.families.values():
            if family.type == "histogram":
                self.check_histogram(family)

    @staticmethod
    def check_histogram(family):
        series = {}
        for sample in family.samples:
            labels = tuple(sorted((name, value) for name, value in sample.labels.items() if name != "le"))
            series.setdefault(labels, {}).setdefault(sample.name.removeprefix(family.name), []).append(sample)
        for parts in series.values():
            bounds = [float(sample.labels["le"]) for sample in parts["_bucket"]]
            counts = [sample.value for sample in parts["_bucket"]]
            assert bounds == sorted(bounds) and bounds[-1] == math.inf
            assert counts == sorted(counts) and counts[-1] == parts["_count"][0].value

    def names(self):
        """Of all samples, as rules and dashboards use them."""
        return {sample.name for family in self.families.values() for sample in family.samples}

    def all(self, name, **labels):
        return [sample for family in self.families.values() for sample in family.samples
                if sample.name == name and labels.items() <= sample.labels.items()]

    def value(self, name, **labels):
        """Of all series that have these labels, added up; None when there is none."""
        found = self.all(name, **labels)
        return sum(sample.value for sample in found) if found else None


class Monitor:
    """Of a daemon that was started with --metrics 127.0.0.1:0."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.url = daemon.wait_for_message("metrics listen")["url"].removesuffix("/metrics")

    def metrics(self):
        status, kind, text = fetch(self.url + "/metrics")
        assert (status, kind) == (200, CONTENT_TYPE)
        return Metrics(text)

    def state(self, page):
        status, kind, text = fetch(f"{self.url}/{page}")
        assert kind == "application/json"
        return status, json.loads(text)

    def wait_for(self, condition, what, timeout=60):
        """The metrics, as soon as condition(metrics) holds."""
        def holds():
            metrics = self.metrics()
            return metrics if condition(metrics) else None

        return self.daemon.wait_until(holds, timeout, what)

    def wait_for_state(self, page, status, timeout=90):
        def holds():
            found, answer = self.state(page)
            return answer if found == status else None

        return self.daemon.wait_until(holds, timeout, f"/{page} to answer {status}")
