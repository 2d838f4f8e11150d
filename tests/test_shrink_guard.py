# SPDX-License-Identifier: Apache-2.0
"""A store that looks emptied is not published without somebody's word (semantics 29)."""
import shutil

import pytest

from support import metadata
from support.checks import nevras, published
from support.program import Exit


@pytest.fixture
def repository(program, tmp_path, packages):
    directory = tmp_path / "repository"
    program.run("init", directory)
    program.run("add", directory, *packages[:30])
    return directory


def lose(repository, packages):
    for path in packages:
        (repository / path.name).unlink()


def test_too_much_is_refused_until_confirmed(program, repository, packages):
    lose(repository, packages[:25])
    way_out = f"repoupdate update --allow-shrink {repository}`"
    program.start("update", repository).expect(Exit.UNCONFIRMED, "25 of 30 packages", way_out)
    program.start("update", repository, *(path.name for path in packages[:25])).expect(Exit.UNCONFIRMED, way_out)
    program.start("update", repository, "--rebuild").expect(
        Exit.UNCONFIRMED, f"repoupdate update --rebuild --allow-shrink {repository}`")
    assert metadata.verify(repository).nevras() == nevras(packages[:30])
    dry = program.run("update", repository, "--dry-run")
    assert "25 to remove" in dry.stdout and way_out in dry.stderr
    program.run("update", repository, "--allow-shrink")
    assert metadata.verify(repository).nevras() == nevras(packages[25:30])


@pytest.mark.parametrize("setting", [("--shrink-limit", "90"), ("--shrink-limit", "100"), ("--shrink-spare", "25")],
                         ids=" ".join)
def test_the_limit_can_be_set(program, repository, packages, setting):
    lose(repository, packages[:25])
    program.run("update", repository, *setting)
    assert metadata.verify(repository).nevras() == nevras(packages[25:30])


def test_a_few_may_always_go_and_named_ones_too(program, repository, packages):
    program.run("remove", "--yes", repository, *(path.name for path in packages[:22]))
    lose(repository, packages[22:30])
    program.run("update", repository)
    assert metadata.verify(repository).nevras() == []


def test_the_daemon_tells_once_and_goes_on_with_the_others(program, repository, packages, tmp_path):
    other = tmp_path / "other"
    lose(repository, packages[:25])
    with program.daemon("--repository", repository, "--repository", other, "--create", "--quiet", "200ms") as daemon:
        held = daemon.wait_for_message("publication held back")
        assert held["repository"] == str(repository) and "--allow-shrink" in held["error"]
        shutil.copy(packages[40], other)
        daemon.wait_until(lambda: published(other) == [packages[40].name], 60, "the other repository to be published")
        assert metadata.verify(repository).nevras() == nevras(packages[:30])
        program.run("update", "--allow-shrink", repository)
        assert metadata.verify(repository).nevras() == nevras(packages[25:30])
        assert len(daemon.messages("publication held back")) == 1


def test_remove_deletes_no_object_without_the_publication(program, repository, packages):
    """Semantics 34."""
    broken = repository / metadata.load_repo(repository).repomd["primary"].href
    sound = broken.read_bytes()
    broken.write_bytes(sound[:-1])
    program.start("remove", repository, packages[0].name).expect(Exit.CORRUPT, broken.name)
    assert (repository / packages[0].name).exists()
    broken.write_bytes(sound)
    other = repository / metadata.load_repo(repository).repomd["other"].href
    other.rename(other.with_suffix(".away"))
    program.start("remove", repository, packages[0].name).expect(Exit.CORRUPT, other.name)
    assert (repository / packages[0].name).exists()
    other.with_suffix(".away").rename(other)
    program.run("remove", repository, packages[0].name)
    assert not (repository / packages[0].name).exists()
    assert metadata.verify(repository).nevras() == nevras(packages[1:30])
