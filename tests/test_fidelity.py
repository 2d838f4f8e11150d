# SPDX-License-Identifier: Apache-2.0
"""What is written about a package is what createrepo_c writes, byte for byte (semantics 22), and a repository made
in many small steps is the one that createrepo_c makes at once (I12)."""
import random
import shutil
import subprocess

import pytest

from support import metadata
from support.packages import build_control_packages, build_hard_packages
from support.program import Exit

LEAST_HARD_PACKAGES = 28
STEPS = 25
MOST_AT_ONCE = 4

# Where some of the packages go, and under which name: "{}" is the name that they have.
ODD_PLACES = ("{}", "Packages/p/{}", "with space & +/{}", "{}", "100%20 löwe <{}")


@pytest.fixture(scope="module")
def hard_packages(package_cache):
    paths = build_hard_packages(package_cache / "hard")
    assert len(paths) >= LEAST_HARD_PACKAGES
    return paths


@pytest.fixture
def repository(program, tmp_path):
    program.run("init", tmp_path / "repository")
    return tmp_path / "repository"


def createrepo(repository, directory):
    """createrepo_c's own metadata for a copy of the packages, with the same modification times."""
    shutil.copytree(repository, directory, ignore=shutil.ignore_patterns("repodata"))
    subprocess.run(["createrepo_c", "--quiet", "--no-database", str(directory)], check=True)
    return metadata.verify(directory)


def differences(ours, theirs):
    found = []
    for kind in metadata.KINDS:
        written, wanted = ours.fragments_by_pkgid(kind), theirs.fragments_by_pkgid(kind)
        for package in theirs.packages:
            fragment = written.get(package["pkgid"], b"nothing")
            if fragment != wanted[package["pkgid"]]:
                found.append(f"{package['href']} in {kind}: {fragment[:4000]!r} instead of "
                             f"{wanted[package['pkgid']][:4000]!r}")
    return found


def assert_same(repository, directory):
    ours, theirs = metadata.verify(repository), createrepo(repository, directory)
    assert ours.hrefs() == theirs.hrefs()
    assert differences(ours, theirs) == []
    assert [package["href"] for package in ours.packages] == [package["href"] for package in theirs.packages], \
        "the same packages in another order"


def test_hard_packages_are_listed_as_createrepo_lists_them(program, repository, hard_packages, tmp_path):
    for number, path in enumerate(hard_packages):
        target = repository / ODD_PLACES[number % len(ODD_PLACES)].format(path.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    program.run("update", repository)
    assert_same(repository, tmp_path / "reference")


def test_random_small_steps_end_where_createrepo_ends(program, repository, hard_packages, tmp_path):
    chance = random.Random(20_261_122)
    absent, present = list(hard_packages), []
    for step in range(STEPS):
        adding = not present or (absent and chance.random() < 0.6)
        source, target = (absent, present) if adding else (present, absent)
        batch = chance.sample(source, min(len(source), chance.randint(1, MOST_AT_ONCE)))
        if adding:
            program.run("add", repository, *batch)
        else:
            program.run("remove", repository, *[path.name for path in batch])
        source[:] = [path for path in source if path not in batch]
        target += batch
        listed = metadata.verify(repository).hrefs()
        assert listed == sorted(path.name for path in present), f"after step {step}"
    assert present, "the steps ended with an empty repository and prove little"
    assert_same(repository, tmp_path / "reference")


def test_forbidden_characters_cost_one_package_and_never_the_repository(program, repository, package_cache):
    for path in build_control_packages(package_cache / "controls"):
        shutil.copy2(path, repository)
    program.start("update", repository).expect(Exit.SOME_FAILED, "control-provide-1.0-1.noarch.rpm", "PROVIDENAME")
    repo = metadata.verify(repository)
    assert repo.nevras() == ["control-text-1.0-1.noarch", "forbidden-text-1.0-1.noarch"]
    assert b"<summary>A bell</summary>" in repo.opened["primary"]
    assert b"<description>Not in XML:  and  and  and .</description>" in repo.opened["primary"]
