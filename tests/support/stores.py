# SPDX-License-Identifier: Apache-2.0
"""The S3 servers that tests/test_stores.py runs against: how each is started, and where it is known to differ from
S3. The suite asserts these differences, so that a server which changes is noticed."""
import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field

from support.minio import Minio
from support.process import find_server
from support.rgw import Rgw
from support.seaweedfs import SeaweedFs
from support.servers import Moto
from support.swift import Swift
from support.versitygw import VersityGw


@dataclass(frozen=True)
class Store:
    title: str
    start: Callable  # of a directory that outlives the server; it has endpoint, stranger and stop()
    programs: tuple[str, ...] = ()  # what has to be installed
    option: str = "--test"  # of scripts/install-deps, which installs them
    # False: 501 to If-Match and If-None-Match on a PUT, so writers take turns by a lease.
    conditional_writes: bool = True
    # False: requests signed for another region are served.
    checks_region: bool = True
    # What it answers otherwise than S3 does (S3_ANSWERS).
    answers: dict[str, int] = field(default_factory=dict)
    # Names that cannot be stored -> what becomes of them: another name, or the refusal.
    odd_names: dict[str, str] = field(default_factory=dict)

    def missing(self):
        """What is not installed of it, in words; empty when all is."""
        names = [name for name in self.programs if not find_server(name)]
        return f"not installed: {', '.join(names)} (scripts/install-deps {self.option})" if names else ""


# What writes are answered, as AWS documents it; of an ETag without quotes it says nothing, but it is taken everywhere.
S3_ANSWERS = {
    "PUT, If-None-Match of an object that is there": 412,
    "PUT, If-None-Match of one that is not": 200,
    "PUT, If-Match with another ETag": 412,
    "PUT, If-Match with the ETag as it was sent": 200,
    "PUT, If-Match with the ETag without quotes": 200,
    "PUT, If-Match of an object that is not there": 404,
    "end of an upload in parts, If-None-Match of an object that is there": 412,
    "end of an upload in parts, If-Match with another ETag": 412,
    "PUT, wrong x-amz-checksum-sha256": 400,
}

# The file names of packages, as the program itself writes and reads them. S3 allows all of these.
FILE_NAMES = ("+~^.rpm", "=&%.rpm", " space .rpm", ";,@$.rpm", "'()*!.rpm", "a:b.rpm", "ü日本.rpm", "%20%2B.rpm")
# Names that only other tools give: `add` takes the last part of a file's path.
PATHS = ("a//b.rpm", "./c.rpm", "a/./d.rpm", "../e.rpm", "a/../f.rpm")

STORES = {
    "rgw": Store(
        "Ceph RGW 16.2", lambda _: Rgw(), ("radosgw", "ceph-mon", "ceph-osd"), checks_region=False,
        answers={"PUT, If-Match with the ETag as it was sent": 412, "PUT, If-Match of an object that is not there": 412,
                 "end of an upload in parts, If-None-Match of an object that is there": 200,
                 "end of an upload in parts, If-Match with another ETag": 200, "PUT, wrong x-amz-checksum-sha256": 200}),
    "moto": Store(
        "moto 5.2", Moto, checks_region=False,
        answers={"end of an upload in parts, If-Match with another ETag": 200}),
    "minio": Store(
        "MinIO 2026-02", lambda _: Minio(), Minio.PROGRAMS, "--servers",
        odd_names=dict.fromkeys(PATHS, "XMinioInvalidResourceName") | {"a//b.rpm": "XMinioInvalidObjectName"}),
    "versitygw": Store(
        "versitygw 1.8", lambda _: VersityGw(), VersityGw.PROGRAMS, "--servers",
        odd_names={"a//b.rpm": "a/b.rpm", "./c.rpm": "c.rpm", "a/./d.rpm": "a/d.rpm", "../e.rpm": "e.rpm",
                   "a/../f.rpm": "f.rpm"}),
    "seaweedfs": Store(
        "SeaweedFS 4.48", lambda _: SeaweedFs(), SeaweedFs.PROGRAMS, "--servers", checks_region=False,
        answers={"PUT, If-Match of an object that is not there": 412},
        odd_names=dict.fromkeys(PATHS, "InvalidRequest") | {"a//b.rpm": "a/b.rpm"}),
    "swift": Store(
        "Swift 2.30 s3api", lambda _: Swift(), Swift.PROGRAMS, conditional_writes=False,
        answers={what: 501 for what in S3_ANSWERS if what.startswith("PUT, If-")}
        | {"PUT, wrong x-amz-checksum-sha256": 200}),
}


class RunningStore:
    """A started server with its description."""

    def __init__(self, name, directory):
        self.name, self.about = name, STORES[name]
        self.server = self.about.start(directory)
        self.endpoint, self.stranger, self.stop = self.server.endpoint, self.server.stranger, self.server.stop

    def through(self, relay):
        """The endpoint behind a relay."""
        return dataclasses.replace(self.endpoint, url=relay.url)
