# SPDX-License-Identifier: Apache-2.0
"""Bad networks and busy stores: the program against a real store behind a proxy that misbehaves. It has to end right,
and to ask no more than it should."""
import dataclasses
import json
import os
import signal
import subprocess
import threading
import time

import pytest

from support import aws, metadata
from support.checks import published
from support.large_package import build_large
from support.process import checked, wait_until
from support.program import Exit, Program
from support.scripted_store import Cut, Damage, DoneBut, Drop, Garble, Refuse, ScriptedStore, Wait
from support.stage import Stage

PREFIX = "el9"
REQUESTS_AT_ONCE = 16
INTERRUPTED = 130      # exit code
LARGE_MIB = 70         # above 64 MiB, where uploads go in parts


class RoughStage(Stage):
    """A bucket of moto's, seen by the test as it is and by the program through a scripted store."""

    def __init__(self, moto, home):
        super().__init__(moto, home, PREFIX + "/")
        self.quiet = self.program  # without a script

    def through(self, store, **extra):
        return Program(self.home, dataclasses.replace(self.endpoint, url=store.url), extra)

    def put_all(self, paths):
        for path in paths:
            self.put(path)

    def lists(self, paths):
        """Asserts that exactly these packages are listed, by sound metadata."""
        assert published(self.view.url) == sorted(path.name for path in paths)
        metadata.verify(self.view.url)
        self.quiet.run("verify", "--packages", self.url)

    def uploads(self):
        return self.s3.list_multipart_uploads(Bucket=self.bucket).get("Uploads", [])


@pytest.fixture
def stage(moto, tmp_path):
    stage = RoughStage(moto, tmp_path)
    with stage.view:
        yield stage


def is_package(seen):
    return seen.key.endswith(".rpm")


# ---- a busy store --------------------------------------------------------------------------------------------

def test_one_slow_down_holds_back_all_workers(stage, packages):
    """16 workers read packages; one of them is asked to wait for three seconds. What the others have under way comes
    in, and then nothing until the time is over: without that, hundreds of requests."""
    stage.put_all(packages)
    pause, told = 3.0, []

    def script(seen):
        if not is_package(seen):
            return None
        if not told and seen.number > 30:
            told.append(seen.at)
            return Refuse(503, "SlowDown", (("Retry-After", str(int(pause))),))
        # Long enough for the refusal to have arrived before the next one of the same worker leaves.
        return Wait(0.3) if told and seen.at < told[0] + pause - 0.5 else None

    with ScriptedStore(stage.endpoint, script) as store:
        stage.through(store).run("update", "--create", "--requests", REQUESTS_AT_ONCE, stage.url)
        meanwhile = [seen for seen in store.seen if told[0] < seen.at < told[0] + pause - 0.5]
    assert len(meanwhile) < 2 * REQUESTS_AT_ONCE
    stage.lists(packages)


def test_rate_limit_is_kept_to_not_run_into(stage, packages):
    """A store that takes ten requests in half a second, whoever asks."""
    stage.put_all(packages)
    windows = {}

    def script(seen):
        window = int(seen.at * 2)
        windows[window] = windows.get(window, 0) + 1
        return Refuse(503, "SlowDown") if windows[window] > 10 else None

    with ScriptedStore(stage.endpoint, script) as store:
        stage.through(store).run("update", "--create", "--requests", REQUESTS_AT_ONCE, stage.url)
        refused = len(store.answered_with(Refuse))
        assert refused > 0
        assert refused < len(store.seen) / 3
    stage.lists(packages)


@pytest.mark.parametrize("status,code", [(503, "SlowDown"), (429, "TooManyRequestsException"), (500, "InternalError")])
def test_first_requests_of_each_kind_are_refused(stage, packages, status, code):
    refused = {}

    def script(seen):
        kind = (seen.method, seen.key.rpartition(".")[2])
        refused[kind] = refused.get(kind, 0) + 1
        return Refuse(status, code) if refused[kind] <= 2 else None

    with ScriptedStore(stage.endpoint, script) as store:
        program = stage.through(store)
        program.run("init", stage.url)
        program.run("add", stage.url, *packages[:5])
        assert len(store.answered_with(Refuse)) >= 8
    stage.lists(packages[:5])


def test_store_that_refuses_everything_is_unreachable(stage):
    with ScriptedStore(stage.endpoint, lambda seen: Refuse(500)) as store:
        stage.through(store).start("list", stage.url).expect(Exit.UNREACHABLE, "after 5 attempts")
        assert len(store.seen) == 5


# ---- broken connections and bodies ---------------------------------------------------------------------------

def test_cut_bodies_are_fetched_again(stage, packages):
    """The first time that anything is read, half of it arrives."""
    met = set()

    def script(seen):
        if seen.method != "GET" or seen.target in met:
            return None
        met.add(seen.target)
        return Cut()

    with ScriptedStore(stage.endpoint, script) as store:
        program = stage.through(store)
        stage.put_all(packages[:10])
        program.run("update", "--create", stage.url)
        program.run("add", stage.url, *packages[10:15])
        assert len(store.answered_with(Cut)) > 5
    stage.lists(packages[:15])


def test_damaged_bodies_are_fetched_again(stage, packages):
    """Each metadata object arrives damaged the first time; its record in the store says so."""
    stage.quiet.run("init", stage.url)
    stage.quiet.run("add", stage.url, *packages[:3])
    met = set()

    def script(seen):
        if seen.method != "GET" or not seen.key.endswith("repomd.xml") or seen.key in met:
            return None
        met.add(seen.key)
        return Damage()

    with ScriptedStore(stage.endpoint, script) as store:
        stage.through(store).run("add", stage.url, packages[3])
        assert store.answered_with(Damage)
    stage.lists(packages[:4])


def test_always_damaged_is_corrupt(stage, packages):
    stage.quiet.run("init", stage.url)
    before = stage.repomd()

    def script(seen):
        return Damage() if seen.method == "GET" and seen.key.endswith("repomd.xml") else None

    with ScriptedStore(stage.endpoint, script) as store:
        stage.through(store).start("update", stage.url).expect(Exit.CORRUPT, "repomd.xml", "SHA-256")
        assert len(store.answered_with(Damage)) == 3
    assert stage.repomd() == before


def test_what_arrives_damaged_at_the_store_is_sent_again(stage, packages):
    """The first time that anything is put, the store gets another byte, and refuses it."""
    stage.quiet.run("init", stage.url)
    met = set()

    def script(seen):
        if seen.method != "PUT" or seen.target in met:
            return None
        met.add(seen.target)
        return Garble()

    with ScriptedStore(stage.endpoint, script) as store:
        stage.through(store).run("add", stage.url, *packages[:3])
        assert len(store.answered_with(Garble)) > 6
    stage.lists(packages[:3])


def test_what_always_arrives_damaged_at_the_store_is_given_up_soon(stage, packages):
    stage.quiet.run("init", stage.url)

    def script(seen):
        return Garble() if seen.method == "PUT" and is_package(seen) else None

    with ScriptedStore(stage.endpoint, script) as store:
        stage.through(store).start("add", stage.url, packages[0]).expect(Exit.CORRUPT, "XAmzContentSHA256Mismatch")
        assert len(store.answered_with(Garble)) == 3
    stage.lists([])


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_connections_close_in_the_middle(stage, packages, after):
    """Every other request gets no answer at first, whether the store has done it or not."""
    met = set()

    def script(seen):
        if (seen.method, seen.target) in met:
            return None
        met.add((seen.method, seen.target))
        return Drop(after) if len(met) % 2 else None

    with ScriptedStore(stage.endpoint, script) as store:
        program = stage.through(store)
        program.run("init", stage.url)
        program.run("add", stage.url, *packages[:8])
        program.run("remove", stage.url, packages[0].name)
        assert len(store.answered_with(Drop)) > 5
    stage.lists(packages[1:8])


def test_pointer_that_was_stored_but_answered_500_is_published_once(stage, packages):
    """The second attempt finds the condition broken, by the first one."""
    stage.quiet.run("init", stage.url)
    tries = []

    def script(seen):
        if seen.method != "PUT" or not seen.key.endswith("repomd.xml"):
            return None
        tries.append(seen)
        return DoneBut(500) if len(tries) == 1 else None

    with ScriptedStore(stage.endpoint, script) as store:
        stage.through(store).run("add", stage.url, packages[0])
    assert len(tries) == 2
    stage.lists(packages[:1])


def test_slow_answers_change_nothing(stage, packages):
    with ScriptedStore(stage.endpoint, lambda seen: Wait(0.1)) as store:
        program = stage.through(store)
        program.run("init", stage.url)
        program.run("add", stage.url, *packages[:3])
    stage.lists(packages[:3])


# ---- TLS and proxies -----------------------------------------------------------------------------------------

def openssl(directory, *arguments):
    checked(["openssl", *arguments], cwd=directory)


def make_authority(directory, name):
    openssl(directory, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")
    return directory / f"{name}.pem"


def make_certificate(directory, authority, address):
    (directory / "extensions").write_text(f"subjectAltName={address}\n")
    openssl(directory, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=store",
            "-keyout", "store.key", "-out", "store.csr")
    openssl(directory, "x509", "-req", "-in", "store.csr", "-CA", f"{authority}.pem", "-CAkey", f"{authority}.key",
            "-CAcreateserial", "-days", "2", "-extfile", "extensions", "-out", "store.pem")
    return directory / "store.pem", directory / "store.key"


def test_tls_is_verified_always(stage, packages, tmp_path):
    ours, theirs = make_authority(tmp_path, "ours"), make_authority(tmp_path, "theirs")
    with ScriptedStore(stage.endpoint, certificate=make_certificate(tmp_path, "ours", "IP:127.0.0.1")) as store:
        stage.through(store, AWS_CA_BUNDLE=str(theirs)).start("init", stage.url).expect(Exit.DENIED, "certificate")
        stage.through(store).start("init", stage.url).expect(Exit.DENIED, "certificate")
        assert not store.seen, "something was sent to a server that nobody vouches for"
        program = stage.through(store, AWS_CA_BUNDLE=str(ours))
        program.run("init", stage.url)
        program.run("add", stage.url, packages[0])
    stage.lists(packages[:1])


def test_certificate_of_another_host_is_refused(stage, tmp_path):
    ours = make_authority(tmp_path, "ours")
    with ScriptedStore(stage.endpoint, certificate=make_certificate(tmp_path, "ours", "DNS:store.example")) as store:
        stage.through(store, AWS_CA_BUNDLE=str(ours)).start("init", stage.url).expect(Exit.DENIED)
        assert not store.seen


def test_proxy_of_the_environment_is_used(stage, packages):
    """The endpoint's name means nothing here: the proxy alone can reach it."""
    endpoint = dataclasses.replace(stage.endpoint, url="http://s3.us-east-1.amazonaws.com")
    extra = {"REPOUPDATE_AWS_ADDRESSING": "path"}
    with ScriptedStore(stage.endpoint) as proxy:
        program = Program(stage.home, endpoint, extra | {"http_proxy": proxy.url})
        program.run("init", stage.url)
        program.run("add", stage.url, packages[0])
        assert {seen.headers["host"] for seen in proxy.seen} == {"s3.us-east-1.amazonaws.com"}
        asked = len(proxy.seen)
        direct = Program(stage.home, stage.endpoint, {"http_proxy": proxy.url, "NO_PROXY": "127.0.0.1"})
        direct.run("list", stage.url)
        assert len(proxy.seen) == asked
    stage.lists(packages[:1])


# ---- options of requests -------------------------------------------------------------------------------------

def test_options_reach_the_store(stage, packages):
    options = {"REPOUPDATE_AWS_OBJECT_TAGS": "team=infra,cost center=a/b", "REPOUPDATE_AWS_SSE": "AES256",
               "REPOUPDATE_AWS_PACKAGE_STORAGE_CLASS": "STANDARD_IA",
               "REPOUPDATE_AWS_EXPECTED_BUCKET_OWNER": "123456789012", "REPOUPDATE_AWS_REQUESTER_PAYS": "true"}
    with ScriptedStore(stage.endpoint) as store:
        program = stage.through(store, **options)
        program.run("init", stage.url)
        program.run("add", stage.url, packages[0], packages[1])
        program.run("remove", stage.url, packages[1].name)
        program.run("verify", stage.url)
        assert {seen.method for seen in store.seen} == {"GET", "HEAD", "PUT", "POST", "DELETE"}
        for seen in store.seen:
            assert seen.headers.get("x-amz-expected-bucket-owner") == "123456789012", seen
            assert seen.headers.get("x-amz-request-payer") == "requester", seen
    for key in (f"{PREFIX}/{packages[0].name}", f"{PREFIX}/repodata/repomd.xml"):
        tags = stage.s3.get_object_tagging(Bucket=stage.bucket, Key=key)["TagSet"]
        assert sorted((tag["Key"], tag["Value"]) for tag in tags) == [("cost center", "a/b"), ("team", "infra")]
        head = stage.s3.head_object(Bucket=stage.bucket, Key=key)
        assert head["ServerSideEncryption"] == "AES256"
        assert head.get("StorageClass", "STANDARD") == ("STANDARD_IA" if key.endswith(".rpm") else "STANDARD")


def test_tags_that_s3_would_refuse_are_a_wrong_setting(stage):
    with ScriptedStore(stage.endpoint) as store:
        program = stage.through(store, REPOUPDATE_AWS_OBJECT_TAGS="team=a&b")
        program.start("init", stage.url).expect(Exit.USAGE, "team=a&b", "allowed")
        assert not store.seen


# ---- uploads in parts ----------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def large_package(tmp_path_factory):
    return build_large(tmp_path_factory.mktemp("large"), LARGE_MIB)


def test_parts_carry_checksums_and_survive_failures(stage, large_package):
    """moto's signature check holds each part against x-amz-content-sha256 and x-amz-checksum-sha256."""
    stage.quiet.run("init", stage.url)
    failed = []

    def script(seen):
        if "partNumber=" in seen.target and len(failed) < 2:
            failed.append(seen)
            return Refuse(500) if len(failed) == 1 else Drop(after=True)
        return None

    with ScriptedStore(stage.endpoint, script) as store:
        stage.through(store).run("add", "--upload-only", stage.url, large_package)
        parts = [seen for seen in store.seen if "partNumber=" in seen.target]
        assert len(parts) == 5 + 2
        assert all(seen.headers.get("x-amz-checksum-sha256") for seen in parts)
        ends = [seen for seen in store.seen if seen.method == "POST" and "uploadId=" in seen.target]
        assert len(ends) == 1
    key = f"{PREFIX}/{large_package.name}"
    assert aws.read_object(stage.endpoint, stage.bucket, key) == large_package.read_bytes()
    assert not stage.uploads()


def test_interrupted_upload_leaves_no_parts(stage, large_package):
    stage.quiet.run("init", stage.url)
    let_go = Wait(60)

    def script(seen):
        return let_go if "partNumber=2&" in seen.target else None

    with ScriptedStore(stage.endpoint, script) as store:
        program = stage.through(store)
        process = subprocess.Popen([program.named("repoupdate"), "add", "--upload-only", stage.url,
                                    large_package], cwd=program.home, env=program.environment)
        try:
            wait_until(lambda: store.answered_with(Wait), 60, "the second part")
            wait_until(stage.uploads, 60, "the upload to be known")

            def interrupted():
                # The first asks to finish what is under way, the second not to wait for it.
                if process.poll() is None:
                    os.kill(process.pid, signal.SIGINT)
                return process.poll() is not None

            wait_until(interrupted, 60, "the program to end", pause=0.3)
            assert process.returncode == INTERRUPTED
        finally:
            process.kill()
            process.wait()
    assert not stage.uploads()
    assert f"{PREFIX}/{large_package.name}" not in aws.keys(stage.endpoint, stage.bucket)


def is_pending(process, number):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
        sets = [int(line.split()[1], 16) for line in status if line.startswith(("SigPnd:", "ShdPnd:"))]
    return any(pending >> number - 1 & 1 for pending in sets)


def test_interrupted_removal_deletes_no_more_and_names_what_is_left(stage, packages):
    """The first Ctrl-C: what is under way is finished, and nothing more is begun."""
    stage.put_all(packages[:12])
    stage.quiet.run("update", "--create", stage.url)
    interrupted = threading.Event()

    def script(seen):
        return Wait(60, interrupted) if seen.method == "DELETE" and is_package(seen) else None

    with ScriptedStore(stage.endpoint, script) as store:
        program = stage.through(store)
        process = subprocess.Popen([program.named("repoupdate"), "remove", "--yes", "--requests", "2", stage.url, "*"],
                                   cwd=program.home, env=program.environment, text=True,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            wait_until(lambda: len(store.answered_with(Wait)) == 2, 60, "the first two deletions")
            process.send_signal(signal.SIGINT)
            wait_until(lambda: not is_pending(process, signal.SIGINT), 60, "the signal to be taken")
            time.sleep(0.5)  # until it is acted on
            interrupted.set()
            said = process.communicate(timeout=60)[1]
        finally:
            process.kill()
            process.wait()
    left = [key.removeprefix(f"{PREFIX}/") for key in aws.keys(stage.endpoint, stage.bucket) if key.endswith(".rpm")]
    assert process.returncode == INTERRUPTED and len(left) == 10, said
    for name in left:
        assert f"{name}: not listed any more, but the object is still there: interrupted" in said
    stage.quiet.run("update", stage.url)
    stage.lists([path for path in packages[:12] if path.name in left])


def test_leftovers_of_crashed_uploads_are_listed_and_removed(stage, packages):
    stage.quiet.run("init", stage.url)
    stage.quiet.run("add", stage.url, packages[0])
    for key in (f"{PREFIX}/crashed +1.rpm", "elsewhere/x.rpm"):
        upload = stage.s3.create_multipart_upload(Bucket=stage.bucket, Key=key)["UploadId"]
        stage.s3.upload_part(Bucket=stage.bucket, Key=key, UploadId=upload, PartNumber=1, Body=b"part")

    listed = stage.quiet.run("verify", stage.url)
    assert "crashed +1.rpm has an upload that has not ended, begun" in listed.stdout
    assert "elsewhere" not in listed.stdout and len(stage.uploads()) == 2
    # moto has all uploads begin in 2010.
    removed = stage.quiet.run("verify", "--remove-uploads", "--json", stage.url).json
    assert removed["sound"] and [(upload["key"], upload["removed"]) for upload in removed["uploads"]] == [
        ("crashed +1.rpm", True)]
    assert removed["uploads"][0]["age"] > 24 * 3600
    assert [upload["Key"] for upload in stage.uploads()] == ["elsewhere/x.rpm"]
    assert json.loads(stage.quiet.run("verify", "--json", stage.url).stdout)["uploads"] == []


def test_verify_without_the_right_to_list_uploads_says_so(stage, packages):
    stage.quiet.run("init", stage.url)

    def script(seen):
        return Refuse(403, "AccessDenied") if "uploads=" in seen.target else None

    with ScriptedStore(stage.endpoint, script) as store:
        program = stage.through(store)
        program.start("verify", stage.url).expect(Exit.DONE, "s3:ListBucketMultipartUploads")
        program.start("verify", "--remove-uploads", stage.url).expect(Exit.DENIED, "s3:ListBucketMultipartUploads")
