# SPDX-License-Identifier: Apache-2.0
"""SQS for load, from npm's local-aws-sqs: thousands of messages a second, no signatures checked."""
import json
import os
import shutil
import urllib.request
from pathlib import Path

from support.aws import Endpoint
from support.process import Server

MODULES = Path(__file__).resolve().parents[2] / ".npm" / "node_modules"
MISSING = "not installed: npm's local-aws-sqs (scripts/install-deps --test installs it)"


def installed():
    return bool(shutil.which("node")) and (MODULES / "local-aws-sqs").is_dir()


class LocalSqs:
    def __init__(self, directory, access_key, secret_key):
        port_file = directory / "sqs.port"
        self.server = Server(["node", str(Path(__file__).with_suffix(".js")), str(port_file)], directory / "sqs.log",
                             env=os.environ | {"NODE_PATH": str(MODULES)})
        self.server.wait_for(port_file.exists, 60, "local-aws-sqs to start")
        self.endpoint = Endpoint(f"http://127.0.0.1:{port_file.read_text()}", access_key, secret_key)

    def deliveries(self, queue):
        """How many messages of a queue were delivered, how often in all, and how often the most frequent one."""
        with urllib.request.urlopen(f"{self.endpoint.url}/deliveries") as answer:
            return json.load(answer)[queue]

    def stop(self):
        self.server.kill()
