# SPDX-License-Identifier: Apache-2.0
"""What a repository takes in: signatures by rpmsign with keys of GnuPG, names, architectures, sizes, and packages that
are not to change. Refused ones stand in quarantine, and nobody ever sees them."""
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from support import metadata
from support import packages as package_builder
from support.checks import clients_see, nevras, published
from support.clients import Dnf
from support.program import Exit
from support.servers import serve_directory


class Signer:
    """A key of its own. GnuPG's socket needs a short path."""

    def __init__(self, name, algorithm):
        self.name, self.home = name, Path(tempfile.mkdtemp(prefix="gpg-", dir="/tmp"))
        self.environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.home), "LC_ALL": "C.UTF-8"}
        self.gpg("--quick-gen-key", f"{name}@example.org", algorithm, "sign", "never")
        self.key = self.home / f"{name}.asc"
        self.key.write_bytes(self.gpg("--armor", "--export", f"{name}@example.org"))

    def gpg(self, *arguments):
        command = ["gpg", "--homedir", self.home, "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""]
        return subprocess.run([*command, *arguments], env=self.environment, check=True, stdout=subprocess.PIPE).stdout

    def sign(self, path, directory):
        """A signed copy in that directory."""
        directory.mkdir(exist_ok=True)
        signed = Path(shutil.copy(path, directory))
        subprocess.run(["rpmsign", "--addsign", "--define", f"_gpg_name {self.name}@example.org", "--define",
                        f"_gpg_path {self.home}", "--define", f"__gpg {shutil.which('gpg')}", signed],
                       env=self.environment, check=True, stdout=subprocess.DEVNULL)
        return signed

    def close(self):
        subprocess.run(["gpgconf", "--homedir", self.home, "--kill", "all"], env=self.environment, check=False)
        shutil.rmtree(self.home, ignore_errors=True)


@pytest.fixture(scope="session")
def signers():
    signers = [Signer("vendor", "rsa2048"), Signer("second", "ed25519"), Signer("stranger", "rsa2048")]
    yield signers
    for signer in signers:
        signer.close()


@pytest.fixture
def repository(program, tmp_path):
    directory = tmp_path / "repository"
    program.run("init", directory)
    return directory


def rules(program, **values):
    """In force from now on."""
    for name in [name for name in program.environment if name.startswith("REPOUPDATE_DEFAULTS_")]:
        del program.environment[name]
    program.environment.update({f"REPOUPDATE_DEFAULTS_{name.upper()}": str(value) for name, value in values.items()})


def reasons(program, repository):
    return {record["key"]: record["reason"] for record in program.run("quarantine", "list", repository, "--json").json}


def listed(repository):
    return metadata.load_repo(repository).hrefs()


# ---- signatures ----------------------------------------------------------------------------------------------

def test_only_rightly_signed_packages_reach_clients(program, repository, packages, signers, tmp_path):
    vendor, second, stranger = signers
    good = [vendor.sign(packages[0], tmp_path / "good"), second.sign(packages[1], tmp_path / "good")]
    wrong = stranger.sign(packages[2], tmp_path / "wrong")
    config = tmp_path / "repoupdate.toml"
    config.write_text(f'[[repository]]\nurl = "{repository}"\nquiet = "200ms"\n'
                      f'signed_by = ["{vendor.key}", "{second.key}"]\n')
    with program.daemon("--config", config) as daemon:
        for path in (packages[3], wrong, *good):
            shutil.copy(path, repository)
        daemon.wait_until(lambda: published(repository) == [path.name for path in good], 60, "the signed packages")
        daemon.wait_until(lambda: len(daemon.messages("package in quarantine")) == 2, 60, "the others in quarantine")
        why = reasons(program, repository)
        assert why[packages[3].name] == "refused by signed_by: it is not signed"
        assert why[packages[2].name].startswith("refused by signed_by: it is signed by another key, ")
        with serve_directory(repository) as server:
            clients_see(tmp_path / "clients", server.url, good, install=["p00", "p01"])
        resigned = vendor.sign(packages[3], tmp_path / "late")
        shutil.copy(resigned, repository / "partial")
        (repository / "partial").rename(repository / resigned.name)
        daemon.wait_until(lambda: resigned.name in published(repository), 60, "the one that was signed later")
        # Right after the publication, which it must not hold up.
        daemon.wait_until(lambda: list(reasons(program, repository)) == [packages[2].name], 60, "its record to go")


def test_add_refuses_before_it_uploads(program, repository, packages, signers, tmp_path):
    vendor, _, stranger = signers
    rules(program, signed_by=vendor.key)
    wrong = stranger.sign(packages[1], tmp_path / "wrong")
    program.start("add", repository, packages[0], wrong).expect(Exit.USAGE, "it is not signed", "signed by another key")
    good = vendor.sign(packages[2], tmp_path / "good")
    program.start("add", repository, good, wrong).expect(Exit.SOME_FAILED, "signed by another key")
    assert [path.name for path in repository.glob("*.rpm")] == [good.name] == listed(repository)
    assert not reasons(program, repository), "what is not there is in no quarantine"


def test_a_changed_header_is_refused(program, repository, packages, signers, tmp_path):
    """The digest of the header is mended, the signature cannot be: the store is no place to trust."""
    vendor, *_ = signers
    rules(program, signed_by=vendor.key)
    signed = vendor.sign(packages[0], tmp_path / "signed").read_bytes()
    other = vendor.sign(packages[1], tmp_path / "signed").read_bytes()

    def parts(data):
        def size(start):
            return 16 + 16 * int.from_bytes(data[start + 8:start + 12]) + int.from_bytes(data[start + 12:start + 16])
        header = 96 + size(96)
        header += -header % 8
        return data[:header], data[header:]

    (repository / "swapped.rpm").write_bytes(parts(signed)[0] + parts(other)[1])
    program.start("update", repository).expect(Exit.SOME_FAILED, "swapped.rpm")
    assert listed(repository) == []


def test_new_keys_look_at_what_the_old_ones_refused(program, repository, packages, signers, tmp_path):
    vendor, second, _ = signers
    shutil.copy(second.sign(packages[0], tmp_path / "signed"), repository)
    rules(program, signed_by=vendor.key)
    program.start("update", repository).expect(Exit.SOME_FAILED, "another key")
    program.start("update", repository).expect(Exit.SOME_FAILED, "in quarantine since")
    rules(program, signed_by=f"{vendor.key}, {second.key}")
    program.run("update", repository)
    assert listed(repository) == [packages[0].name] and not reasons(program, repository)


def test_a_key_file_that_is_none_is_named(program, repository, tmp_path):
    rules(program, signed_by=tmp_path / "missing.asc")
    program.start("update", repository).expect(Exit.USAGE, "signed_by", "missing.asc")
    (tmp_path / "text.asc").write_text("hello\n")
    rules(program, signed_by=tmp_path / "text.asc")
    program.start("daemon", "--repository", repository).expect(Exit.USAGE, "text.asc", "no OpenPGP public key")


# ---- the other rules -----------------------------------------------------------------------------------------

@pytest.mark.parametrize("rule, value, said", (
    ("file_names", "nvra", "the file is called odd.rpm"),
    ("arches", "x86_64, src", "its architecture is noarch"),
    ("vendors", "Example*", "it names no vendor"),
    ("allow_names", "our-*", "its name is p00"),
    ("deny_names", "x,p0?", "its name is p00"),
))
def test_rules_hold_for_add_update_and_rebuild(program, repository, packages, tmp_path, rule, value, said):
    odd = Path(shutil.copy(packages[0], tmp_path / "odd.rpm"))
    rules(program, **{rule: value})
    program.start("add", repository, odd).expect(Exit.USAGE, f"refused by {rule}: {said}")
    assert not (repository / "odd.rpm").exists()
    shutil.copy(odd, repository)
    program.start("update", repository).expect(Exit.SOME_FAILED, f"refused by {rule}: {said}")
    assert listed(repository) == []
    rules(program)
    program.run("update", repository)
    assert listed(repository) == ["odd.rpm"]
    rules(program, **{rule: value})
    program.run("update", repository)
    assert listed(repository) == ["odd.rpm"], "what is listed is not judged"
    program.start("update", repository, "--rebuild").expect(Exit.SOME_FAILED, f"refused by {rule}")
    assert listed(repository) == []


def test_large_packages_are_refused(program, repository, packages):
    large = repository / "large.rpm"
    large.write_bytes(packages[0].read_bytes() + bytes(1 << 20))
    rules(program, max_package_mib=1)
    program.start("update", repository).expect(Exit.SOME_FAILED, "refused by max_package_mib")
    rules(program)
    program.run("update", repository)


def test_lists_are_arrays_in_the_file(program, repository, tmp_path):
    config = tmp_path / "repoupdate.toml"
    config.write_text('[defaults]\nvendors = ["Red Hat, Inc.", "Fedora*"]\n')
    shown = program.run("config", "show", "--config", config).stdout
    assert 'vendors = ["Red Hat, Inc.", "Fedora*"]' in shown
    config.write_text('[defaults]\nvendors = "Fedora"\n')
    program.start("config", "show", "--config", config).expect(Exit.USAGE, "repoupdate.toml:2", "list of texts")


# ---- listed packages that somebody replaces --------------------------------------------------------------------

def test_a_listed_package_replaced_by_a_refused_one_is_withdrawn(program, repository, signers, package_cache, tmp_path):
    """The bytes that were listed are gone: clients go on with what there is, and get them back when they are back."""
    vendor, *_ = signers
    old, new = (package_builder.build_simple(package_cache, "replaced", version=version, files=["/usr/share/replaced/data"])
                for version in ("1.0", "2.0"))
    signed = [vendor.sign(path, tmp_path / "signed") for path in (old, new)]
    rules(program, signed_by=vendor.key)
    program.run("add", repository, *signed)
    shutil.copy(new, repository)  # not signed
    program.start("update", repository, new.name).expect(Exit.SOME_FAILED, "it is not signed")
    with serve_directory(repository) as server:
        clients_see(tmp_path / "clients", server.url, [old], install=["replaced"])
    assert list(reasons(program, repository)) == [new.name]
    shutil.copy(signed[1], repository)
    program.run("update", repository)
    assert metadata.verify(repository).nevras() == nevras([old, new])


def test_an_immutable_package_stays_listed_as_it_was(program, repository, package_cache, tmp_path, packages):
    """Whatever is put in its place, clients refuse it; the old bytes make it whole again."""
    rules(program, immutable="true")
    program.run("add", repository, *packages[:2])
    other = package_builder.build_many(package_cache / "other", ["p00"], version="1.1")[0]
    fake = Path(shutil.copy(other, tmp_path / packages[0].name))
    program.start("add", repository, fake).expect(Exit.USAGE, "refused by immutable")
    assert (repository / fake.name).read_bytes() == packages[0].read_bytes()
    shutil.copy(fake, repository)  # by other means
    program.start("update", repository).expect(Exit.SOME_FAILED, "refused by immutable")
    assert listed(repository) == [path.name for path in packages[:2]]
    with serve_directory(repository) as server, Dnf(tmp_path / "clients", server.url) as dnf:
        assert dnf.packages() == nevras(packages[:2])
        dnf.install("p01")
        dnf.fails("install", "--downloadonly", "p00")
        shutil.copy(packages[0], repository)
        program.run("update", repository)
        assert not reasons(program, repository)
        dnf.run("makecache", "--refresh")
        dnf.run("install", "--downloadonly", "p00")


def test_an_immutable_nevra_is_not_uploaded_with_other_bytes(program, repository, packages, tmp_path):
    rules(program, immutable="true")
    program.run("add", repository, packages[0])
    other = tmp_path / packages[0].name
    other.write_bytes(packages[0].read_bytes() + b"more")
    program.start("add", repository, other, "--directory", "elsewhere").expect(Exit.USAGE, "refused by immutable")
    assert not (repository / "elsewhere").exists()
    program.run("add", repository, packages[0])  # the same bytes
    program.start("add", repository, packages[0], packages[1]).expect(Exit.DONE)
