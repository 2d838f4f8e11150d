# SPDX-License-Identifier: Apache-2.0
"""SeaweedFS on loopback: master, volume server, filer and S3 gateway in one process."""
import json
import os
import shutil
import tempfile
from pathlib import Path

from support.aws import Endpoint
from support.process import Server, find_server, free_port, listens

ACCESS_KEY, SECRET_KEY = "AKTEST1", "secret/+test1"
STRANGER_KEY, STRANGER_SECRET = "AKSTRANGER", "secret/+stranger"
REGION = "us-east-1"

IDENTITIES = {"identities": [
    {"name": "test", "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
     "actions": ["Admin", "Read", "List", "Tagging", "Write"]},
    {"name": "stranger", "credentials": [{"accessKey": STRANGER_KEY, "secretKey": STRANGER_SECRET}],
     "actions": ["Read:another-bucket"]},
]}


class SeaweedFs:
    PROGRAMS = ("weed",)

    def __init__(self, extra_environment=None):
        self.home = Path(tempfile.mkdtemp(prefix="seaweedfs-", dir="/tmp"))
        (self.home / "data").mkdir()
        (self.home / "s3.json").write_text(json.dumps(IDENTITIES))
        services = ("master", "volume", "filer", "s3")
        ports = {name: free_port() for name in (*services, "iceberg", "lance")}
        self.grpc_ports = {name: free_port() for name in services}
        self.server = Server(
            [find_server("weed"), "-logtostderr", "server", f"-dir={self.home / 'data'}", "-ip=127.0.0.1",
             "-ip.bind=127.0.0.1", "-filer", "-s3", f"-s3.config={self.home / 's3.json'}",
             f"-s3.port.iceberg={ports['iceberg']}", f"-s3.port.lance={ports['lance']}",
             f"-filer.localSocket={self.home / 'filer.sock'}", f"-s3.localSocket={self.home / 's3.sock'}",
             *(f"-{name}.port={ports[name]}" for name in services),
             *(f"-{name}.port.grpc={port}" for name, port in self.grpc_ports.items()),
             # It would tell its makers of itself.
             "-master.telemetry=false",
             # Room for some buckets, each of which takes several volumes.
             "-master.volumeSizeLimitMB=64", "-volume.max=0"],
            self.home / "weed.log", env={"PATH": os.environ["PATH"], "HOME": str(self.home)} | (extra_environment or {}))
        self.endpoint = Endpoint(f"http://127.0.0.1:{ports['s3']}", ACCESS_KEY, SECRET_KEY, REGION)
        self.stranger = Endpoint(self.endpoint.url, STRANGER_KEY, STRANGER_SECRET, REGION)
        try:
            self.server.wait_for(lambda: listens(ports["s3"]), 60, "SeaweedFS's S3 gateway")
        except BaseException:
            print(self.server.output()[-4000:])
            self.stop()
            raise

    def stop(self):
        self.server.kill()
        shutil.rmtree(self.home, ignore_errors=True)
        # Sockets that have no flag of their own.
        for name, port in self.grpc_ports.items():
            Path(f"/tmp/seaweedfs-{name}-grpc-{port}.sock").unlink(missing_ok=True)
