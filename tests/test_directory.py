# SPDX-License-Identifier: Apache-2.0
"""The daemon on a directory: whatever happens to the files, inotify says so and the metadata follow."""
import shutil
import signal
import time

import pytest

from support import metadata
from support.checks import clients_see, nevras, published
from support.packages import build_simple
from support.program import Exit
from support.servers import serve_directory

QUIET = ("--quiet", "200ms")


@pytest.fixture
def repository(tmp_path):
    directory = tmp_path / "repository"
    directory.mkdir()
    return directory


def daemon_on(program, repository):
    return program.daemon("--repository", repository, "--create", *QUIET)


def first_look(daemon):
    """A daemon is ready before it has looked at what is there; what comes meanwhile is found by that look."""
    daemon.wait_for_message("published")


def wait_for(daemon, repository, hrefs):
    wanted = sorted(hrefs)
    daemon.wait_until(lambda: published(repository) == wanted, 60, f"the metadata to list {wanted}")


def place(path, directory, name=None):
    directory.mkdir(parents=True, exist_ok=True)
    return shutil.copy(path, directory / (name or path.name))


def test_packages_put_and_deleted_reach_dnf_and_zypper(program, repository, packages, odd_packages, tmp_path):
    chosen = packages[:47] + odd_packages
    folders = ["", "Packages/p", "Packages/with space", "deep/er/and/deeper"]
    with daemon_on(program, repository) as daemon, serve_directory(repository) as server:
        where = {path: folders[number % len(folders)] for number, path in enumerate(chosen)}
        for path, folder in where.items():
            place(path, repository / folder)
        hrefs = {path: f"{folder}/{path.name}".lstrip("/") for path, folder in where.items()}
        wait_for(daemon, repository, hrefs.values())
        clients_see(tmp_path / "before", server.url, chosen)

        deleted, kept = chosen[5:15], chosen[:5] + chosen[15:]
        for path in deleted:
            (repository / hrefs[path]).unlink()
        wait_for(daemon, repository, [hrefs[path] for path in kept])
        clients_see(tmp_path / "after", server.url, kept, install=["p00", "p20", "gtk+-c++_lib", "libstdc++"])


def test_file_name_is_not_what_names_the_package(program, repository, packages):
    with daemon_on(program, repository) as daemon:
        place(packages[0], repository, "gtk+-c++_lib-1.0~rc1^git.rpm")
        place(packages[1], repository, "löwe & <tag> 100%.rpm")
        wait_for(daemon, repository, ["gtk+-c++_lib-1.0~rc1^git.rpm", "löwe & <tag> 100%.rpm"])
        assert metadata.verify(repository).nevras() == nevras(packages[:2])


def test_half_written_package_is_waited_for(program, repository, packages):
    content = packages[0].read_bytes()
    with daemon_on(program, repository) as daemon:
        first_look(daemon)
        with open(repository / "slow.rpm", "wb") as slow:
            slow.write(content[:len(content) // 2])
            slow.flush()
            place(packages[1], repository)
            wait_for(daemon, repository, [packages[1].name])
            slow.write(content[len(content) // 2:])
        wait_for(daemon, repository, [packages[1].name, "slow.rpm"])
        assert not [line for line in daemon.lines() if line["level"] in ("warning", "error")]


def test_replaced_package_changes_alone(program, repository, packages, package_cache):
    newer = build_simple(package_cache, "p00", release="2", files=["/usr/share/p00/data"])
    with daemon_on(program, repository) as daemon:
        for path in packages[:5]:
            place(path, repository)
        wait_for(daemon, repository, [path.name for path in packages[:5]])
        before = metadata.verify(repository)

        place(newer, repository, packages[0].name)
        daemon.wait_until(lambda: metadata.load_repo(repository).nevras() == nevras([newer, *packages[1:5]]), 60,
                          "the new release to be listed")
    after = metadata.verify(repository)
    replaced = next(package["pkgid"] for package in before.packages if package["name"] == "p00")
    for kind in metadata.KINDS:
        old, new = before.fragments_by_pkgid(kind), after.fragments_by_pkgid(kind)
        assert replaced not in new
        del old[replaced]
        assert old.items() <= new.items(), f"{kind}: the bytes of other packages changed (I6)"


def test_moves_of_files_and_folders_are_seen(program, repository, packages, tmp_path):
    with daemon_on(program, repository) as daemon:
        outside = tmp_path / "outside"
        place(packages[0], outside / "sub")
        place(packages[1], outside / "sub")
        (outside / "sub").rename(repository / "in")
        wait_for(daemon, repository, [f"in/{packages[0].name}", f"in/{packages[1].name}"])

        (repository / "in" / packages[0].name).rename(repository / "renamed.rpm")
        wait_for(daemon, repository, ["renamed.rpm", f"in/{packages[1].name}"])

        (repository / "in").rename(repository / "elsewhere")
        wait_for(daemon, repository, ["renamed.rpm", f"elsewhere/{packages[1].name}"])
        # The moved folder is watched under its new name.
        place(packages[2], repository / "elsewhere")
        wait_for(daemon, repository, ["renamed.rpm", f"elsewhere/{packages[1].name}", f"elsewhere/{packages[2].name}"])

        shutil.rmtree(repository / "elsewhere")
        wait_for(daemon, repository, ["renamed.rpm"])


def test_what_changed_while_the_daemon_was_away_is_found(program, repository, packages):
    with daemon_on(program, repository) as daemon:
        for path in packages[:3]:
            place(path, repository)
        wait_for(daemon, repository, [path.name for path in packages[:3]])
    (repository / packages[0].name).unlink()
    place(packages[3], repository / "new")
    with daemon_on(program, repository) as daemon:
        wait_for(daemon, repository, [packages[1].name, packages[2].name, f"new/{packages[3].name}"])


def test_bad_packages_hold_up_nobody(program, repository, packages):
    with daemon_on(program, repository) as daemon:
        (repository / "text.rpm").write_text("this is no package\n")
        (repository / "empty.rpm").touch()
        (repository / "cut.rpm").write_bytes(packages[0].read_bytes()[:3000])
        place(packages[1], repository)
        wait_for(daemon, repository, [packages[1].name])
        for name in ("text.rpm", "cut.rpm"):
            daemon.wait_until(lambda: any(name in str(line) for line in daemon.lines()
                                          if line["level"] in ("warning", "error")), 30, f"a complaint about {name}")


def test_published_line_says_what_happened(program, repository, packages):
    with daemon_on(program, repository) as daemon:
        for path in packages[:4]:
            place(path, repository)
        # Its publication confirms what is there, and goes on with what changes until then.
        daemon.wait_until(lambda: sum(line["added"] for line in daemon.messages("published")) == 4, 60, "all four")
        (repository / packages[0].name).unlink()
        wait_for(daemon, repository, [path.name for path in packages[1:4]])
        daemon.wait_until(lambda: daemon.messages("published")[-1]["removed"] == 1, 30, "the removal in the log")
        line = daemon.messages("published")[-1]
        assert line["packages"] == 3 and line["added"] == 0 and line["replaced"] == 0
        assert str(repository) in line["repository"]
        assert str(line["revision"]) == metadata.verify(repository).revision
        assert sum(line["added"] for line in daemon.messages("published")) == 4


def test_unrelated_files_publish_nothing(program, repository, packages):
    with daemon_on(program, repository) as daemon:
        first_look(daemon)
        place(packages[0], repository)
        wait_for(daemon, repository, [packages[0].name])
        (repository / "README").write_text("hello\n")
        (repository / "repodata/note.rpm").write_text("below repodata\n")
        (repository / packages[0].name).touch()
        # Something that is published, so that what came before it has been looked at.
        place(packages[1], repository)
        daemon.wait_until(lambda: daemon.messages("published")[-1]["packages"] == 2, 60, "the second package")
        counts = [(line["added"], line["replaced"], line["removed"]) for line in daemon.messages("published")]
        assert counts == [(0, 0, 0), (1, 0, 0), (1, 0, 0)]
        assert not [line for line in daemon.lines() if line["level"] in ("warning", "error")]


def test_one_broken_repository_does_not_hold_up_the_others(program, tmp_path, packages):
    sound, broken = tmp_path / "sound", tmp_path / "broken"
    for directory in (sound, broken):
        place(packages[0], directory)
        program.run("init", directory)
    (broken / "repodata/repomd.xml").write_text("<repomd")
    with program.daemon("--repository", broken, "--repository", sound, *QUIET) as daemon:
        place(packages[1], sound)
        wait_for(daemon, sound, [packages[0].name, packages[1].name])
        daemon.wait_until(lambda: any(str(broken) in str(line) for line in daemon.lines() if line["level"] == "error"),
                          60, "a complaint about the broken one")
    assert (broken / "repodata/repomd.xml").read_text() == "<repomd"


def test_directory_that_is_not_there_at_the_start_ends_the_daemon(program, repository, tmp_path):
    missing = tmp_path / "missing"
    program.start("daemon", "--repository", repository, "--repository", missing, *QUIET).expect(
        Exit.NOT_FOUND, f"there is no directory {missing}")
    assert not missing.exists()


def test_directory_that_is_lost_later_is_waited_for(program, repository, tmp_path, packages):
    """As when a mount goes: a SIGHUP then, which may be for the log alone, does not end the daemon."""
    away = tmp_path / "away"
    place(packages[0], repository)
    program.run("init", repository)
    with program.daemon("--repository", repository, "--retry-ceiling", "1s", *QUIET) as daemon:
        wait_for(daemon, repository, [packages[0].name])
        repository.rename(away)
        daemon.server.process.send_signal(signal.SIGHUP)
        daemon.wait_until(lambda: len(daemon.messages("ready")) == 2, 60, "it to go on")
        daemon.wait_for_message("cannot update")
        place(packages[1], away)
        away.rename(repository)
        wait_for(daemon, repository, [packages[0].name, packages[1].name])


def test_configuration_is_read_again_on_sighup(program, tmp_path, packages):
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    config = tmp_path / "repoupdate.toml"
    entry = '[[repository]]\nurl = "{}"\ncreate = true\nquiet = "200ms"\n'
    config.write_text(entry.format(first))
    with program.daemon("--config", config) as daemon:
        place(packages[0], first)
        wait_for(daemon, first, [packages[0].name])
        config.write_text(entry.format(first) + entry.format(second))
        daemon.server.process.send_signal(signal.SIGHUP)
        place(packages[1], second)
        wait_for(daemon, second, [packages[1].name])
        place(packages[2], first)
        wait_for(daemon, first, [packages[0].name, packages[2].name])


def test_compression_of_a_new_repository_is_configured(program, tmp_path, packages):
    repository = tmp_path / "repository"
    repository.mkdir()
    config = tmp_path / "repoupdate.toml"
    config.write_text(f'[[repository]]\nurl = "{repository}"\ncreate = true\ncompression = "zstd"\nquiet = "200ms"\n')
    with program.daemon("--config", config) as daemon:
        place(packages[0], repository)
        wait_for(daemon, repository, [packages[0].name])
    repo = metadata.verify(repository)
    assert {record.href.rpartition(".")[2] for record in repo.repomd.values()} == {"zst"}


def test_steady_stream_is_published_before_it_ends(program, repository, packages):
    """A window that only waited for quiet would never close (semantics 8)."""
    config = program.home / "repoupdate.toml"
    config.write_text(f'[[repository]]\nurl = "{repository}"\ncreate = true\nquiet = "5s"\nmax_age = "2s"\n')
    with program.daemon("--config", config) as daemon:
        first_look(daemon)
        placed = []
        while not published(repository):
            assert len(placed) < 40, "nothing was published while packages kept coming"
            placed.append(place(packages[len(placed)], repository).name)
            time.sleep(0.4)
        wait_for(daemon, repository, placed)
