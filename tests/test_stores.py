# SPDX-License-Identifier: Apache-2.0
"""The program against one S3 server after the other: REPOUPDATE_SERVER names it, support/stores.py describes it.

Each test says in @case what it shows; `make check-servers` makes the matrix of docs/stores.md from it. Where a server
differs from S3 the test asserts how, and notes it for the matrix. Every request has to be signed right."""
import base64
import os
import secrets
import shutil
import signal
import subprocess
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session

from support import aws, metadata
from support.checks import clients_see, nevras, published
from support.large_package import build_large
from support.process import Server, wait_until
from support.program import Exit, binary
from support.relay import CutAfter, HoldAt, Relay
from support.stage import Stage
from support.stores import FILE_NAMES, PATHS, S3_ANSWERS, STORES, RunningStore

SERVER = os.environ.get("REPOUPDATE_SERVER", "rgw")
PAGE = 1000  # keys in an answer to a listing
PAYLOAD_MIB = 70  # above 64 MiB, where uploads go in parts
MIB = 1 << 20

case = pytest.mark.case
every_command = pytest.mark.parametrize(
    "command", [("init",), ("list",), ("verify",), ("update",), ("add", "PACKAGE"), ("remove", "p00-1.0-1.noarch")],
    ids=lambda command: command[0])


@pytest.fixture(scope="session")
def store(session_directory):
    if missing := STORES[SERVER].missing():
        pytest.skip(missing)
    store = RunningStore(SERVER, session_directory)
    yield store
    store.stop()


@pytest.fixture
def stage(store, tmp_path):
    stage = Stage(store, tmp_path)
    with stage.view:
        yield stage


@pytest.fixture(scope="module")
def large_package(tmp_path_factory):
    return build_large(tmp_path_factory.mktemp("large"), PAYLOAD_MIB)


def arguments_of(command, packages):
    return [packages[0] if item == "PACKAGE" else item for item in command[1:]]


def start(program, *arguments):
    """The program running, for a test that does something meanwhile."""
    return Server([str(binary()), *map(str, arguments)], program.home / "output", env=program.environment)


# ---- the commands -------------------------------------------------------------------------------------------

@case("`init`, `add`, `remove`, `update`, `verify`; dnf and zypper list and install")
@pytest.mark.parametrize("prefix", ["el9/x86_64/", ""], ids=["prefix", "whole-bucket"])
def test_add_remove_and_update_reach_dnf_and_zypper(store, packages, odd_packages, tmp_path, prefix):
    stage = Stage(store, tmp_path, prefix)
    with stage.view:
        chosen = packages[:7] + odd_packages
        stage.init()
        stage.program.run("add", stage.url, *chosen)
        clients_see(tmp_path / "added", stage.view.url, chosen, install=["p00", "gtk+-c++_lib"])

        stage.program.run("remove", stage.url, "p0[0-4]*", packages[5].name)
        kept = chosen[6:]
        clients_see(tmp_path / "removed", stage.view.url, kept)
        assert stage.package_keys() == sorted(path.name for path in kept)

        # Behind the program's back: one comes, one goes, one is another package now.
        stage.put(packages[10], "sub dir/ü+~^%20.rpm")
        stage.delete(odd_packages[0].name)
        stage.put(packages[11], packages[6].name)
        stage.program.run("update", stage.url)
        clients_see(tmp_path / "updated", stage.view.url, [packages[10], packages[11], *odd_packages[1:]],
                    install=["p10"])
        stage.program.run("verify", stage.url)


@case("nothing to do writes nothing")
def test_nothing_to_do_writes_nothing(stage, packages):
    stage.init()
    stage.program.run("add", stage.url, *packages[:3])
    before, keys = stage.repomd(), stage.keys()
    stage.program.run("add", stage.url, *packages[:3])
    stage.program.run("update", stage.url)
    assert stage.repomd() == before and stage.keys() == keys


@case("a package is replaced by another under its name")
def test_added_again_with_other_bytes_replaces(stage, packages, tmp_path):
    stage.init()
    stage.program.run("add", stage.url, packages[0], packages[1])
    (tmp_path / "newer").mkdir()
    newer = shutil.copy(packages[2], tmp_path / "newer" / packages[0].name)
    stage.program.run("add", stage.url, newer)
    repo = metadata.verify(stage.view.url)
    assert repo.nevras() == nevras([packages[1], packages[2]])
    assert repo.hrefs() == [packages[0].name, packages[1].name]
    stage.program.run("verify", stage.url, "--packages")


@case("a repository of createrepo_c is listed and verified")
def test_foreign_repository_is_read(stage, packages):
    stage.put_foreign_repository(packages[:3])
    assert stage.program.run("list", stage.url).stdout.split() == nevras(packages[:3])
    stage.program.run("verify", stage.url, "--packages")


@case("a metadata file that was damaged under its name is put again by `update --rebuild`")
def test_damaged_metadata_file_is_put_again(stage, packages):
    stage.init()
    stage.program.run("add", stage.url, *packages[:3])
    key = next(f"{stage.prefix}{key}" for key in stage.keys() if key.endswith("-primary.xml.gz")
               and key.rpartition("/")[2].encode() in stage.repomd())
    sound = aws.read_object(stage.endpoint, stage.bucket, key)
    for damaged in (bytes(len(sound)), sound[:-1]):
        stage.s3.put_object(Bucket=stage.bucket, Key=key, Body=damaged)
        stage.program.start("list", stage.url).expect(Exit.CORRUPT, "--rebuild")
        done = stage.program.run("update", stage.url, "--rebuild")
        assert done.stderr.count("had other bytes than its name says") == 1, done
        assert aws.read_object(stage.endpoint, stage.bucket, key) == sound
        stage.program.run("verify", stage.url)
    assert published(stage.view.url) == [path.name for path in packages[:3]]


@case("a daemon polls: packages come, go and change")
def test_daemon_polls_a_store_that_notifies_nobody(stage, packages):
    stage.init()
    stage.put(packages[0])
    with stage.program.daemon("--repository", stage.url, "--poll", "1s", "--quiet", "200ms") as daemon:
        def wait_for(hrefs):
            daemon.wait_until(lambda: published(stage.view.url) == sorted(hrefs), 60, f"the metadata to list {hrefs}")

        wait_for([packages[0].name])
        stage.put(packages[1], "a/b+c.rpm")
        wait_for([packages[0].name, "a/b+c.rpm"])
        stage.delete(packages[0].name)
        wait_for(["a/b+c.rpm"])
        stage.put(packages[2], "a/b+c.rpm")
        daemon.wait_until(lambda: metadata.load_repo(stage.view.url).nevras() == nevras([packages[2]]), 60,
                          "the replaced package")


# ---- names and listings -------------------------------------------------------------------------------------

def storable(stage, names, note):
    """The names that the server keeps as they are, measured; what it does to others has to be what stores.py says."""
    kept, differences = [], {}
    for name in names:
        key = f"probe/{name}"
        try:
            stage.s3.put_object(Bucket=stage.bucket, Key=key, Body=b"x")
        except ClientError as refusal:
            differences[name] = refusal.response["Error"]["Code"]
            continue
        (found,) = aws.keys(stage.endpoint, stage.bucket, "")
        stage.s3.delete_object(Bucket=stage.bucket, Key=found)
        if found == key:
            kept.append(name)
        else:
            differences[name] = found.removeprefix("probe/")
    expected = {name: what for name, what in stage.store.about.odd_names.items() if name in names}
    assert differences == expected
    if differences:
        note(said_of(differences))
    return kept


def said_of(differences):
    renamed = [f"`{name}` as `{what}`" for name, what in differences.items() if what.endswith(".rpm")]
    refused = {}
    for name, what in differences.items():
        if not what.endswith(".rpm"):
            refused.setdefault(what, []).append(f"`{name}`")
    said = [f"refuses {', '.join(names)} ({code})" for code, names in refused.items()]
    return "; ".join([f"stores {', '.join(renamed)}"] * bool(renamed) + said)


@case("file names with `+ ~ ^ = & %`, space, `; , @ $ ' ( ) * ! :`, unicode and `%20`")
def test_every_file_name_is_published_and_removed(stage, packages, tmp_path, note):
    names = storable(stage, FILE_NAMES, note)
    (tmp_path / "odd").mkdir()
    files = [shutil.copy(path, tmp_path / "odd" / name) for path, name in zip(packages, names)]
    stage.init()
    stage.program.run("add", stage.url, *files)
    assert stage.package_keys() == sorted(names)
    repo = clients_see(tmp_path / "clients", stage.view.url, packages[:len(names)],
                       install=[f"p{number:02}" for number in range(len(names))])
    assert repo.hrefs() == sorted(names)
    stage.program.run("verify", stage.url, "--packages")
    stage.program.run("remove", stage.url, *nevras(packages[:len(names)]))
    assert stage.package_keys() == [] and published(stage.view.url) == []


@case("names with empty parts are published, those with `.` and `..` left alone")
def test_names_that_point_elsewhere_are_left_alone(stage, packages, note):
    """As hrefs those with `.` and `..` would name something else to a client."""
    names = storable(stage, PATHS, note)
    stage.init()
    for path, name in zip(packages, (*names, "plain.rpm")):
        stage.put(path, name)
    stage.program.run("update", stage.url)
    assert published(stage.view.url) == [*(name for name in names if "./" not in name), "plain.rpm"]
    stage.program.run("verify", stage.url, "--packages")
    assert stage.package_keys() == sorted([*names, "plain.rpm"])


@case("`update` reads more than 1,000 keys, in pages")
def test_listing_of_several_pages(stage, packages):
    stage.init()
    # The last key of a page, which some stores give back as the token for the next, has to be encoded.
    others = [f"doc/{number:04} +&~ü.txt" for number in range(PAGE + 50)]
    with ThreadPoolExecutor(8) as threads:
        for name in others:
            threads.submit(stage.s3.put_object, Bucket=stage.bucket, Key=stage.prefix + name, Body=b"")
    assert len(stage.keys()) > PAGE
    hrefs = ["aaa.rpm", f"{others[PAGE - 10]}.rpm", "zzz.rpm"]
    for path, href in zip(packages, hrefs):
        stage.put(path, href)
    stage.program.run("update", stage.url)
    assert published(stage.view.url) == sorted(hrefs)
    stage.delete("zzz.rpm")
    stage.program.run("update", stage.url)
    assert published(stage.view.url) == sorted(hrefs[:2])


# ---- what the program stands on -----------------------------------------------------------------------------

def status_of(call, **arguments):
    try:
        return call(**arguments)["ResponseMetadata"]["HTTPStatusCode"]
    except ClientError as refusal:
        return refusal.response["ResponseMetadata"]["HTTPStatusCode"]


def ending_status(stage, key, **condition):
    """What the end of an upload in parts is answered."""
    names = {"Bucket": stage.bucket, "Key": key}
    names["UploadId"] = stage.s3.create_multipart_upload(**names)["UploadId"]
    part = stage.s3.upload_part(**names, PartNumber=1, Body=b"part")
    return status_of(stage.s3.complete_multipart_upload, **names, **condition,
                     MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})


@case("conditions of writes and checksums, asked by another client: answered as S3 does")
def test_answers_are_those_that_are_known(stage, note):
    """What the program is built on, and where it knows that a store is otherwise. A new answer is news."""
    def put(key, **arguments):
        return status_of(stage.s3.put_object, Bucket=stage.bucket, Key=key, Body=b"new", **arguments)

    def etag():
        return stage.s3.put_object(Bucket=stage.bucket, Key="there", Body=secrets.token_bytes(8))["ETag"]

    other = '"00000000000000000000000000000000"'
    etag()
    answers = dict(zip(S3_ANSWERS, (
        put("there", IfNoneMatch="*"), put("new", IfNoneMatch="*"), put("there", IfMatch=other),
        put("there", IfMatch=etag()), put("there", IfMatch=etag().strip('"')), put("never", IfMatch=other),
        ending_status(stage, "there", IfNoneMatch="*"), ending_status(stage, "there", IfMatch=other),
        put("sum", ChecksumSHA256=base64.b64encode(bytes(32)).decode())), strict=True))
    assert answers == S3_ANSWERS | stage.store.about.answers
    if stage.store.about.answers:
        note("; ".join(f"{what}: {answer}" for what, answer in stage.store.about.answers.items()))


# ---- several writers ----------------------------------------------------------------------------------------

@case("adding at the same time, six writers: nothing is lost")
def test_adding_at_the_same_time_loses_nothing(stage, packages):
    """Each plans on what it read; whoever comes second has to read again (I3)."""
    stage.init()
    writers = [subprocess.Popen([binary(), "add", stage.url, path], cwd=stage.home, text=True,
                                env=stage.program.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
               for path in packages[:6]]
    for writer in writers:
        said, _ = writer.communicate(timeout=120)
        assert writer.returncode == Exit.DONE, said
    assert published(stage.view.url) == [path.name for path in packages[:6]]
    metadata.verify(stage.view.url)


def finish(process, relay_gate):
    """Lets a held program go on; its exit code, and what it said."""
    relay_gate.release()
    return process.process.wait(120), process.output()


def pointer_write(stage):
    """How the request that writes repomd.xml begins."""
    return f"PUT /{stage.bucket}/{urllib.parse.quote(stage.prefix)}repodata/repomd.xml".encode()


def needs_races(stage):
    if not stage.store.about.conditional_writes:  # who is held here keeps the others waiting
        pytest.skip("writers take turns by a lease; suite.writers runs them")


@case("a writer that lost the race plans again")
def test_lost_race_is_planned_again(stage, packages):
    needs_races(stage)
    stage.init()
    stage.program.run("add", stage.url, packages[0])
    gate = HoldAt(pointer_write(stage))
    with Relay(stage.endpoint.url, gate) as relay:
        held = start(stage.program_as(stage.store.through(relay), "held"), "add", stage.url, packages[1])
        try:
            assert gate.reached.wait(60), held.output()
            # Everything that the held one read is old now, and its condition no longer holds.
            stage.program.run("add", stage.url, packages[2])
            stage.program.run("remove", stage.url, packages[0].name)
            code, said = finish(held, gate)
        finally:
            gate.release()
            held.kill()
    assert code == Exit.DONE, said
    assert published(stage.view.url) == [packages[1].name, packages[2].name]
    stage.program.run("verify", stage.url)


@case("two `init` at once: one makes the repository, the other is told")
def test_second_init_is_a_conflict(stage, packages):
    needs_races(stage)
    gate = HoldAt(pointer_write(stage))
    with Relay(stage.endpoint.url, gate) as relay:
        held = start(stage.program_as(stage.store.through(relay), "held"), "init", stage.url)
        try:
            assert gate.reached.wait(60), held.output()
            stage.program.run("init", stage.url)
            stage.program.run("add", stage.url, packages[0])
            before = stage.repomd()
            code, said = finish(held, gate)
        finally:
            gate.release()
            held.kill()
    assert code == Exit.CONFLICT and stage.url in said, said
    assert stage.repomd() == before


# ---- large packages and broken connections ------------------------------------------------------------------

@case("a package above 64 MiB goes in parts; dnf and zypper install it")
def test_large_package_is_uploaded_in_parts(stage, large_package, packages, tmp_path):
    stage.init()
    stage.program.run("add", stage.url, large_package, packages[0])
    head = stage.s3.head_object(Bucket=stage.bucket, Key=stage.prefix + large_package.name)
    assert head["ContentLength"] == large_package.stat().st_size
    assert "-" in head["ETag"], "it was not uploaded in parts"
    assert stage.parts_left() == []
    clients_see(tmp_path / "clients", stage.view.url, [large_package, packages[0]], install=["large"])
    # Put there by somebody else, so that nobody vouches for its SHA-256: it is read once, whole.
    stage.s3.upload_file(str(large_package), stage.bucket, f"{stage.prefix}copy.rpm")
    stage.delete(large_package.name)
    stage.program.run("update", stage.url)
    assert published(stage.view.url) == ["copy.rpm", packages[0].name]
    stage.program.run("verify", stage.url)


@case("a connection cut in the middle of an upload: the rest is sent again")
def test_upload_that_is_cut_is_sent_again(stage, large_package):
    stage.init()
    gate = CutAfter(20 * MIB, times=1)
    with Relay(stage.endpoint.url, gate) as relay:
        stage.program_as(stage.store.through(relay), "cut").run("add", stage.url, large_package)
    assert gate.times == 0, "nothing was cut"
    assert published(stage.view.url) == [large_package.name]
    assert stage.parts_left() == []
    stage.program.run("verify", stage.url, "--packages")


@case("a store that is gone in the middle of an upload: nothing is visible, the next `add` works")
def test_upload_that_breaks_off_leaves_nothing_visible(stage, large_package, packages):
    stage.init()
    stage.program.run("add", stage.url, packages[0])
    before = stage.repomd()
    with Relay(stage.endpoint.url, CutAfter(20 * MIB)) as relay:
        done = stage.program_as(stage.store.through(relay), "cut").start("add", stage.url, large_package, timeout=280)
    done.expect(Exit.UNREACHABLE, large_package.name)
    assert stage.package_keys() == [packages[0].name] and stage.repomd() == before
    stage.program.run("add", stage.url, large_package)
    assert published(stage.view.url) == [large_package.name, packages[0].name]


@case("`add` interrupted in the middle of an upload: no object and no part stays")
def test_interrupted_upload_is_aborted(stage, large_package):
    stage.init()
    before = stage.repomd()
    gate = HoldAt(b"partNumber=", skip=20 * MIB)
    with Relay(stage.endpoint.url, gate) as relay:
        held = start(stage.program_as(stage.store.through(relay), "held"), "add", stage.url, large_package)
        try:
            assert gate.reached.wait(60), held.output()
            assert stage.parts_left(), "the upload should be under way"
            # The first lets requests under way come to their end, the second does not wait.
            held.process.send_signal(signal.SIGTERM)
            held.process.send_signal(signal.SIGINT)
            code, said = finish(held, gate)
        finally:
            gate.release()
            held.kill()
    assert code == Exit.STOPPED, said
    assert stage.package_keys() == [] and stage.repomd() == before
    wait_until(lambda: stage.parts_left() == [], 30, "the parts to be gone")


# ---- what is refused, and how it is said --------------------------------------------------------------------

@case("wrong secret: denied, exit code 4")
@every_command
def test_wrong_secret_is_denied(stage, packages, command):
    intruder = stage.program_as(stage.endpoint.with_secret("wrong+secret"), "intruder")
    done = intruder.start(command[0], stage.url, *arguments_of(command, packages)).expect(Exit.DENIED, stage.bucket)
    assert "wrong+secret" not in done.stderr, "a secret was shown"
    assert stage.keys() == []


@case("a user without rights: denied, exit code 4, never \"not found\"; nothing is removed")
@every_command
def test_user_without_rights_is_denied(stage, packages, command):
    stage.put_foreign_repository(packages[:2])
    before = stage.keys(), stage.repomd()
    stranger = stage.program_as(stage.store.stranger, "stranger")
    url = stage.url if command[0] != "init" else f"{stage.url}/new"
    stranger.start(command[0], url, *arguments_of(command, packages)).expect(Exit.DENIED, stage.bucket)
    # What is not there is denied as well: without the right to list nobody may know (I11, I14).
    stranger.start("list", f"{stage.url}/none").expect(Exit.DENIED, stage.bucket)
    assert (stage.keys(), stage.repomd()) == before


def status_signed_for(endpoint, path):
    """What one GET is answered; a client of boto3 would send it again for the right region."""
    request = AWSRequest("GET", f"{endpoint.url}/{path}")
    S3SigV4Auth(Credentials(endpoint.access_key, endpoint.secret_key), "s3", endpoint.region).add_auth(request)
    return URLLib3Session().send(request.prepare()).status_code


@case("wrong region: the right one is learnt from what the store answers")
@pytest.mark.parametrize("command", [("list",), ("update",), ("verify",)], ids=lambda command: command[0])
def test_wrong_region_is_corrected(stage, packages, command, note):
    stage.put_foreign_repository(packages[:1])
    elsewhere = stage.endpoint.with_region("eu-west-9")
    path = f"{stage.bucket}/{stage.prefix}repodata/repomd.xml"
    assert status_signed_for(stage.endpoint, path) == 200
    assert (status_signed_for(elsewhere, path) != 200) == stage.store.about.checks_region
    stage.program_as(elsewhere, "lost").run(command[0], stage.url)
    if not stage.store.about.checks_region:
        note("serves requests signed for any region")


@case("wrong bucket: exit code 3, it is named")
@every_command
def test_missing_bucket_is_not_found(stage, packages, command):
    done = stage.program.start(command[0], "s3://no-such-bucket/el9", *arguments_of(command, packages))
    done.expect(Exit.NOT_FOUND, "no-such-bucket")


@case("no repository there: exit code 3")
@pytest.mark.parametrize("command", ["list", "verify", "update"])
def test_missing_repository_is_not_found(stage, command):
    stage.program.start(command, stage.url).expect(Exit.NOT_FOUND, stage.url)
