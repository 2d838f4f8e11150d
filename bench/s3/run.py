#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts what updates cost in requests, and how long they take where each request takes 20 ms more.

    run.py BUILD-DIRECTORY [--server NAME] [--packages COUNT] [--only PART]... [--markdown FILE]

Prints a table; `make bench-s3` runs it. See bench/README.md.
"""
import argparse
import gzip
import json
import re
import statistics
import sys
import time
from pathlib import Path

from latency_proxy import LatencyProxy, chain
from world import BUCKET, World, measured_run

from support.program import Daemon
from support.stores import STORES

LATENCY = 0.020
REPETITIONS = 5
FILES = 200  # that make a package as large, in XML, as Fedora's are on average
EVENTS = 20
PARTS = ("cold", "build", "warm")


class Table:
    COLUMNS = ("workload", "requests", "in a chain", "received", "sent", "wall", "at most")

    def __init__(self):
        self.rows = []

    def add(self, workload, runs, bars, note=""):
        """`runs`: (requests, seconds) of each repetition; `bars`: what they may be at most, by name."""
        found = {
            "requests": statistics.median(len(requests) for requests, _ in runs),
            "in a chain": statistics.median(chain(requests) for requests, _ in runs),
        }
        judged = [f"{bar} {name}: {'met' if found[name] <= bar else '**missed**'}" for name, bar in bars.items()]
        wall = statistics.median(seconds for _, seconds in runs)
        self.rows.append((workload, f"{found['requests']:.0f}", f"{found['in a chain']:.0f}",
                          size(statistics.median(sum(r.received for r in requests) for requests, _ in runs)),
                          size(statistics.median(sum(r.sent for r in requests) for requests, _ in runs)),
                          f"{wall * 1e3:.0f} ms", "; ".join(judged + ([note] if note else []))))
        print(f"  {workload}: {self.rows[-1][1:]}", file=sys.stderr)
        return wall

    def fact(self, workload, text, judged=""):
        self.rows.append((workload, "", "", "", "", text, judged))
        print(f"  {workload}: {text} {judged}", file=sys.stderr)

    def markdown(self):
        rows = [self.COLUMNS, tuple("---" for _ in self.COLUMNS), *self.rows]
        return "".join("| " + " | ".join(row) + " |\n" for row in rows)


def size(count):
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.1f} kB"


def verdict(value, limit):
    return "met" if value <= limit else "**missed**"


class Bench:
    def __init__(self, world, packages):
        self.world, self.packages, self.table = world, packages, Table()

    def run(self, parts):
        pool = self.world.generate("pool", packages=self.packages)
        lists = json.loads((pool / "pool.json").read_text())
        if "cold" in parts:
            self.cold(pool, lists)
        if "build" in parts:
            self.build()
        if "warm" in parts:
            self.warm(pool, lists)

    # A repository with metadata of Fedora's sizes; its packages are not there, which nobody asks for.
    def cold(self, pool, lists):
        prefix = "cold/"
        directory = self.world.generate("generate", packages=self.packages, compression="gz")
        for path in (directory / "repodata").iterdir():
            self.world.s3.upload_file(str(path), BUCKET, f"{prefix}repodata/{path.name}")
        hrefs = lists["scattered"][:REPETITIONS + 1]
        self.world.put_files(pool, prefix, hrefs)
        repository = f"s3://{BUCKET}/{prefix}"
        with LatencyProxy(self.world.store.endpoint.url, LATENCY) as proxy:
            program = self.world.program(proxy.url, "cold")
            program.run("update", repository, hrefs[0])  # takes the foreign files over
            proxy.take()
            runs = []
            for href in hrefs[1:]:
                seconds, _, _ = measured_run(program, "update", repository, href)
                runs.append((proxy.take(), seconds))
            self.table.add("one package added, new process", runs, {"requests": 11, "in a chain": 5})

    # Packages that were uploaded before there were any metadata.
    def build(self):
        prefix = "warm/"
        self.build_at(prefix, "packages")
        with LatencyProxy(self.world.store.endpoint.url, LATENCY) as proxy:
            program = self.world.program(proxy.url, "reconcile")
            seconds, _, peak = measured_run(program, "update", f"s3://{BUCKET}/{prefix}")
            requests = proxy.take()
        reads = sum(request.target.endswith(".rpm") for request in requests)
        self.table.fact(f"listing of {self.packages:,} that are listed",
                        f"{seconds:.2f} s, {len(requests)} requests, {peak / 1e6:.0f} MB",
                        f"0 packages read: {verdict(reads, 0)}")
        self.build_at("large/", "large packages", files=FILES)

    def build_at(self, prefix, name, **plan):
        directory = self.world.generate("packages", name, packages=self.packages, **plan)
        hrefs = [str(path.relative_to(directory)) for path in directory.rglob("*.rpm")]
        self.world.put_files(directory, prefix, hrefs)
        with LatencyProxy(self.world.store.endpoint.url, LATENCY) as proxy:
            program = self.world.program(proxy.url, f"build {name}")
            seconds, cpu, peak = measured_run(program, "update", f"s3://{BUCKET}/{prefix}", "--create")
            requests = proxy.take()
        share = cpu / seconds
        what = f" of {plan['files']} files each" if plan else ""
        self.table.fact(f"{self.packages:,} packages{what}, no metadata",
                        f"{seconds:.1f} s, {len(requests)} requests, {share:.0%} of one core, {peak / 1e6:.0f} MB",
                        f"30 % of one core: {verdict(share, 0.30)}; 300 MB: {verdict(peak / 1e6, 300)}")

    def warm(self, pool, lists):
        prefix = "warm/"
        hrefs = lists["scattered"][:400] + lists["family"][:400]
        self.world.put_files(pool, prefix, hrefs)
        for delay in (LATENCY, 0.0):
            with LatencyProxy(self.world.store.endpoint.url, delay) as proxy:
                program = self.world.program(proxy.url, f"warm-{delay}")
                with Daemon(program, "--repository", f"s3://{BUCKET}/{prefix}", "--queue", "bench", "--quiet", "0",
                            "--region", "us-east-1") as daemon:
                    self.settle(proxy)
                    if delay:
                        self.warm_requests(daemon, proxy, prefix, lists)
                    else:
                        self.visibility(prefix, pool, lists)

    @staticmethod
    def settle(proxy):
        """Until the daemon has nothing more to ask."""
        while True:
            proxy.take()
            time.sleep(1.5)
            if not proxy.requests and not proxy.under_way:
                return

    def rounds(self, daemon, proxy, prefix, batches, removed=False, publishes=True):
        runs = []
        for batch in batches:
            before = len(daemon.messages("published"))
            if removed:
                for href in batch:
                    self.world.s3.delete_object(Bucket=BUCKET, Key=prefix + href)
            proxy.take()
            self.world.tell(batch, prefix, removed)
            if publishes:
                daemon.wait_until(lambda: len(daemon.messages("published")) > before, 60, "a publication")
                seconds = daemon.messages("published")[-1]["seconds"]
                time.sleep(0.3)
            else:
                time.sleep(2.5)
                requests = proxy.requests
                seconds = max((r.end for r in requests), default=0) - min((r.begin for r in requests), default=0)
            runs.append((proxy.take(), seconds))
        return runs

    def warm_requests(self, daemon, proxy, prefix, lists):
        scattered, family = lists["scattered"], lists["family"]
        # Already there, so the first reconcile has listed them: taken away again first.
        ones = [[href] for href in scattered[:REPETITIONS]]
        some, many = [scattered[100:200], scattered[200:300], scattered[300:400]], [family[:100], family[100:200], family[200:300]]
        removed = self.rounds(daemon, proxy, prefix, ones, removed=True)
        self.table.add("one package removed, daemon", removed, {"requests": 7})
        for batch in some + many:
            self.rounds(daemon, proxy, prefix, [batch], removed=True)
        pool = self.world.home / "pool"
        self.world.put_files(pool, prefix, [href for batch in ones + some + many for href in batch])
        one = self.table.add("one package added, daemon", self.rounds(daemon, proxy, prefix, ones),
                             {"requests": 7, "in a chain": 4})
        runs = self.rounds(daemon, proxy, prefix, many)
        wall = statistics.median(seconds for _, seconds in runs)
        self.table.add("100 packages of one build added, daemon", runs, {"requests": 107, "in a chain": 4},
                       f"2 x the time of one: {wall / one:.1f} x, {verdict(wall / one, 2)}")
        runs = self.rounds(daemon, proxy, prefix, some)
        wall = statistics.median(seconds for _, seconds in runs)
        self.table.add("100 packages from all over added, daemon", runs, {}, f"{wall / one:.1f} x the time of one")
        self.table.add("event of a package that is listed, daemon",
                       self.rounds(daemon, proxy, prefix, ones, publishes=False), {"requests": 2},
                       "1 for the repository, 1 for the key")

    def visibility(self, prefix, pool, lists):
        """From the PUT of a package to a repomd.xml whose primary lists it, with the queue's own time beside it."""
        times, queue_times = [], []
        for href in lists["scattered"][400:400 + EVENTS]:
            begin = time.monotonic()
            self.world.put_files(pool, prefix, [href])
            self.world.tell([href], prefix)
            while not self.lists(prefix, href):
                time.sleep(0.002)
            times.append(time.monotonic() - begin)
        url = self.world.sqs.create_queue(QueueName="other")["QueueUrl"]
        for _ in range(EVENTS):
            begin = time.monotonic()
            self.world.sqs.send_message(QueueUrl=url, MessageBody="{}")
            self.world.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)
            queue_times.append(time.monotonic() - begin)
        beyond = statistics.median(times) - statistics.median(queue_times)
        self.table.fact("event to visible, no latency, quiet time 0",
                        f"median {statistics.median(times) * 1e3:.0f} ms, {statistics.median(queue_times) * 1e3:.0f} ms of "
                        f"them the queue's", f"300 ms beyond the queue: {verdict(beyond, 0.3)}")

    def lists(self, prefix, href):
        """As a client finds out: repomd.xml, then primary."""
        repomd = self.world.s3.get_object(Bucket=BUCKET, Key=f"{prefix}repodata/repomd.xml")["Body"].read().decode()
        key = prefix + re.search(r'href="(repodata/[^"]*primary[^"]*)"', repomd).group(1)
        if getattr(self, "seen", None) == key:
            return False
        primary = gzip.decompress(self.world.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()).decode()
        found = f'href="{href}"' in primary
        if not found:
            self.seen = key
        return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=Path, help="where repoupdate and repobench were built")
    parser.add_argument("--markdown", type=Path, help="also write the table to this file")
    parser.add_argument("--server", choices=STORES, default="seaweedfs", help="what the bucket is on")
    parser.add_argument("--packages", type=int, default=10_000, help="of the repository")
    parser.add_argument("--only", action="append", choices=PARTS, help="this part; warm needs build")
    arguments = parser.parse_args()
    with World(arguments.build.resolve(), arguments.server) as world:
        bench = Bench(world, arguments.packages)
        bench.run(arguments.only or PARTS)
    text = bench.table.markdown()
    if arguments.markdown:
        arguments.markdown.write_text(text)
    print(text, end="")


if __name__ == "__main__":
    main()
