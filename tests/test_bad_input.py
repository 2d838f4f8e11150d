# SPDX-License-Identifier: Apache-2.0
"""What is wrong is named, with the right exit code, and everything else is published."""
import os
import shutil
import struct
import subprocess

import pytest

from support import metadata
from support.checks import nevras
from support.process import checked
from support.program import Exit, Program


def flipped(data, position):
    return data[:position] + bytes([data[position] ^ 0xFF]) + data[position + 1:]


def header_end(data):
    """Where the payload starts: lead, signature header padded to 8, header (RPM file format)."""
    def size(start):
        entries, store = struct.unpack_from(">II", data, start + 8)
        return 16 + 16 * entries + store

    signature_end = 96 + size(96)
    header_start = signature_end + -signature_end % 8
    return header_start + size(header_start)


def bad_files(data):
    end = header_end(data)
    return {
        "text.rpm": b"this is no package\n",
        "empty.rpm": b"",
        "zeros.rpm": bytes(20000),
        "lead-only.rpm": data[:96],
        "cut-in-signature.rpm": data[:300],
        "cut-in-header.rpm": data[:end - 40],
        "cut-in-payload.rpm": data[:end + (len(data) - end) // 2],
        "header-flipped.rpm": flipped(data, end - 60),
        "huge-header.rpm": data[:104] + b"\xff" * 8 + data[112:],
    }


BAD_NAMES = tuple(bad_files(bytes(200)))


@pytest.fixture
def repository(program, tmp_path):
    directory = tmp_path / "repository"
    program.run("init", directory)
    return directory


@pytest.mark.parametrize("name", BAD_NAMES)
def test_bad_package_is_named_and_its_neighbours_published(program, repository, packages, tmp_path, name):
    bad = tmp_path / name
    bad.write_bytes(bad_files(packages[0].read_bytes())[name])
    done = program.start("add", repository, packages[1], bad, packages[2]).expect(Exit.SOME_FAILED, name)
    assert len(done.stderr) < 2000, f"one line would do: {done}"
    assert metadata.verify(repository).nevras() == nevras(packages[1:3])
    assert not (repository / name).exists(), "a bad package was uploaded"


def test_bad_packages_found_by_update_are_named_and_the_rest_published(program, repository, packages):
    for name, data in bad_files(packages[0].read_bytes()).items():
        (repository / name).write_bytes(data)
    for path in packages[1:4]:
        shutil.copy(path, repository)
    done = program.start("update", repository).expect(Exit.SOME_FAILED, *set(BAD_NAMES) - {"empty.rpm"})
    assert metadata.verify(repository).nevras() == nevras(packages[1:4]), done


def test_missing_file_is_named_before_anything_is_uploaded(program, repository, packages):
    program.start("add", repository, packages[1], "/does/not/exist.rpm").expect(Exit.NOT_FOUND, "/does/not/exist.rpm")
    assert metadata.verify(repository).nevras() == []
    assert not (repository / packages[1].name).exists()


@pytest.mark.parametrize("command", [("list",), ("verify",), ("update",), ("remove", "x-1-1.noarch")],
                         ids=lambda command: command[0])
def test_missing_directory_is_not_found(program, tmp_path, command):
    missing = tmp_path / "missing"
    program.start(command[0], missing, *command[1:]).expect(Exit.NOT_FOUND, str(missing))
    assert not missing.exists()


@pytest.mark.parametrize("location", ["s3://", "s3:///prefix", "s3://spa ce", "s3://bucket/../x",
                                      "http://example.org/", "ftp://example.org/x"])
def test_malformed_location_is_wrong_usage(program, location):
    program.start("list", location).expect(Exit.USAGE, location)


# ---- usage and configuration ---------------------------------------------------------------------------------

@pytest.mark.parametrize("arguments", [
    (), ("frobnicate",), ("add",), ("list", "--frobnicate", "x"), ("remove", "x"), ("list", "a", "b"),
    ("daemon", "--quiet", "soon"), ("daemon",), ("list", ".", "--log-format", "yaml")], ids=" ".join)
def test_wrong_usage(program, arguments):
    done = program.start(*arguments).expect(Exit.USAGE)
    assert done.stderr, "it did not say what is wrong"


@pytest.mark.parametrize("arguments, word", [
    (("frobnicate",), "command 'frobnicate'"), (("frobnicate", "x", "--json"), "command 'frobnicate'"),
    (("config", "frobnicate"), "command 'frobnicate'"), (("list", "--frobnicate", "x"), "--frobnicate")],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_what_is_not_known_is_named(program, arguments, word):
    program.start(*arguments).expect(Exit.USAGE, word, "--help")


@pytest.mark.parametrize("text, line, said", [
    ('[aws]\nregion = "x"\nregoin = "y"\n', 3, "regoin"),
    ('[repositories]\nurl = "/x"\n', 1, "repositories"),
    ('[[repository]]\nurl = "/x"\ncompresion = "gz"\n', 3, "compresion"),
    ('[[repository]]\nurl = "/x"\ncompression = "lzma"\n', 3, "compression"),
    ('[[repository]]\nurl = "/x"\n\npoll = "often"\n', 4, "poll"),
    ('[[repository]]\nurl = "/x"\nquiet = 2\n', 3, "quiet"),
    ('[[repository]]\nurl = "/x"\nmax_count = 0\n', 3, "max_count"),
    ('[[repository]]\nurl = "/x"\ncreate = "yes"\n', 3, "create"),
    ('[[repository]]\ncreate = true\n', 1, "url"),
    ('[[queue]]\nname = "a"\nnmae = "b"\n', 3, "nmae"),
    ('[log]\nformat = "yaml"\n', 2, "format"),
    ('[log]\nformat = \n', 2, ""),
], ids=lambda value: value if isinstance(value, str) and "\n" not in value else "")
def test_bad_configuration_names_file_line_and_key(program, tmp_path, text, line, said):
    config = tmp_path / "repoupdate.toml"
    config.write_text(text)
    for command in (("daemon",), ("list", tmp_path)):
        program.start(*command, "--config", config).expect(Exit.USAGE, f"{config}:{line}", said)


def test_misspelt_variables_are_named_and_ignored(tmp_path, repository):
    own = {"REPOUPDATE_LOG_FROMAT": "json", "REPOUPDATE_DAEMON_WORKERS": "2"}
    done = Program(tmp_path, extra=own).run("list", repository)
    assert done.stderr.count("\n") == 1 and "warning" in done.stderr and "REPOUPDATE_LOG_FROMAT" in done.stderr, done


def test_missing_configuration_file_is_named(program, tmp_path):
    program.start("daemon", "--config", tmp_path / "none.toml").expect(Exit.NOT_FOUND, "none.toml")


# ---- metadata ------------------------------------------------------------------------------------------------

def break_metadata(repository, kind, how):
    record = metadata.load_repo(repository).repomd[kind]
    path = repository / record.href
    data = path.read_bytes()
    if how == "flipped":
        path.write_bytes(flipped(data, len(data) // 2))
    elif how == "cut":
        path.write_bytes(data[:len(data) // 2])
    else:
        path.unlink()
    return path


@pytest.mark.parametrize("how", ["flipped", "cut", "missing"])
@pytest.mark.parametrize("kind", metadata.KINDS)
def test_nothing_is_built_on_damaged_metadata(program, repository, packages, kind, how):
    """Semantics 28: stop, say which file, offer the rebuild; never publish a truncated repository."""
    program.run("add", repository, *packages[:3])
    repomd = (repository / "repodata/repomd.xml").read_bytes()
    broken = break_metadata(repository, kind, how)
    for command in (("add", packages[3]), ("remove", "p00-1.0-1.noarch"), ("update",)):
        program.start(command[0], repository, *command[1:]).expect(Exit.CORRUPT, broken.name, "--rebuild")
        assert (repository / "repodata/repomd.xml").read_bytes() == repomd
    program.start("verify", repository).expect(Exit.CORRUPT)
    program.run("update", repository, "--rebuild")
    listed = metadata.verify(repository).nevras()
    assert set(nevras(packages[:3])) <= set(listed)
    program.run("verify", repository)


@pytest.mark.parametrize("how", ["flipped", "cut", "missing"])
@pytest.mark.parametrize("kind", metadata.KINDS)
def test_rebuild_repairs_what_is_damaged_under_its_own_name(program, repository, packages, kind, how):
    """With the same packages the new file has the name of the damaged one."""
    program.run("add", repository, *packages[:3])
    sound = (repository / metadata.load_repo(repository).repomd[kind].href).read_bytes()
    broken = break_metadata(repository, kind, how)
    done = program.run("update", repository, "--rebuild")
    assert (f"repodata/{broken.name} had other bytes" in done.stderr) == (how != "missing"), done
    assert broken.read_bytes() == sound
    program.run("verify", repository)
    assert metadata.verify(repository).nevras() == nevras(packages[:3])
    assert program.run("update", repository, "--rebuild", "--json").json["repaired"] == []


@pytest.mark.parametrize("text", ["", "<repomd", "no XML at all", "<html><body>Sign in</body></html>",
                                  '<repomd xmlns="http://linux.duke.edu/metadata/repo"></repomd>'],
                         ids=["empty", "cut", "text", "html", "no-records"])
def test_repomd_that_is_none_is_corrupt(program, repository, packages, text):
    repomd = repository / "repodata/repomd.xml"
    repomd.write_text(text)
    program.start("list", repository).expect(Exit.CORRUPT, "repomd.xml", "`repoupdate update --rebuild`")
    told = program.start("verify", repository).expect(Exit.CORRUPT).stdout
    assert "repomd.xml: " in told and f"`repoupdate update --rebuild {repository}`" in told
    program.start("add", repository, packages[0]).expect(Exit.CORRUPT, "repomd.xml")
    assert repomd.read_text() == text


# ---- a store that does not take it ---------------------------------------------------------------------------

def stray_files(repository):
    """What lies there and is neither metadata nor the lock that writers of a directory share."""
    return [path.name for path in repository.rglob("*")
            if path.is_file() and path.parent.name != "repodata" and path.name != ".repoupdate.lock"]


def in_mount_namespace(script):
    """A prefix that runs `script` in a mount namespace of its own, then the command in it."""
    unshare = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]
    return [*unshare, "sh", "-euc", script + '\nexec "$@"', "sh"]


def test_read_only_directory_is_denied(program, repository, packages):
    prefix = in_mount_namespace(f"mount --bind '{repository}' '{repository}'; mount -o remount,ro,bind '{repository}'")
    before = (repository / "repodata/repomd.xml").read_bytes()
    program.start("add", repository, packages[0], prefix=prefix).expect(Exit.DENIED, str(repository))
    assert (repository / "repodata/repomd.xml").read_bytes() == before
    assert stray_files(repository) == []


@pytest.mark.parametrize("free", [8, 48], ids=["for-nothing", "for-some-packages"])
def test_full_disk_leaves_a_sound_repository(program, repository, packages, tmp_path, free):
    """On a file system with room for `free` KiB beside the empty repository."""
    kept = tmp_path / "kept"
    mount = (f"cp -a '{repository}' '{kept}'\n"
             f"mount -t tmpfs -o size=4m none '{repository}'\ncp -a '{kept}/.' '{repository}'\n"
             f"head -c $(($(stat -f -c '%f * %S' '{repository}') - {free} * 1024)) /dev/zero > '{repository}/filler'\n"
             # Out of the namespace again, for this test to look at.
             f"set +e\n\"$@\"\ncode=$?\nset -e\nrm -rf '{kept}'; cp -a '{repository}' '{kept}'\nexit $code")
    done = program.start("add", repository, *packages, prefix=in_mount_namespace(mount)).expect(Exit.NO_SPACE)
    assert "space" in done.stderr.lower(), done
    repo = metadata.verify(kept)
    for package in repo.packages:
        assert (kept / package["href"]).is_file()
    # Whole packages may lie there, to be listed when there is room; nothing half-written.
    assert [name for name in stray_files(kept) if name != "filler" and not name.endswith(".rpm")] == []
    for path in kept.glob("*.rpm"):
        checked(["rpmkeys", "--checksig", "--nosignature", str(path)])


def test_interrupted_command_leaves_a_sound_repository(program, repository, packages):
    """Ctrl-C at any time: the old repository or the new one, never a mix."""
    for milliseconds in (1, 3, 6, 10, 20, 40):
        process = subprocess.Popen([program.named("repoupdate"), "add", repository, *packages[:20]], cwd=program.home,
                                   env=program.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(milliseconds / 1000)
        except subprocess.TimeoutExpired:
            process.send_signal(2)
        assert process.wait(30) in (Exit.DONE, 130, -2)
        repo = metadata.verify(repository)
        for package in repo.packages:
            assert (repository / package["href"]).is_file()
    program.run("add", repository, *packages[:20])
    program.run("verify", repository)
