# SPDX-License-Identifier: Apache-2.0
"""Versity's S3 gateway on loopback, over a directory: object names become file names, metadata extended attributes."""
import json
import os
import shutil
import tempfile
from pathlib import Path

from support.aws import Endpoint
from support.process import Server, find_server, free_port, listens

ACCESS_KEY, SECRET_KEY = "AKTEST1", "secret/+test1"
STRANGER_KEY, STRANGER_SECRET = "AKSTRANGER", "secret/+stranger"
REGION = "eu-central-1"


class VersityGw:
    PROGRAMS = ("versitygw",)

    def __init__(self, extra_environment=None):
        self.home = Path(tempfile.mkdtemp(prefix="versitygw-", dir="/tmp"))
        for name in ("data", "iam", "versions"):
            (self.home / name).mkdir()
        # A user without buckets of its own; what `versitygw admin create-user` writes.
        (self.home / "iam/users.json").write_text(json.dumps({"accessAccounts": {STRANGER_KEY: {
            "access": STRANGER_KEY, "secret": STRANGER_SECRET, "role": "user"}}}))
        port = free_port()
        environment = {"PATH": os.environ["PATH"], "ROOT_ACCESS_KEY": ACCESS_KEY, "ROOT_SECRET_KEY": SECRET_KEY}
        self.server = Server(
            [find_server("versitygw"), "--port", f"127.0.0.1:{port}", "--region", REGION, "--keep-alive",
             "--iam-dir", str(self.home / "iam"), "posix", str(self.home / "data")],
            self.home / "versitygw.log", env=environment | (extra_environment or {}))
        try:
            self.server.wait_for(lambda: listens(port), 60, "versitygw")
        except BaseException:
            self.stop()
            raise
        url = f"http://127.0.0.1:{port}"
        self.endpoint = Endpoint(url, ACCESS_KEY, SECRET_KEY, REGION)
        self.stranger = Endpoint(url, STRANGER_KEY, STRANGER_SECRET, REGION)

    def stop(self):
        self.server.kill()
        shutil.rmtree(self.home, ignore_errors=True)
