# SPDX-License-Identifier: Apache-2.0
"""What the workloads run in: an S3 server, moto's queue, synthetic packages, and the program."""
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote_plus

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from support.aws import make_queue  # noqa: E402
from support.program import Program  # noqa: E402
from support.servers import Moto  # noqa: E402
from support.stores import STORES, RunningStore  # noqa: E402

BUCKET = "bench"
UPLOADERS = 8


class World:
    """A context manager: everything that it starts ends with it."""

    def __init__(self, build, server):
        if missing := STORES[server].missing():
            sys.exit(missing)
        self.server = server
        self.repobench = build / "bench" / "repobench"
        os.environ["REPOUPDATE"] = str(build / "repoupdate")
        self.home = Path(tempfile.mkdtemp(prefix="s3bench-"))

    def __enter__(self):
        self.store = RunningStore(self.server, self.home)
        one = self.store.endpoint  # the program has one pair of keys for both services
        self.moto = Moto(self.home, f"{one.access_key}={one.secret_key}")
        self.s3 = self.store.endpoint.client("s3")
        self.s3.create_bucket(Bucket=BUCKET)
        self.sqs = self.moto.endpoint.client("sqs")
        self.queue_url, _ = make_queue(self.moto.endpoint, "bench")
        return self

    def __exit__(self, *_):
        self.moto.stop()
        self.store.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def generate(self, step, name=None, **plan):
        """One of repobench's steps that write files (bench/steps.hpp), into a directory of that name."""
        path = self.home / "plan.json"
        directory = self.home / (name or step)
        directory.mkdir()
        path.write_text(json.dumps({"directory": str(directory)} | plan))
        subprocess.run([self.repobench, "step", step, path], check=True, stdout=subprocess.DEVNULL)
        return directory

    def put_files(self, directory, prefix, hrefs):
        """As the program's own upload leaves them: with the record of their SHA-256."""
        def put(href):
            body = (directory / href).read_bytes()
            self.s3.put_object(Bucket=BUCKET, Key=prefix + href, Body=body,
                               Metadata={"repoupdate-sha256": hashlib.sha256(body).hexdigest()})

        with ThreadPoolExecutor(UPLOADERS) as pool:
            list(pool.map(put, hrefs))

    def program(self, store_url, name):
        """As a user of both services, with the store behind `store_url`."""
        home = self.home / name
        home.mkdir()
        endpoint = self.store.endpoint
        return Program(home, extra={
            "AWS_ACCESS_KEY_ID": endpoint.access_key, "AWS_SECRET_ACCESS_KEY": endpoint.secret_key,
            "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL_S3": store_url,
            "AWS_ENDPOINT_URL_SQS": self.moto.endpoint.url})

    def tell(self, hrefs, prefix, removed=False):
        """The store's notification, in one message."""
        name = "ObjectRemoved:Delete" if removed else "ObjectCreated:Put"
        records = [{"eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1", "eventName": name,
                    "s3": {"bucket": {"name": BUCKET}, "object": {"key": quote_plus(prefix + href)}}} for href in hrefs]
        self.sqs.send_message(QueueUrl=self.queue_url, MessageBody=json.dumps({"Records": records}))


def measured_run(program, *arguments):
    """Runs one command; its wall time, processor time and peak memory in bytes."""
    begin = time.monotonic()
    process = subprocess.Popen([os.environ["REPOUPDATE"], *arguments], cwd=program.home, env=program.environment,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out, errors = process.stdout.read(), process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"{' '.join(arguments)}: exit {process.returncode}\n{out}{errors}"
    return time.monotonic() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024
