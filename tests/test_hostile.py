# SPDX-License-Identifier: Apache-2.0
"""What somebody else wrote into the store, or sends: bombs, nesting, names and addresses that lead elsewhere. Each is
refused by a limit that has a name, in little memory, and nothing is written."""
import gzip
import hashlib
import http.client
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
import zlib

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from support import aws, metadata
from support.checks import nevras, published
from support.process import free_port
from support.program import IS_SANITIZED, Exit, Program
from support.stage import Stage

MEMORY = 1 << 30  # bytes of address space: room for all that is honest
LIMITED = () if IS_SANITIZED else ("prlimit", f"--as={MEMORY}")
BOMB = MEMORY + (64 << 20)  # bytes that a small file becomes: more than MEMORY


@pytest.fixture
def repository(program, packages, tmp_path):
    directory = tmp_path / "repository"
    program.run("init", directory)
    program.run("add", directory, packages[0])
    return directory


def gzip_of(chunk, repeats):
    """A gzip file of the chunk, over and over; made without ever holding what it becomes."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return b"".join([*(packer.compress(chunk) for _ in range(repeats)), packer.flush()])


def zstd_of(chunk, repeats):
    with tempfile.TemporaryFile() as file:
        packer = subprocess.Popen(["zstd", "-q", "-1", "-c"], stdin=subprocess.PIPE, stdout=file)
        for _ in range(repeats):
            packer.stdin.write(chunk)
        packer.stdin.close()
        assert packer.wait() == 0
        file.seek(0)
        return file.read()


def replace_metadata(repository, kind, data, open_size=None, suffix="gz"):
    """Other bytes in the place of a metadata file, with a repomd.xml that has their checksum and size: whoever can write
    the one can write the other."""
    repomd = repository / "repodata/repomd.xml"
    text = repomd.read_text()
    record = re.search(rf'<data type="{kind}">.*?</data>', text, re.S)[0]
    digest = hashlib.sha256(data).hexdigest()
    href = f"repodata/{digest}-{kind}.xml.{suffix}"
    (repository / href).write_bytes(data)
    new = re.sub(r'<checksum type="sha256">[^<]*', f'<checksum type="sha256">{digest}', record)
    new = re.sub(r'href="[^"]*"', f'href="{href}"', new)
    new = re.sub(r"<size>[^<]*", f"<size>{len(data)}", new)
    if open_size is not None:
        new = re.sub(r"<open-size>[^<]*", f"<open-size>{open_size}", new)
    repomd.write_text(text.replace(record, new))


def refused(program, repository, package, *said, codes=(Exit.CORRUPT,), prefix=LIMITED):
    """Each command that reads the metadata refuses it, and nothing is written."""
    before = {path: path.stat().st_mtime_ns for path in repository.rglob("*") if path.name != ".repoupdate.lock"}
    for command in (("list",), ("add", package)):
        done = program.start(command[0], repository, *command[1:], prefix=prefix)
        assert done.code in codes, done
        for text in said:
            assert text in done.stderr, f"wanted {text!r}: {done}"
        assert len(done.stderr) < 2000, "one line would do"
    after = {path: path.stat().st_mtime_ns for path in repository.rglob("*") if path.name != ".repoupdate.lock"}
    written = [str(path) for path in after if after[path] != before.get(path) and path.is_file()
               and path.name != package.name]
    assert written == []


def write_repomd(repository, change):
    path = repository / "repodata/repomd.xml"
    path.write_text(change(path.read_text()))


# ---- repomd.xml ----------------------------------------------------------------------------------------------

ENTITIES = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10 if i else "x" * 10}">' for i in range(12))


@pytest.mark.parametrize("declaration", [f"<!DOCTYPE repomd [{ENTITIES}]>",
                                         '<!DOCTYPE repomd [<!ENTITY e11 SYSTEM "file:///etc/passwd">]>',
                                         '<!DOCTYPE repomd SYSTEM "http://127.0.0.1:1/x.dtd">'],
                         ids=["bomb", "file", "elsewhere"])
def test_entities_are_refused(program, repository, packages, declaration):
    write_repomd(repository, lambda text: text.replace("<repomd", f"{declaration}\n<repomd", 1)
                 .replace("</revision>", "&e11;</revision>"))
    refused(program, repository, packages[1], "repomd.xml", "document type")


@pytest.mark.parametrize("depth", [100, 100_000])
def test_deep_nesting_of_repomd_is_refused(program, repository, packages, depth):
    write_repomd(repository, lambda text: text.replace("</repomd>", "<x>" * depth + "</x>" * depth + "</repomd>"))
    refused(program, repository, packages[1], "nested too deeply")


def test_a_huge_repomd_is_refused(program, repository, packages):
    with open(repository / "repodata/repomd.xml", "ab") as file:
        file.truncate(4 << 30)
    refused(program, repository, packages[1], "repomd.xml", "larger than", codes=(Exit.CORRUPT, Exit.USAGE))


def test_too_many_records_are_refused(program, repository, packages):
    records = "".join(f'<data type="x{i}"><location href="x{i}"/></data>' for i in range(5000))
    write_repomd(repository, lambda text: text.replace("</repomd>", records + "</repomd>"))
    refused(program, repository, packages[1], "4096 records")


@pytest.mark.parametrize("href", ["/etc/passwd", "../other/primary.xml.gz", "repodata/../../x", "http://other.example/x",
                                  "//other.example/x", "file:///etc/passwd", "a&#10;b", "a&#0;b", ""])
def test_a_location_that_leads_elsewhere_is_refused(program, repository, packages, href):
    write_repomd(repository, lambda text: re.sub(r'href="[^"]*primary[^"]*"', f'href="{href}"', text))
    refused(program, repository, packages[1], "repomd.xml", prefix=())


def test_another_host_is_not_asked(program, repository, packages):
    write_repomd(repository, lambda text: text.replace("<location ", '<location xml:base="http://127.0.0.1:1/" '))
    refused(program, repository, packages[1], "another base URL", codes=tuple(Exit), prefix=())
    assert published(repository) is not None


# ---- primary, filelists and other ----------------------------------------------------------------------------

@pytest.mark.parametrize("pack, suffix, content", [(gzip_of, "gz", b" "), (zstd_of, "zst", b"<package>")],
                         ids=["gzip", "zstd"])
def test_bombs_are_refused_in_little_memory(program, repository, packages, pack, suffix, content):
    """A file of a few hundred KiB that becomes more than MEMORY, and says so."""
    chunk = content * ((1 << 20) // len(content))
    data = pack(chunk, BOMB >> 20)
    assert len(data) < 16 << 20
    replace_metadata(repository, "primary", data, len(chunk) * (BOMB >> 20), suffix)
    refused(program, repository, packages[1], "primary", codes=(Exit.CORRUPT, Exit.USAGE))


def test_a_file_that_becomes_more_than_it_says_is_refused(program, repository, packages):
    replace_metadata(repository, "primary", gzip_of(b" " * (1 << 20), 64), 100)
    refused(program, repository, packages[1], "primary", codes=(Exit.CORRUPT, Exit.USAGE))


@pytest.mark.parametrize("depth", [100, 100_000])
def test_deep_nesting_in_a_package_costs_no_stack(program, repository, packages, depth):
    """Nobody looks inside of packages but `verify`, which says so; the repository goes on."""
    repo = metadata.load_repo(repository)
    path = repository / repo.repomd["other"].href
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else subprocess.run(
        ["zstd", "-dc", str(path)], check=True, capture_output=True).stdout
    deep = b"<x>" * depth + b"</x>" * depth
    text = text.replace(b"</package>", deep + b"</package>")
    write_repomd(repository, lambda text: re.sub(r'(<data type="other">.*?)<open-checksum.*?</open-checksum>', r"\1",
                                                 text, flags=re.S))
    replace_metadata(repository, "other", gzip.compress(text), len(text))
    done = program.start("verify", repository, prefix=LIMITED)
    assert done.code == Exit.CORRUPT and "nested too deeply" in done.stdout + done.stderr, done
    for command in ("list", "update"):
        assert program.start(command, repository, prefix=LIMITED).code in (Exit.DONE, Exit.CORRUPT)


# ---- names of packages ---------------------------------------------------------------------------------------

ODD_NAMES = (b"new\nline.rpm", b"\xff\xfe.rpm", b"..rpm", b"a\x1b[2Jb.rpm", b"-rf.rpm", b"&lt;.rpm", b"%2e%2e%2fx.rpm")


def test_odd_names_break_neither_the_metadata_nor_the_log(program, repository, packages):
    with program.daemon("--repository", repository, "--log-level", "debug") as daemon:
        for name in ODD_NAMES:
            shutil.copy(packages[1], os.fsencode(repository) + b"/" + name)
        shutil.copy(packages[2], repository)
        daemon.wait_until(lambda: packages[2].name in (published(repository) or []), 60, "the plain package")
        listed = metadata.verify(repository).nevras()
        assert set(nevras([packages[0], packages[2]])) <= set(listed)
    lines = daemon.log_file.read_bytes().split(b"\n")
    for line in filter(None, lines):
        json.loads(line.decode())  # which fails where it is no UTF-8
    assert any(b"\xef\xbf\xbd" in line for line in lines), "the name that is no UTF-8 was not logged"


def test_odd_keys_of_a_bucket_hide_no_neighbour(rgw, packages, tmp_path):
    """Keys that no directory has; what client libraries would tidy up is signed by hand."""
    stage = Stage(rgw, tmp_path)
    stage.init()
    keys = ["new\nline.rpm", "return\r.rpm", "bell\a.rpm", "../outside.rpm", "a/../../../etc/passwd.rpm", "/absolute.rpm"]
    for key in keys:
        put_raw(stage, stage.prefix + key, packages[1].read_bytes())
    stage.put(packages[0])
    assert set(aws.keys(stage.endpoint, stage.bucket)) >= {stage.prefix + key for key in keys}
    # What XML cannot hold is named, and keeps nobody else out.
    done = stage.program.start("update", stage.url)
    assert done.code == Exit.SOME_FAILED and "bell" in done.stderr, done
    with stage.view:
        repository = metadata.verify(stage.view.url)
        assert nevras([packages[0]])[0] in repository.nevras()
        listed = set(published(stage.view.url))
    assert listed == {packages[0].name, "new\nline.rpm", "return\r.rpm"}, "what leads out of the repository is not listed"


def put_raw(stage, key, body):
    """A PUT of just this key."""
    url = urllib.parse.urlsplit(stage.endpoint.url)
    path = f"/{stage.bucket}/{urllib.parse.quote(key)}"
    request = AWSRequest("PUT", f"{stage.endpoint.url}{path}", data=body)
    credentials = Credentials(stage.endpoint.access_key, stage.endpoint.secret_key)
    S3SigV4Auth(credentials, "s3", "us-east-1").add_auth(request)
    connection = http.client.HTTPConnection(url.netloc, timeout=20)
    connection.request("PUT", path, body, dict(request.headers))
    assert connection.getresponse().status == 200, key
    connection.close()


# ---- the webhook ---------------------------------------------------------------------------------------------

def record(key):
    return {"Records": [{"eventSource": "ceph:s3", "s3": {"bucket": {"name": "b"}, "object": {"key": key}}}]}


BODIES = {
    "deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "deep-open": b"[" * 500_000,
    "huge-number": b'{"Records":' + b"9" * 100_000 + b"}",
    "no-utf8": b'{"Records":[{"s3":{"bucket":{"name":"b"},"object":{"key":"\xff"}}}]}',
    "twice": b'{"Records":[],"Records":[{"s3":{"bucket":{"name":"b"},"object":{"key":"a","key":"c"}}}]}',
    "nul": json.dumps(record("a\0b.rpm")).encode(),
    "newline": json.dumps(record("a\nb.rpm")).encode(),
    "dots": json.dumps(record("../../etc/passwd.rpm")).encode(),
    "long-key": json.dumps(record("k" * 100_000)).encode(),
    "too-large": b" " * (2 << 20),
}


def test_no_body_ends_the_daemon_or_is_written_through(repository, packages, tmp_path):
    port = free_port()
    program = Program(tmp_path, extra={"REPOUPDATE_WEBHOOK_SECRET": "s",
                                       "REPOUPDATE_WEBHOOK_FILE": str(tmp_path / "events.sqlite")})
    with program.daemon("--repository", repository, "--webhook", f"127.0.0.1:{port}") as daemon:
        for name, body in BODIES.items():
            request = urllib.request.Request(f"http://127.0.0.1:{port}/events?token=s", data=body, method="POST")
            try:
                with urllib.request.urlopen(request, timeout=20) as answer:
                    code = answer.status
            except urllib.error.HTTPError as failure:
                code = failure.code
            except (urllib.error.URLError, ConnectionError):
                code = 413  # it was refused while the body was still being sent
            assert code in (200, 400, 413), (name, code)
        began = time.monotonic()
        shutil.copy(packages[1], repository)
        daemon.wait_until(lambda: len(published(repository) or []) == 2, 60, "a package after all that")
        assert time.monotonic() - began < 60
        assert daemon.lines()  # every line is JSON
    assert not list(tmp_path.rglob("passwd*"))
