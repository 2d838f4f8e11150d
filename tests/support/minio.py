# SPDX-License-Identifier: Apache-2.0
"""MinIO on loopback, over one directory."""
import json
import os
import shutil
import tempfile
from pathlib import Path

from botocore.exceptions import ClientError

from support.aws import Endpoint
from support.process import Server, answers, find_server, free_port

ACCESS_KEY, SECRET_KEY = "AKTEST1", "secret/+test1"
REGION = "eu-central-1"
NO_RIGHTS = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::*"}]}


class Minio:
    """`extra_environment` configures what MinIO takes from its environment, such as the targets of notifications
    (MINIO_NOTIFY_WEBHOOK_ENABLE_name=on, MINIO_NOTIFY_WEBHOOK_ENDPOINT_name=URL)."""

    PROGRAMS = ("minio",)

    def __init__(self, extra_environment=None):
        self.home = Path(tempfile.mkdtemp(prefix="minio-", dir="/tmp"))
        (self.home / "data").mkdir()
        address = f"127.0.0.1:{free_port()}"
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), "MINIO_ROOT_USER": ACCESS_KEY,
                       "MINIO_ROOT_PASSWORD": SECRET_KEY, "MINIO_REGION": REGION, "MINIO_BROWSER": "off",
                       "MINIO_UPDATE": "off"}
        self.server = Server([find_server("minio"), "server", "--address", address, str(self.home / "data")],
                             self.home / "minio.log", env=environment | (extra_environment or {}))
        self.endpoint = Endpoint(f"http://{address}", ACCESS_KEY, SECRET_KEY, REGION)
        try:
            self.server.wait_for(lambda: answers(f"{self.endpoint.url}/minio/health/ready"), 60, "MinIO")
            self.stranger = self.server.wait_for(self._stranger, 60, "MinIO's sessions")
        except BaseException:
            print(self.server.output()[-4000:])
            self.stop()
            raise

    def _stranger(self):
        """Users are made by MinIO's own tool alone; a session whose policy forbids everything does as well. None while
        MinIO, which calls itself ready before that, has none to give."""
        try:
            session = self.endpoint.client("sts").assume_role(
                RoleArn="arn:minio:iam:::role/any", RoleSessionName="stranger", Policy=json.dumps(NO_RIGHTS))
        except ClientError as refusal:
            if "Server not initialized" in str(refusal):
                return None
            raise
        made = session["Credentials"]
        return Endpoint(self.endpoint.url, made["AccessKeyId"], made["SecretAccessKey"], REGION, made["SessionToken"])

    def stop(self):
        self.server.kill()
        shutil.rmtree(self.home, ignore_errors=True)
