# SPDX-License-Identifier: Apache-2.0
"""Servers on loopback: moto (S3, SQS, SNS), and plain HTTP views of a directory and of a bucket for dnf and zypper."""
import functools
import http.server
import shutil
import sys
import threading
import urllib.parse
from pathlib import Path

from botocore.exceptions import ClientError

from support.aws import Endpoint
from support.process import Server

COPY_BYTES = 1 << 20


class Moto:
    """S3 and SQS with notifications, behind strict_moto.py's signature check."""

    ACCESS_KEY, SECRET_KEY = "AKIDTEST", "secret/+of=test"
    READER_KEY, READER_SECRET = "AKIDREADER", "secret+of/reader"  # may only GET and HEAD

    def __init__(self, directory, *others, conditions=None):
        """`others`: "key=secret" of more users who may do everything. `conditions`: how it treats those of writes when
        not as AWS does, "ignored" or "refused"."""
        name = f"moto-{conditions}" if conditions else "moto"
        port_file = directory / f"{name}.port"
        self.server = Server(
            [sys.executable, str(Path(__file__).with_name("strict_moto.py")), str(port_file),
             "--read-only", self.READER_KEY, *(["--conditions", conditions] if conditions else []),
             f"{self.ACCESS_KEY}={self.SECRET_KEY}", f"{self.READER_KEY}={self.READER_SECRET}", *others],
            directory / f"{name}.log")
        self.server.wait_for(port_file.exists, 60, "moto to start")
        url = f"http://127.0.0.1:{port_file.read_text()}"
        self.endpoint = Endpoint(url, self.ACCESS_KEY, self.SECRET_KEY)
        self.reader = Endpoint(url, self.READER_KEY, self.READER_SECRET)
        self.stranger = Endpoint(url, "AKIDNOBODY", "secret+of/nobody")  # a key that the server does not know

    def stop(self):
        self.server.kill()


class HttpServer:
    """Answers what `handler` knows on 127.0.0.1 from a thread of this process. A context manager; `url` has no last slash."""

    def __init__(self, handler, server_class=http.server.ThreadingHTTPServer):
        self.server = server_class(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class DirectoryHandler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass


class BucketHandler(http.server.BaseHTTPRequestHandler):
    """The objects of a bucket below a prefix, read through a boto3 client."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each answer waits 40 ms between its head and its body

    def __init__(self, *arguments, client, bucket, prefix):
        self.client, self.bucket, self.prefix = client, bucket, prefix
        super().__init__(*arguments)

    def log_message(self, *_):
        pass

    def do_GET(self):
        key = self.prefix + urllib.parse.unquote(urllib.parse.urlsplit(self.path).path.lstrip("/"))
        try:
            answer = self.client.get_object(Bucket=self.bucket, Key=key)
        except ClientError as failure:
            self.send_error(failure.response["ResponseMetadata"]["HTTPStatusCode"])
            return
        self.send_response(200)
        self.send_header("Content-Length", str(answer["ContentLength"]))
        self.send_header("Content-Type", answer["ContentType"])
        self.end_headers()
        if self.command == "GET":
            shutil.copyfileobj(answer["Body"], self.wfile, COPY_BYTES)

    do_HEAD = do_GET


def serve_directory(directory):
    return HttpServer(functools.partial(DirectoryHandler, directory=str(directory)))


def serve_bucket(endpoint, bucket, prefix=""):
    return HttpServer(functools.partial(BucketHandler, client=endpoint.client("s3"), bucket=bucket, prefix=prefix))
