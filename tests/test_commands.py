# SPDX-License-Identifier: Apache-2.0
"""The commands, one by one, on a directory."""
import json
import os
import shutil
import subprocess

import pytest

from support import metadata
from support.checks import clients_see, nevras
from support.program import Exit
from support.servers import serve_directory
from support.terminal import CONTROL_C, answer


@pytest.fixture
def filled(program, repository, packages):
    program.run("add", repository, *packages[:12])
    return repository


def contents(directory):
    return {path.relative_to(directory): (path.read_bytes(), path.stat().st_mtime_ns)
            for path in directory.rglob("*") if path.is_file()}


def lines(text):
    return sorted(text.splitlines())


# ---- init ----------------------------------------------------------------------------------------------------

def test_init_makes_an_empty_repository(program, tmp_path):
    repository = tmp_path / "new" / "repository"
    program.run("init", repository)
    with serve_directory(repository) as server:
        clients_see(tmp_path / "clients", server.url, [])


def test_init_refuses_to_overwrite(program, filled):
    before = contents(filled)
    program.start("init", filled).expect(Exit.CONFLICT, str(filled))
    assert contents(filled) == before


def test_init_with_zstd(program, tmp_path):
    program.run("init", tmp_path / "z", "--compression", "zstd")
    assert all(record.href.endswith(".zst") for record in metadata.verify(tmp_path / "z").repomd.values())


# ---- add -----------------------------------------------------------------------------------------------------

def test_add_publishes_what_it_uploads(program, repository, packages, odd_packages, tmp_path):
    program.run("add", repository, *packages[:3], *odd_packages)
    repo = metadata.verify(repository)
    metadata.verify_packages(repo, repository)
    with serve_directory(repository) as server:
        clients_see(tmp_path / "clients", server.url, [*packages[:3], *odd_packages], install=["p02", "gtk+-c++_lib"])


def test_add_of_a_directory_means_its_packages(program, repository, packages, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    for path in packages[:3]:
        shutil.copy(path, folder)
    (folder / "README").write_text("no package\n")
    program.run("add", repository, folder)
    assert metadata.verify(repository).nevras() == nevras(packages[:3])


def test_add_again_changes_no_byte(program, filled, packages):
    before = contents(filled)
    program.run("add", filled, *packages[:12])
    assert contents(filled) == before


def test_add_of_the_same_name_replaces(program, filled, packages, tmp_path):
    other = tmp_path / packages[0].name
    shutil.copy(packages[20], other)
    program.run("add", filled, other)
    assert metadata.verify(filled).nevras() == nevras([packages[20], *packages[1:12]])


def test_upload_only_does_not_publish(program, filled, packages):
    before = (filled / "repodata/repomd.xml").read_bytes()
    program.run("add", filled, packages[20], "--upload-only")
    assert (filled / packages[20].name).read_bytes() == packages[20].read_bytes()
    assert (filled / "repodata/repomd.xml").read_bytes() == before


def test_add_at_the_same_time_loses_nothing(program, repository, packages):
    writers = [subprocess.Popen([program.named("repoupdate"), "add", repository, path], cwd=program.home, text=True,
                                env=program.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
               for path in packages[:8]]
    for writer in writers:
        said, _ = writer.communicate(timeout=60)
        assert writer.returncode == Exit.DONE, said
    assert metadata.verify(repository).nevras() == nevras(packages[:8])


def test_removed_metadata_outlives_readers(program, filled, packages):
    """A client that holds the old repomd.xml still finds every file that it names (I10)."""
    old = metadata.load_repo(filled)
    program.run("add", filled, packages[20])
    for record in old.repomd.values():
        assert (filled / record.href).read_bytes() == old.stored[record.type]


# ---- remove --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("pattern", ["p00-1.0-1.noarch.rpm", "p00-1.0-1.noarch", "p00*", "p00-1.0-?.noarch"])
def test_remove_by_file_name_nevra_and_glob(program, filled, packages, pattern):
    program.run("remove", filled, pattern)
    assert metadata.verify(filled).nevras() == nevras(packages[1:12])
    assert not (filled / packages[0].name).exists()


def test_remove_of_two_of_one_nevra_lists_none_of_them(program, filled, packages):
    """The other one would come in place of the one that goes, and is deleted by the same command."""
    other = filled / "copy" / packages[0].name
    other.parent.mkdir()
    shutil.copy(packages[0], other)
    broken = filled / "broken.rpm"
    broken.write_text("no package")
    program.start("update", filled, "--same-nevra", "reject").expect(Exit.SOME_FAILED, "broken.rpm")
    program.run("remove", filled, packages[0].name, other.relative_to(filled), "--same-nevra", "reject")
    assert not other.exists() and not (filled / packages[0].name).exists()
    metadata.verify_packages(metadata.verify(filled), filled)
    assert metadata.load_repo(filled).nevras() == nevras(packages[1:12])


def test_remove_keeps_the_object_when_told(program, filled, packages):
    program.run("remove", filled, packages[0].name, "--keep-object")
    assert metadata.verify(filled).nevras() == nevras(packages[1:12])
    assert (filled / packages[0].name).exists()


@pytest.mark.parametrize("pattern", ["p00-1.0-1.noarch.rpm", "p00-1.0-1.noarch", "p00*", "p00-1.0-?.noarch"])
def test_removal_that_ended_after_its_publication_is_completed_by_the_same_words(program, filled, packages, pattern):
    program.run("remove", filled, pattern, "--keep-object")
    program.run("remove", filled, pattern)
    assert metadata.verify(filled).nevras() == nevras(packages[1:12])
    assert not (filled / packages[0].name).exists()
    assert len(list(filled.glob("*.rpm"))) == 11
    program.start("remove", filled, pattern).expect(Exit.NOT_FOUND, pattern)


def test_remove_of_what_is_not_there_is_not_found(program, filled):
    before = contents(filled)
    program.start("remove", filled, "nothing-1-1.noarch").expect(Exit.NOT_FOUND, "nothing-1-1.noarch")
    assert contents(filled) == before


def test_remove_of_more_than_ten_wants_yes(program, filled):
    before = contents(filled)
    program.start("remove", filled, "*").expect(Exit.USAGE, "--yes")
    program.start("remove", filled, "*", stdin="y\n").expect(Exit.USAGE, "--yes")  # a pipe is nobody to ask
    assert contents(filled) == before
    program.run("remove", filled, "*", "--yes")
    assert metadata.verify(filled).nevras() == []
    assert not list(filled.glob("*.rpm"))


@pytest.mark.parametrize("typed", ["n\n", "\n", "yes, please\n", CONTROL_C, "y" + CONTROL_C], ids=repr)
def test_remove_without_a_yes_removes_nothing(program, filled, typed):
    before = contents(filled)
    answer(program, "remove", filled, "*", typed=typed).expect(Exit.STOPPED, "12 packages", "nothing was removed")
    assert contents(filled) == before


@pytest.mark.parametrize("typed", ["y\n", "yes\n"], ids=repr)
def test_remove_after_a_yes(program, filled, typed):
    answer(program, "remove", filled, "*", typed=typed).expect(Exit.DONE, "12 removed")
    assert metadata.verify(filled).nevras() == []


# ---- update --------------------------------------------------------------------------------------------------

def mix_up(repository, packages, other):
    """One comes, one goes, one is another package now."""
    shutil.copy(packages[30], repository)
    (repository / packages[0].name).unlink()
    shutil.copy(other, repository / packages[1].name)


def test_dry_run_prints_the_edit_and_does_nothing(program, filled, packages, odd_packages):
    mix_up(filled, packages, odd_packages[0])
    before = contents(filled)
    done = program.run("update", filled, "--dry-run")
    assert contents(filled) == before
    assert f"+ p30-1.0-1.noarch {packages[30].name}" in done.stdout
    assert f"- p00-1.0-1.noarch {packages[0].name}" in done.stdout
    assert f"~ {nevras(odd_packages[:1])[0]} {packages[1].name}" in done.stdout
    assert done.stdout.count("\n") >= 3
    assert program.run("update", filled, "--dry-run", "--json").json


def test_update_makes_the_metadata_agree(program, filled, packages, odd_packages):
    mix_up(filled, packages, odd_packages[0])
    program.run("update", filled)
    repo = metadata.verify(filled)
    metadata.verify_packages(repo, filled)
    assert repo.nevras() == nevras([packages[30], odd_packages[0], *packages[2:12]])
    before = contents(filled)
    program.run("update", filled)
    assert contents(filled) == before, "nothing had changed (I5)"


def test_update_of_an_unknown_key_says_so_and_succeeds(program, filled, packages):
    """A job that deletes a package and then names it must not fail when it runs again."""
    (filled / packages[0].name).unlink()
    said = f"note: nosuch.rpm: neither in {filled} nor listed"
    done = program.run("update", filled, packages[0].name, "nosuch.rpm")
    assert done.stderr == f"repoupdate: {said}\n" and "1 removed" in done.stdout, done
    before = contents(filled)
    again = program.run("update", filled, packages[0].name, packages[1].name, "nosuch.rpm", "--json")
    assert again.json["unknown"] == ["nosuch.rpm", packages[0].name]
    assert contents(filled) == before


def test_update_takes_keys_and_no_addresses(program, filled, packages):
    for address in (f"{filled}/{packages[0].name}", f"s3://bucket/el9/{packages[0].name}"):
        program.start("update", filled, address).expect(Exit.USAGE, "keys are paths below it")


def test_replacement_of_the_same_size_in_the_same_second_is_seen(program, filled, packages):
    """Stores tell whole seconds: what is as new as the metadata cannot be taken for what they list."""
    assert packages[31].stat().st_size == packages[1].stat().st_size
    for number in range(31, 36):
        shutil.copy(packages[number], filled / packages[1].name)
        program.run("update", filled)
        assert metadata.verify(filled).nevras() == nevras([packages[0], packages[number], *packages[2:12]])


def test_rebuild_makes_everything_anew(program, filled, packages):
    shutil.rmtree(filled / "repodata")
    program.start("update", filled).expect(Exit.NOT_FOUND, str(filled))
    program.run("update", filled, "--rebuild")
    repo = metadata.verify(filled)
    metadata.verify_packages(repo, filled)
    assert repo.nevras() == nevras(packages[:12])


def test_unreadable_folder_removes_nothing(program, filled, packages):
    """Nothing is removed because something could not be read (I14)."""
    (filled / "sub").mkdir()
    shutil.move(filled / packages[0].name, filled / "sub")
    program.run("update", filled)
    before = (filled / "repodata/repomd.xml").read_bytes()
    os.chmod(filled / "sub", 0)
    try:
        # Root reads it nevertheless, and finds nothing changed.
        done = program.start("update", filled)
        assert done.code == (Exit.DONE if os.geteuid() == 0 else Exit.DENIED), done
    finally:
        os.chmod(filled / "sub", 0o755)
    assert (filled / "repodata/repomd.xml").read_bytes() == before


# ---- list, verify, help --------------------------------------------------------------------------------------

def test_list_names_one_package_a_line(program, filled, packages):
    assert lines(program.run("list", filled).stdout) == nevras(packages[:12])
    assert program.run("list", f"file://{filled}").stdout == program.run("list", filled).stdout


def test_list_json_has_what_scripts_need(program, repository, odd_packages):
    program.run("add", repository, *odd_packages)
    listed = program.run("list", repository, "--json").json
    assert sorted(entry["nevra"] for entry in listed) == nevras(odd_packages)
    by_href = {entry["location_href"]: entry for entry in listed}
    repo = metadata.verify(repository)
    for package in repo.packages:
        entry = by_href[package["href"]]
        assert {key: str(entry[key]) for key in ("name", "epoch", "version", "release", "arch", "pkgid")} == {
            "name": package["name"], "epoch": package["epoch"], "version": package["ver"], "release": package["rel"],
            "arch": package["arch"], "pkgid": package["pkgid"]}
        assert entry["size"] == (repository / package["href"]).stat().st_size


def test_list_of_an_empty_repository(program, repository):
    assert program.run("list", repository).stdout == ""
    assert program.run("list", repository, "--json").json == []


def test_verify_finds_a_sound_repository_sound(program, filled):
    program.run("verify", filled)
    assert program.run("verify", filled, "--json").json is not None


@pytest.mark.parametrize("harm", ["missing", "shorter", "metadata"])
def test_verify_finds_what_is_wrong(program, filled, packages, harm):
    victim = filled / packages[3].name
    if harm == "missing":
        victim.unlink()
    elif harm == "shorter":
        victim.write_bytes(victim.read_bytes()[:-1])
    else:
        victim = filled / metadata.load_repo(filled).repomd["other"].href
        victim.write_bytes(victim.read_bytes() + b"x")
    done = program.start("verify", filled)
    assert done.code == Exit.CORRUPT and victim.name in done.stdout + done.stderr, done
    assert victim.name in str(program.start("verify", filled, "--json").json)
    repair = "update --rebuild" if harm == "metadata" else "update"
    assert f"`repoupdate {repair} {filled}`" in done.stdout


def test_verify_tells_a_missing_metadata_file_once(program, filled):
    victim = metadata.load_repo(filled).repomd["filelists"].href
    (filled / victim).unlink()
    done = program.start("verify", filled).expect(Exit.CORRUPT)
    assert lines(done.stdout) == lines(f"{victim}: is named by repomd.xml and is not there\n{filled}: 12 packages, "
                                       f"1 problem\n`repoupdate update --rebuild {filled}` makes the metadata anew "
                                       "from the packages\n")


@pytest.mark.parametrize("command", ["init", "add", "remove", "update", "list", "verify", "sweep", "daemon"])
def test_help_has_an_example(program, command):
    assert f"repoupdate {command} " in program.run(command, "--help").stdout


@pytest.mark.parametrize("command, option, is_offered", [
    ("add", "--create", True), ("update", "--create", True), ("daemon", "--create", True),
    ("init", "--create", False), ("remove", "--create", False), ("quarantine retry", "--create", False),
    ("sweep", "--sweep-grace", True), ("sweep", "--compression", False), ("update", "--sweep-grace", False),
    ("quarantine list", "--endpoint", True), ("quarantine list", "--sign-key", False),
    ("quarantine drop", "--sign-key", True), ("verify", "--sign-key", True), ("verify", "--threads", False)])
def test_options_are_offered_where_they_do_something(program, command, option, is_offered):
    assert (option in program.run(*command.split(), "--help").stdout) == is_offered


def test_version_and_help(program):
    assert program.run("--version").stdout.strip()
    for command in ("init", "add", "remove", "update", "list", "verify", "sweep", "daemon"):
        assert command in program.run("--help").stdout


RESULTS = [["list"], ["list", "--json"], ["update", "--json"], ["verify", "--json"], ["config", "show"], ["--version"]]


def write_result(program, repository, words, output):
    """Runs a command whose result goes to the file `output`; gives its exit code and what it said on standard error."""
    where = [repository] if words[0] in ("list", "update", "verify") else []
    done = subprocess.run([program.named("repoupdate"), *words, *where], cwd=program.home, env=program.environment,
                          stdout=output, stderr=subprocess.PIPE, text=True, timeout=60)
    return done.returncode, done.stderr


@pytest.mark.parametrize("words", RESULTS, ids=" ".join)
def test_a_result_that_cannot_be_written_is_a_failure(program, filled, words):
    with open("/dev/full", "w") as full:
        code, said = write_result(program, filled, words, full)
    assert (code, said) == (Exit.NO_SPACE, "repoupdate: cannot write the result: No space left on device\n")


@pytest.mark.parametrize("words", RESULTS, ids=" ".join)
def test_a_reader_that_has_gone_is_told_nothing(program, filled, words):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe:
        code, said = write_result(program, filled, words, pipe)
    assert code != Exit.DONE and said == "", (code, said)


def test_a_failure_keeps_its_exit_code_when_its_result_cannot_be_written(program, filled, packages):
    (filled / packages[0].name).unlink()
    with open("/dev/full", "w") as full:
        code, said = write_result(program, filled, ["verify", "--json"], full)
    assert code == Exit.CORRUPT and "cannot write the result" in said


def test_json_log_is_json(program, filled, packages):
    done = program.run("add", filled, packages[20], "-v", "--log-format", "json")
    for line in done.stderr.splitlines():
        json.loads(line)
