# SPDX-License-Identifier: Apache-2.0
"""The S3 side against Ceph's gateway, a server of its own making: signatures, odd keys, uploads in parts, and a
daemon that polls because nobody notifies it."""
import itertools
import secrets
import subprocess

import pytest

from support import aws, metadata
from support.checks import clients_see, nevras, published
from support.program import Exit, Program
from support.servers import serve_bucket

NUMBERS = itertools.count(1)
PAYLOAD_MIB = 70


class Stage:
    def __init__(self, rgw, home, prefix):
        self.endpoint, self.prefix, self.bucket = rgw.endpoint, prefix, f"bucket-{next(NUMBERS)}"
        self.url = f"s3://{self.bucket}/{prefix}".rstrip("/")
        self.s3 = self.endpoint.client("s3")
        self.s3.create_bucket(Bucket=self.bucket)
        self.program = Program(home, self.endpoint)
        self.view = serve_bucket(self.endpoint, self.bucket, prefix)

    def put(self, path, href=None):
        self.s3.put_object(Bucket=self.bucket, Key=self.prefix + (href or path.name), Body=path.read_bytes())

    def keys(self):
        return [key.removeprefix(self.prefix) for key in aws.keys(self.endpoint, self.bucket)]

    def repomd(self):
        return aws.read_object(self.endpoint, self.bucket, f"{self.prefix}repodata/repomd.xml")


@pytest.fixture(params=["el9/x86_64/", ""], ids=["prefix", "whole-bucket"])
def stage(rgw, tmp_path, request):
    stage = Stage(rgw, tmp_path, request.param)
    with stage.view:
        yield stage


def test_add_remove_and_update_reach_dnf_and_zypper(stage, packages, odd_packages, tmp_path):
    chosen = packages[:7] + odd_packages
    stage.program.run("init", stage.url)
    stage.program.run("add", stage.url, *chosen)
    clients_see(tmp_path / "added", stage.view.url, chosen, install=["p00", "gtk+-c++_lib"])

    stage.program.run("remove", stage.url, "p0[0-4]*", packages[5].name)
    kept = chosen[6:]
    clients_see(tmp_path / "removed", stage.view.url, kept)
    assert sorted(key for key in stage.keys() if key.endswith(".rpm")) == sorted(path.name for path in kept)

    # Behind the program's back: one comes, one goes, one is another package now.
    stage.put(packages[10], "sub dir/ü+~^%20.rpm")
    stage.s3.delete_object(Bucket=stage.bucket, Key=stage.prefix + odd_packages[0].name)
    stage.put(packages[11], packages[6].name)
    stage.program.run("update", stage.url)
    clients_see(tmp_path / "updated", stage.view.url, [packages[10], packages[11], *odd_packages[1:]], install=["p10"])
    stage.program.run("verify", stage.url)


def test_nothing_to_do_writes_nothing(stage, packages):
    stage.program.run("init", stage.url)
    stage.program.run("add", stage.url, *packages[:3])
    before, keys = stage.repomd(), stage.keys()
    stage.program.run("add", stage.url, *packages[:3])
    stage.program.run("update", stage.url)
    assert stage.repomd() == before and stage.keys() == keys


def test_daemon_polls_a_store_that_notifies_nobody(stage, packages):
    stage.put(packages[0])
    with stage.program.daemon("--repository", stage.url, "--create", "--poll", "1s", "--quiet", "200ms") as daemon:
        def wait_for(hrefs):
            daemon.wait_until(lambda: published(stage.view.url) == sorted(hrefs), 60, f"the metadata to list {hrefs}")

        wait_for([packages[0].name])
        stage.put(packages[1], "a/b+c.rpm")
        wait_for([packages[0].name, "a/b+c.rpm"])
        stage.s3.delete_object(Bucket=stage.bucket, Key=stage.prefix + packages[0].name)
        wait_for(["a/b+c.rpm"])
        stage.put(packages[2], "a/b+c.rpm")
        daemon.wait_until(lambda: metadata.load_repo(stage.view.url).nevras() == nevras([packages[2]]), 60,
                          "the replaced package")


def test_adding_at_the_same_time_loses_nothing(stage, packages):
    """Each plans on what it read; whoever comes second has to read again (I3)."""
    stage.program.run("init", stage.url)
    program = stage.program.named("repoupdate")
    writers = [subprocess.Popen([program, "add", stage.url, path], cwd=stage.program.home, text=True,
                                env=stage.program.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
               for path in packages[:6]]
    for writer in writers:
        said, _ = writer.communicate(timeout=120)
        assert writer.returncode == Exit.DONE, said
    assert published(stage.view.url) == [path.name for path in packages[:6]]
    metadata.verify(stage.view.url)


@pytest.fixture(scope="module")
def large_package(tmp_path_factory):
    """Above 64 MiB, stored without compression, which would find nothing to compress anyway."""
    top = tmp_path_factory.mktemp("large")
    with open(top / "noise", "wb") as noise:
        for _ in range(PAYLOAD_MIB):
            noise.write(secrets.token_bytes(1 << 20))
    (top / "large.spec").write_text(
        "Name: large\nVersion: 1\nRelease: 1\nSummary: Large\nLicense: MIT\nBuildArch: noarch\nSource: noise\n"
        "%description\nNoise.\n%install\ninstall -D -m 644 %{SOURCE0} %{buildroot}/usr/share/large/noise\n"
        "%files\n/usr/share/large/noise\n")
    subprocess.run(["rpmbuild", "-bb", "--quiet", "--define", f"_topdir {top}/build", "--define", f"_sourcedir {top}",
                    "--define", "_binary_payload w0.gzdio", "--define", "__os_install_post %{nil}", top / "large.spec"],
                   check=True, env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": str(top)})
    (path,) = (top / "build/RPMS").rglob("*.rpm")
    assert path.stat().st_size > 64 << 20
    return path


def test_large_package_is_uploaded_in_parts(rgw, large_package, packages, tmp_path):
    stage = Stage(rgw, tmp_path, "el9/")
    with stage.view:
        stage.program.run("init", stage.url)
        stage.program.run("add", stage.url, large_package, packages[0])
        head = stage.s3.head_object(Bucket=stage.bucket, Key=stage.prefix + large_package.name)
        assert head["ContentLength"] == large_package.stat().st_size
        assert "-" in head["ETag"], "it was not uploaded in parts"
        assert not stage.s3.list_multipart_uploads(Bucket=stage.bucket).get("Uploads")
        clients_see(tmp_path / "clients", stage.view.url, [large_package, packages[0]], install=["large"])
        # Put there by somebody else, so that nobody vouches for its SHA-256: it is read once, whole.
        stage.s3.upload_file(str(large_package), stage.bucket, f"{stage.prefix}copy.rpm")
        stage.s3.delete_object(Bucket=stage.bucket, Key=stage.prefix + large_package.name)
        stage.program.run("update", stage.url)
        assert published(stage.view.url) == ["copy.rpm", packages[0].name]
        stage.program.run("verify", stage.url)


def test_wrong_secret_is_denied_and_missing_bucket_not_found(rgw, packages, tmp_path):
    stage = Stage(rgw, tmp_path, "")
    stage.program.start("list", "s3://no-such-bucket/").expect(Exit.NOT_FOUND, "no-such-bucket")
    stage.program.start("add", "s3://no-such-bucket/", packages[0]).expect(Exit.NOT_FOUND, "no-such-bucket")
    intruder = Program(tmp_path, rgw.endpoint.with_secret("wrong"))
    intruder.start("add", stage.url, packages[0]).expect(Exit.DENIED, stage.bucket)
    assert stage.keys() == []
