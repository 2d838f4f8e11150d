# SPDX-License-Identifier: Apache-2.0
"""Repositories of many frames and segments: after any edits every client and every tool reads the same packages, and
memory does not grow with the files."""
import gzip
import os
import random
import shutil
import subprocess

import pytest

from support import metadata, synthetic
from support.clients import Dnf, Zypper
from support.process import checked
from support.program import binary
from support.servers import serve_directory

PACKAGES = 4000
STEPS = 8
LOOKS = (2, STEPS - 1)  # steps after which the slow readers look

huge = pytest.mark.skipif(not os.environ.get("REPOUPDATE_HUGE"),
                          reason="takes minutes and 2 GB of disk; REPOUPDATE_HUGE=1 runs it")


@pytest.fixture(params=["gz", "zstd"])
def compression(request):
    return request.param


def expect_clients_to_list(home, directory, names):
    with serve_directory(directory) as server:
        with Dnf(home, server.url) as dnf:
            assert dnf.package_count() == len(names)
            assert dnf.packages() == names
        with Zypper(home, server.url) as zypper:
            assert zypper.packages() == names


def expect_createrepo_to_keep(directory, scratch):
    """createrepo_c loads the metadata with its own reader and writes them again: the same packages and files come out."""
    shutil.copytree(directory / "repodata", scratch / "repodata")
    checked(["createrepo_c", "--quiet", "--no-database", "--update", "--skip-stat", "--recycle-pkglist", str(scratch)])
    ours, theirs = metadata.load_repo(directory), metadata.load_repo(scratch)
    assert theirs.hrefs() == ours.hrefs()
    assert theirs.fragments_by_pkgid("primary").keys() == ours.fragments_by_pkgid("primary").keys()
    assert sorted(theirs.fragments["filelists"]) == sorted(ours.fragments["filelists"])
    assert sorted(theirs.fragments["other"]) == sorted(ours.fragments["other"])
    shutil.rmtree(scratch)


def test_random_edits_of_a_large_repository_are_read_alike_by_all(program, packages, compression, tmp_path):
    directory = tmp_path / "repository"
    strangers = synthetic.write_repository(directory, PACKAGES)
    before = metadata.load_repo(directory)
    fragments = {kind: before.fragments_by_pkgid(kind) for kind in metadata.KINDS}
    chance = random.Random(compression)
    absent, present = list(packages), []
    for step in range(STEPS):
        batch = chance.sample(absent, chance.randint(1, 4))
        program.run("add", directory, *batch, "--compression", compression)
        absent = [path for path in absent if path not in batch]
        present += batch
        gone = chance.sample(strangers, chance.randint(1, 3)) + chance.sample([path.name for path in present], 1)
        program.run("remove", directory, *gone, "--compression", compression)
        strangers = [href for href in strangers if href not in gone]
        present = [path for path in present if path.name not in gone]

        repo = metadata.verify(directory)
        assert repo.hrefs() == sorted(strangers + [path.name for path in present]), f"after step {step}"
        for kind in metadata.KINDS:
            path = directory / repo.repomd[kind].href
            assert path.suffix == (".zst" if compression == "zstd" else ".gz")
            assert synthetic.reads_as_one_stream(path) == repo.opened[kind]
            for pkgid, fragment in repo.fragments_by_pkgid(kind).items():
                assert fragments[kind].get(pkgid, fragment) == fragment, "an untouched package changed"
        if step in LOOKS:
            expect_clients_to_list(tmp_path / f"home{step}", directory, repo.nevras())
            if compression == "gz":  # createrepo_c of Debian 12 cannot read zstd
                expect_createrepo_to_keep(directory, tmp_path / "again")


def test_file_written_by_another_tool_in_between_is_taken_over_again(program, packages, tmp_path):
    directory = tmp_path / "repository"
    strangers = synthetic.write_repository(directory, 2000)
    program.run("add", directory, packages[0])
    checked(["createrepo_c", "--quiet", "--no-database", "--update", "--skip-stat", "--recycle-pkglist", str(directory)])
    program.run("add", directory, packages[1])
    assert metadata.verify(directory).hrefs() == sorted(strangers + [path.name for path in packages[:2]])


def peak_memory(*arguments):
    """In bytes, of one run of the program."""
    process = subprocess.Popen([str(binary()), *map(str, arguments)])
    _, status, usage = os.wait4(process.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    return usage.ru_maxrss * 1024


@huge
def test_three_gigabytes_of_filelists_and_packages_of_thirty_megabytes(program, packages, tmp_path):
    directory = tmp_path / "repository"
    thirty_megabytes = 700_000
    strangers = synthetic.write_repository(
        directory, 3000, files=lambda number: thirty_megabytes if number % 1500 == 7 else 22_000, level=1)
    for path in packages[:2]:
        used = peak_memory("add", directory, path)
        assert used < 800 << 20, f"{used >> 20} MiB"
    program.run("remove", directory, strangers[7], strangers[8])
    repomd = (directory / "repodata" / "repomd.xml").read_bytes()
    _, records = metadata.parse_repomd(repomd)
    assert records["filelists"].open_size > 3 << 30
    found, wanted = 0, len(strangers)  # two gone, two added
    with gzip.open(directory / records["filelists"].href) as opened:
        for line in opened:
            found += line.startswith(b"<package ")
    assert found == wanted
