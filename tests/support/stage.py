# SPDX-License-Identifier: Apache-2.0
"""One bucket of a store with the program as a user of it, and what the bucket's clients see over HTTP."""
import itertools
import shutil

from support import aws
from support.process import checked
from support.program import Program
from support.servers import serve_bucket

NUMBERS = itertools.count(1)


class Stage:
    def __init__(self, store, home, prefix="el9/x86_64/"):
        self.store, self.home, self.prefix, self.bucket = store, home, prefix, f"bucket-{next(NUMBERS)}"
        self.endpoint = store.endpoint
        self.url = f"s3://{self.bucket}/{prefix}".rstrip("/")
        self.s3 = self.endpoint.client("s3")
        self.s3.create_bucket(Bucket=self.bucket)
        self.program = Program(home, self.endpoint)
        self.view = serve_bucket(self.endpoint, self.bucket, prefix)

    def init(self):
        """Makes the repository."""
        self.program.run("init", self.url)

    def program_as(self, endpoint, name):
        """The program with other credentials or behind a relay, in a home of its own."""
        home = self.home / name
        home.mkdir()
        return Program(home, endpoint)

    def put(self, path, href=None):
        self.s3.put_object(Bucket=self.bucket, Key=self.prefix + (href or path.name), Body=path.read_bytes())

    def delete(self, href):
        self.s3.delete_object(Bucket=self.bucket, Key=self.prefix + href)

    def put_foreign_repository(self, packages):
        """What createrepo_c makes of the packages, with them."""
        directory = self.home / "foreign"
        directory.mkdir()
        for path in packages:
            shutil.copy(path, directory)
        checked(["createrepo_c", "--quiet", str(directory)])
        for path in directory.rglob("*"):
            if path.is_file():
                self.put(path, str(path.relative_to(directory)))

    def keys(self):
        return [key.removeprefix(self.prefix) for key in aws.keys(self.endpoint, self.bucket)]

    def package_keys(self):
        return sorted(key for key in self.keys() if key.endswith(".rpm"))

    def parts_left(self):
        """The keys of uploads in parts that were neither completed nor aborted."""
        return [item["Key"] for item in self.s3.list_multipart_uploads(Bucket=self.bucket).get("Uploads", [])]

    def repomd(self):
        return aws.read_object(self.endpoint, self.bucket, f"{self.prefix}repodata/repomd.xml")
