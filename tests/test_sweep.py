# SPDX-License-Identifier: Apache-2.0
"""What a publication supersedes stays for those who hold the old repomd.xml, and goes after its grace period: exactly
that. Time is moved by faketime where the program's own clock counts, and by making a bucket's objects older."""
import json
import os
import shutil
import time
import urllib.request
from pathlib import Path

import pytest

from support import metadata
from support.checks import clients_see, nevras
from support.process import checked
from support.program import Exit
from support.servers import serve_directory
from support.stage import Stage

# Files keep the times that the file system gave them, and waiting is not affected.
AHEAD = ("env", "NO_FAKE_STAT=1", "FAKETIME_DONT_FAKE_MONOTONIC=1")


def later(hours):
    """Runs the program so many hours ahead: without the program faketime, which takes the daemon's signals for itself."""
    library = next(Path("/usr").glob("lib*/**/faketime/libfaketimeMT.so.1"))
    return (*AHEAD, f"LD_PRELOAD={library}", f"FAKETIME=+{hours}h")


def named(repomd):
    return {record.href for record in metadata.parse_repomd(repomd)[1].values()}


def files(directory):
    """What lies directly below repodata/."""
    return {f"repodata/{path.name}" for path in (directory / "repodata").iterdir() if path.is_file()}


# ---- a directory ---------------------------------------------------------------------------------------------

@pytest.fixture
def generations(program, repository, packages):
    """Six publications, ten seconds between them; the sets of files that each repomd.xml named, the current one last."""
    found = [named((repository / "repodata/repomd.xml").read_bytes())]
    for number in range(6):
        program.run("add", repository, packages[number])
        found.append(named((repository / "repodata/repomd.xml").read_bytes()))
    for age, keys in enumerate(reversed(found)):
        for key in keys:
            os.utime(repository / key, (time.time() - 10 * age,) * 2)
    return found


def test_exactly_what_was_superseded_long_ago_goes(program, repository, generations, packages, tmp_path):
    for name in ("notes.txt", "a" * 64 + "-comps.xml", "old-primary.xml.gz"):
        (repository / "repodata" / name).write_text("somebody's")
    leftover = repository / "repodata" / ("0" * 64 + "-other.xml.gz")
    leftover.write_text("of a crash")
    before = files(repository)
    assert program.run("sweep", repository, "--json").json["removed"] == 0
    for hours in (2, 25):  # the first one takes note of what is superseded
        assert program.run("sweep", repository, "--json", prefix=later(hours)).json["removed"] == 0
        assert files(repository) == before

    foretold = program.run("sweep", repository, "--dry-run", "--json", prefix=later(27)).json
    assert files(repository) == before
    done = program.run("sweep", repository, "--json", prefix=later(27)).json
    gone = before - files(repository)
    assert {item["key"] for item in done["files"] if item["removed"]} == gone
    assert {item["key"] for item in foretold["files"] if item["removed"]} == gone
    # The newest three of each kind stay; of "other" the leftover is one of them.
    assert gone == set().union(*generations[:3]) | {key for key in generations[3] if "-other" in key}
    assert {f"repodata/{name}" for name in ("notes.txt", "a" * 64 + "-comps.xml", "old-primary.xml.gz")} <= files(
        repository)

    done = program.run("sweep", repository, "--sweep-generations", "0", prefix=later(27))
    assert files(repository) == {"repodata/repomd.xml", "repodata/notes.txt", f"repodata/{'a' * 64}-comps.xml",
                                 "repodata/old-primary.xml.gz"} | generations[-1], done
    program.run("verify", repository)
    with serve_directory(repository) as server:
        clients_see(tmp_path / "clients", server.url, packages[:6], install=["p00", "p05"])
    program.run("add", repository, packages[6])
    assert metadata.verify(repository).nevras() == nevras(packages[:7])


def test_metadata_of_createrepo_go_when_they_were_taken_over(program, tmp_path, packages):
    repository = tmp_path / "foreign"
    repository.mkdir()
    for path in packages[:3]:
        shutil.copy(path, repository)
    checked(["createrepo_c", "--quiet", "--simple-md-filenames", "--database", str(repository)])
    old = files(repository) - {"repodata/repomd.xml"}
    assert "repodata/primary.xml.gz" in old and any("sqlite" in key for key in old)
    program.run("add", repository, packages[3])
    program.run("sweep", repository, prefix=later(2))
    assert old <= files(repository)
    program.run("sweep", repository, "--sweep-generations", "0", prefix=later(27))
    assert not old & files(repository)
    assert metadata.verify(repository).nevras() == nevras(packages[:4])


def test_what_is_named_again_is_not_swept(program, repository, packages):
    """A package comes and goes: the metadata of before are named again, by files that were superseded long ago."""
    program.run("add", repository, packages[0])
    old = named((repository / "repodata/repomd.xml").read_bytes())
    program.run("add", repository, packages[1])
    for key in old:  # the file system's clock does not run ahead
        os.utime(repository / key, (time.time() - 100,) * 2)
    program.run("sweep", repository, prefix=later(2))  # takes note of them
    program.run("remove", repository, packages[1].name, prefix=later(30))
    assert named((repository / "repodata/repomd.xml").read_bytes()) == old
    program.run("add", repository, packages[1], prefix=later(31))  # superseded once more, an hour ago
    program.run("sweep", repository, "--sweep-generations", "0", prefix=later(32))
    assert old <= files(repository)
    program.run("sweep", repository, "--sweep-generations", "0", prefix=later(58))
    assert not old & files(repository)
    program.run("verify", repository)


def test_the_daemon_sweeps_by_itself(program, repository, packages):
    program.run("add", repository, packages[0])
    program.run("add", repository, packages[1])
    program.run("sweep", repository, prefix=later(2))
    with program.daemon("--repository", repository, "--sweep", "2s", "--sweep-grace", "1h", "--sweep-generations", "0",
                        prefix=later(4)) as daemon:
        swept = daemon.wait_for_message("swept")
        assert swept["removed"] == 6 and not daemon.messages("cannot sweep")
    assert files(repository) == {"repodata/repomd.xml"} | named((repository / "repodata/repomd.xml").read_bytes())
    program.run("verify", repository)


def test_no_repository_no_sweep(program, tmp_path):
    (tmp_path / "empty/repodata").mkdir(parents=True)
    leftover = tmp_path / "empty/repodata" / ("0" * 64 + "-other.xml.gz")
    leftover.write_text("")
    program.start("sweep", tmp_path / "empty", prefix=later(1000)).expect(Exit.NOT_FOUND, "no repository")
    assert leftover.exists()


# ---- a bucket ------------------------------------------------------------------------------------------------

def make_older(endpoint, hours):
    """All objects of the store were put so much earlier, as far as it tells."""
    with urllib.request.urlopen(f"{endpoint.url}/make-older/{round(hours * 3600)}") as answer:
        assert answer.status == 200


def test_old_repomd_still_serves_until_the_grace_period_is_over(moto, tmp_path, packages, odd_packages):
    stage = Stage(moto, tmp_path)
    stage.put_foreign_repository(packages[:2])
    held = named(stage.repomd())  # a client has fetched this
    generations = [held]
    chosen = [*packages[:8], *odd_packages]
    for path in chosen[2:]:
        make_older(stage.endpoint, 0.2)
        stage.program.run("add", stage.url, path)
        generations.append(named(stage.repomd()))
        stage.program.run("sweep", stage.url)
    assert set().union(*generations) <= set(stage.keys())
    stage.s3.put_object(Bucket=stage.bucket, Key=f"{stage.prefix}repodata/notes.txt", Body=b"somebody's")
    make_older(stage.endpoint, 21)
    stage.program.run("sweep", stage.url, "--sweep-generations", "0")
    assert held <= set(stage.keys())

    make_older(stage.endpoint, 4)
    before = set(stage.keys())
    done = stage.program.run("sweep", stage.url, "--json").json
    gone = set().union(*generations[:-4])
    assert held <= gone and gone <= before - set(stage.keys())
    assert {item["key"] for item in done["files"] if item["removed"]} == gone
    assert set().union(*generations[-4:]) <= set(stage.keys())
    done = stage.program.run("sweep", stage.url, "--sweep-generations", "0")
    left = {key for key in stage.keys() if key.startswith("repodata/") and ".repoupdate" not in key}
    assert left == {"repodata/repomd.xml", "repodata/notes.txt"} | named(stage.repomd()), done
    stage.program.run("verify", "--packages", stage.url)
    with stage.view:
        clients_see(tmp_path / "clients", stage.view.url, chosen, install=["p00", "gtk+-c++_lib"])


@pytest.mark.parametrize("server", ["moto", "rgw"])
def test_nothing_young_goes(request, tmp_path, packages, server):
    stage = Stage(request.getfixturevalue(server), tmp_path)
    stage.init()
    for path in packages[:3]:
        stage.program.run("add", stage.url, path)
    before = {key for key in stage.keys() if ".repoupdate" not in key}
    done = stage.program.run("sweep", stage.url, "--sweep-grace", "1h", "--sweep-generations", "0", "--json").json
    assert done["removed"] == 0 and 3000 < done["due_in"] <= 3600
    assert sum(item["verdict"] == "grace" for item in done["files"]) == 9
    assert {key for key in stage.keys() if ".repoupdate" not in key} == before
    stage.program.run("verify", stage.url)


def test_who_may_not_delete_is_told_which_file_stays(moto, tmp_path, packages):
    stage = Stage(moto, tmp_path)
    stage.init()
    stage.program.run("add", stage.url, packages[0])
    make_older(stage.endpoint, 30)
    reader = stage.program_as(moto.reader, "reader")
    before = stage.keys()
    done = reader.start("sweep", stage.url, "--sweep-generations", "0")
    assert done.code == Exit.DENIED and "s3:PutObject" in done.stderr, done
    assert stage.keys() == before
    json.loads(stage.program.run("sweep", stage.url, "--json").stdout)
