# SPDX-License-Identifier: Apache-2.0
"""Signed repositories: dnf with repo_gpgcheck and zypper accept them, whoever signs, whoever else publishes, and while
keys change; and nothing is published that they would refuse."""
import shlex
import shutil
import signal
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from support import aws
from support.checks import nevras, published
from support.clients import Dnf, Zypper
from support.gpg import Keyring, good_signers
from support.process import wait_until
from support.program import Exit
from support.scrape import Monitor
from support.servers import serve_directory
from support.stage import Stage

PASSPHRASE = "correct horse battery staple"


class Keys:
    """An old key and a new one, as the files that settings name."""

    def __init__(self, keyring, directory):
        self.keyring = keyring
        self.old, self.new = keyring.make_key("old"), keyring.make_key("new", PASSPHRASE)
        self.old_secret = self._write(directory / "old.sec", keyring.secret_key(self.old))
        self.new_secret = self._write(directory / "new.sec", keyring.secret_key(self.new, PASSPHRASE))
        self.both_secret = self._write(directory / "both.sec", keyring.secret_key(self.old)
                                       + keyring.secret_key(self.new, PASSPHRASE))
        self.passphrase = self._write(directory / "passphrase", PASSPHRASE + "\n")
        self.old_public = self._write(directory / "old.pub", keyring.public_key(self.old))
        self.new_public = self._write(directory / "new.pub", keyring.public_key(self.new))
        self.both_public = self._write(directory / "both.pub", keyring.public_key(self.old) + keyring.public_key(self.new))

    @staticmethod
    def _write(path, text):
        path.write_text(text)
        path.chmod(0o600)
        return path

    def signers_of(self, repomd, signature):
        return good_signers(self.both_public.read_bytes(), repomd, signature)


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    with Keyring() as keyring:
        yield Keys(keyring, tmp_path_factory.mktemp("keys"))


@pytest.fixture
def repository(tmp_path):
    directory = tmp_path / "repository"
    directory.mkdir()
    return directory


def pair_of(repository):
    return tuple((repository / "repodata" / name).read_bytes() for name in ("repomd.xml", "repomd.xml.asc"))


def clients_accept(home, url, wanted):
    with Dnf(home, url, key=f"{url}/repodata/repomd.xml.key") as dnf:
        assert dnf.packages() == nevras(wanted)
    with Zypper(home, url, trusts_published=True) as zypper:
        assert len(zypper.packages()) == len(wanted)


def clients_refuse(home, url):
    with Dnf(home, url, key=f"{url}/repodata/repomd.xml.key") as dnf:
        assert "GPG" in dnf.fails("makecache", "--refresh")
    with Zypper(home, url, trusts_published=True) as zypper:
        assert "ignature" in zypper.fails("refresh", "--force")


def test_dnf_and_zypper_accept_a_signed_directory_and_a_stale_signature_is_repaired(program, repository, packages, keys,
                                                                                    tmp_path):
    sign = ("--sign-key-file", keys.old_secret)
    program.run("init", repository, *sign)
    program.run("add", repository, *packages[:2], *sign)
    with serve_directory(repository) as server:
        clients_accept(tmp_path / "first", server.url, packages[:2])
        stale = pair_of(repository)[1]
        program.run("add", repository, packages[2], *sign)
        clients_accept(tmp_path / "second", server.url, packages[:3])
        program.run("verify", repository, "--sign-public-key", keys.old_public)

        # As after a crash between the two. The clients would notice.
        (repository / "repodata/repomd.xml.asc").write_bytes(stale)
        clients_refuse(tmp_path / "third", server.url)
        found = program.start("verify", repository, "--sign-public-key", keys.old_public)
        assert found.code == Exit.CORRUPT and "repomd.xml.asc: the signature by key" in found.stdout, found
        before = pair_of(repository)[0]
        program.start("update", repository, *sign).expect(Exit.DONE, "it was signed")
        assert pair_of(repository)[0] == before, "nothing else was to be done"
        clients_accept(tmp_path / "fourth", server.url, packages[:3])


def test_daemon_signs_a_bucket_with_the_key_of_a_keyring(moto, packages, keys, tmp_path):
    stage = Stage(moto, tmp_path)
    config = tmp_path / "daemon.toml"
    config.write_text(f"""\
[aws]
region = "{stage.endpoint.region}"
endpoint = "{stage.endpoint.url}"
[[repository]]
url = "{stage.url}"
create = true
poll = "1s"
sign_key = "{keys.new}"
sign_gnupghome = "{keys.keyring.home}"
sign_passphrase_file = "{keys.passphrase}"
""")
    with stage.program.daemon("--config", config, "--log-level", "debug") as daemon, stage.view as view:
        for count in (1, 3):
            for path in packages[:count]:
                stage.put(path)
            daemon.wait_until(lambda: len(published(view.url) or []) == count, 60, f"{count} packages")
            read = [aws.read_object(stage.endpoint, stage.bucket, stage.prefix + "repodata/" + name)
                    for name in ("repomd.xml", "repomd.xml.asc")]
            daemon.wait_until(lambda: keys.signers_of(*[
                aws.read_object(stage.endpoint, stage.bucket, stage.prefix + "repodata/" + name)
                for name in ("repomd.xml", "repomd.xml.asc")]) == [keys.new], 30, f"a good pair, last {read}")
            clients_accept(tmp_path / str(count), view.url, packages[:count])
        for name in ("repomd.xml.asc", "repomd.xml.key"):
            head = stage.s3.head_object(Bucket=stage.bucket, Key=stage.prefix + "repodata/" + name)
            assert head["CacheControl"] == "no-cache" and head["ContentType"].startswith("application/pgp-")
        # Gone for whatever reason: the next comparison with the listing notices.
        stage.delete("repodata/repomd.xml.asc")
        daemon.wait_until(lambda: "repodata/repomd.xml.asc" in stage.keys(), 30, "the signature to be put again")
        assert PASSPHRASE not in daemon.server.output()


def test_external_command_signs_and_its_failure_stops_the_publication(program, repository, packages, keys, tmp_path):
    command = shlex.join(keys.keyring.sign_command(keys.old))
    sign = ("--sign-public-key", keys.old_public, "--sign-command")
    program.run("init", repository, *sign, command)
    program.run("add", repository, packages[0], *sign, command)
    with serve_directory(repository) as server:
        clients_accept(tmp_path / "clients", server.url, packages[:1])
    before = pair_of(repository)
    wrong_key = shlex.join(["env", "--", *keys.keyring.sign_command(keys.old, "--digest-algo", "SHA1")])
    for bad, says in (("sh -c 'cat >/dev/null; echo no key for you >&2; exit 1'", "it says: no key for you"),
                      ("cat", "wrote no armored signature"),
                      (wrong_key, "uses the digest SHA1"),
                      ("/does/not/exist", "No such file")):
        done = program.start("add", repository, packages[1], *sign, bad)
        assert done.code != Exit.DONE and says in done.stderr, done
        assert pair_of(repository) == before
    program.start("add", repository, packages[1], "--sign-command", command).expect(Exit.USAGE, "sign_public_key")


def test_removal_whose_signature_could_not_be_put_is_completed_by_the_same_command(program, repository, packages, keys):
    sign = ("--sign-key-file", keys.old_secret)
    program.run("init", repository, *sign)
    program.run("add", repository, *packages[:3], *sign)
    signature = repository / "repodata/repomd.xml.asc"
    signature.unlink()
    (signature / "in the way").mkdir(parents=True)
    remove = ("remove", repository, packages[0].name[:3] + "*", *sign)
    done = program.start(*remove)
    assert done.code != Exit.DONE and "repomd.xml is published, its signature not yet" in done.stderr, done
    assert (repository / packages[0].name).exists()
    shutil.rmtree(signature)
    program.run(*remove)
    assert sorted(path.name for path in repository.glob("*.rpm")) == [path.name for path in packages[1:3]]
    program.run("update", repository, *sign)
    program.run("verify", repository, "--sign-public-key", keys.old_public)
    assert published(repository) == [path.name for path in packages[1:3]]


def test_two_daemons_that_sign_end_with_a_good_pair(program, repository, packages, keys):
    """Both see every file come, and both publish."""
    options = ("--repository", repository, "--create", "--quiet", "20ms", "--max-age", "20ms", "--sign-key-file",
               keys.old_secret)
    with program.daemon(*options, log_name="a.log") as one, program.daemon(*options, log_name="b.log") as two:
        for number, path in enumerate(packages):
            shutil.copy(path, repository / path.name)
            one.wait_until(lambda: len(published(repository) or []) > number // 2, 60, "the daemons to keep up")
        for daemon in (one, two):
            daemon.wait_until(lambda: published(repository) == sorted(path.name for path in packages), 60, "all packages")
            daemon.wait_until(lambda: keys.signers_of(*pair_of(repository)) == [keys.old], 30, "a good pair")
    assert keys.signers_of(*pair_of(repository)) == [keys.old]
    program.run("verify", repository, "--sign-public-key", keys.old_public)


def test_writers_of_a_bucket_at_the_same_time_end_with_a_good_pair(rgw, packages, keys, tmp_path):
    stage = Stage(rgw, tmp_path)
    sign = ("--sign-key-file", keys.old_secret)
    stage.program.run("init", stage.url, *sign)
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda path: stage.program.start("add", "--json", stage.url, path, *sign), packages[:8]))
    for each in done:
        each.expect(Exit.DONE)
    stage.program.run("verify", stage.url, "--sign-public-key", keys.old_public)
    with stage.view as view:
        clients_accept(tmp_path / "clients", view.url, packages[:8])


def test_two_keys_at_once_while_clients_change_over(program, repository, packages, keys, tmp_path):
    """dnf is content with a signature by a key that it has. So is zypper, if it is the first one: else it asks whether to
    trust the other key, which the repository has, too."""
    order = [keys.old, keys.new]
    both = ("--sign-passphrase-file", keys.passphrase, "--sign-key-file", keys.both_secret, "--sign-key")
    program.run("init", repository, "--sign-key-file", keys.old_secret)
    program.start("update", repository, *both, ",".join(order)).expect(Exit.DONE, "it was signed")
    program.run("add", repository, packages[0], *both, ",".join(order))
    assert keys.signers_of(*pair_of(repository)) == sorted(order)
    with serve_directory(repository) as server:
        for public in (keys.old_public, keys.new_public, keys.both_public):
            with Dnf(tmp_path / public.name, server.url, key=public.as_uri()) as dnf:
                assert dnf.packages() == nevras(packages[:1])
        for public in (keys.old_public, keys.both_public):
            with Zypper(tmp_path / public.name, server.url, key=public) as zypper:
                assert len(zypper.packages()) == 1
        with Zypper(tmp_path / "asks", server.url, key=keys.new_public) as zypper:
            assert "New repository or package signing key" in zypper.fails("refresh", "--force")
        clients_accept(tmp_path / "published", server.url, packages[:1])

        # Halfway: new machines get the new key only.
        program.run("add", repository, packages[1], *both, ",".join(reversed(order)))
        for public in (keys.new_public, keys.both_public):
            with Zypper(tmp_path / "later" / public.name, server.url, key=public) as zypper:
                assert len(zypper.packages()) == 2
        for public in (keys.old_public, keys.new_public):
            with Dnf(tmp_path / "later" / public.name, server.url, key=public.as_uri()) as dnf:
                assert dnf.packages() == nevras(packages[:2])

        # The end of it: who has the old key only is left behind.
        new = ("--sign-key-file", keys.new_secret, "--sign-passphrase-file", keys.passphrase)
        program.run("add", repository, packages[2], *new)
        with Dnf(tmp_path / "late", server.url, key=keys.old_public.as_uri()) as dnf:
            dnf.fails("makecache", "--refresh")
        with Dnf(tmp_path / "new", server.url, key=keys.new_public.as_uri()) as dnf:
            assert dnf.packages() == nevras(packages[:3])


def test_signed_repository_is_not_published_unsigned(program, repository, packages, keys):
    program.run("init", repository, "--sign-key-file", keys.old_secret)
    before = pair_of(repository)
    done = program.start("add", repository, packages[0])
    done.expect(Exit.USAGE, "Set sign_key, sign_key_file or sign_command")
    assert pair_of(repository) == before
    assert not list(repository.rglob("*.rpm")), "nothing is uploaded that cannot be published"
    shutil.copy(packages[0], repository)
    program.start("update", repository).expect(Exit.USAGE, "Set sign_key, sign_key_file or sign_command")
    found = program.start("verify", repository)
    assert found.code == Exit.CORRUPT and "no key is configured to check it with" in found.stdout, found
    assert "--sign-public-key" in found.stdout and "puts that right" not in found.stdout, found
    program.run("list", repository)
    (repository / "repodata/repomd.xml.asc").unlink()
    program.run("update", repository)
    assert published(repository) == [packages[0].name]


@pytest.mark.parametrize("arguments, says", [
    (("--sign-key", "DEADBEEF"), "is no fingerprint"),
    (("--sign-key", "A" * 40), "the secret key " + "A" * 40 + " is not there"),
    (("--sign-key-file", "/does/not/exist"), "sign_key_file = \"/does/not/exist\""),
    (("--sign-key-file", "/etc/hostname"), "sign_key_file"),
    (("--sign-command", "cat"), "sign_command needs sign_public_key"),
    (("--sign-command", "cat", "--sign-key-file", "x"), "sign_command has the key in its own keeping"),
    (("--sign-passphrase-file", "x"), "need sign_key or sign_key_file"),
    (("--sign-public-key", "/etc/hostname"), "no armored public key"),
])
def test_settings_that_cannot_be_are_named(program, repository, arguments, says):
    done = program.start("init", repository, *arguments)
    assert done.code != Exit.DONE and says in done.stderr, done
    assert not (repository / "repodata").exists()


def test_weak_and_expired_keys_are_refused_with_the_reason(program, repository, tmp_path):
    with Keyring() as keyring:
        for name, reason, options in (("small", "has 1024 bits", {"algorithm": "rsa1024"}),
                                      ("expired", "has expired", {"algorithm": "ed25519", "expires": "seconds=1"})):
            key = keyring.make_key(name, **options)
            file = tmp_path / f"{name}.sec"
            file.write_text(keyring.secret_key(key))
            done = None

            def refused():
                nonlocal done
                shutil.rmtree(repository / "repodata", ignore_errors=True)
                done = program.start("init", repository, "--sign-key-file", file)
                return done.code != Exit.DONE

            wait_until(refused, 30, f"the key to be refused: {reason}")
            done.expect(Exit.USAGE, reason, key)
            assert not (repository / "repodata").exists()


@pytest.mark.parametrize(("expires", "is_told"), [("10d", True), ("30d", False), ("never", False)])
def test_key_that_expires_soon_is_told_in_time(program, repository, tmp_path, expires, is_told):
    """Nothing can be published once it has: every command says so in its log, and the daemon to monitoring."""
    with Keyring() as keyring:
        key = keyring.make_key("key", algorithm="ed25519", expires=expires)
        file = tmp_path / "key.sec"
        file.write_text(keyring.secret_key(key))
        done = program.run("init", repository, "--sign-key-file", file)
        assert ("expires soon" in done.stderr and key in done.stderr) == is_told, done
        name = str(repository)
        with program.daemon("--repository", name, "--sign-key-file", file, "--metrics", "127.0.0.1:0") as daemon:
            at = Monitor(daemon).wait_for(
                lambda metrics: metrics.value("repoupdate_last_success_timestamp_seconds", repository=name),
                "the first look").value("repoupdate_signing_key_expires_timestamp_seconds", repository=name)
        wanted = 0 if expires == "never" else time.time() + int(expires[:-1]) * 86400
        assert abs(at - wanted) < 86400


def test_key_that_has_expired_stops_its_own_publications_alone(program, repository, packages, tmp_path):
    """Also after a restart in the night: others are served, and commands that publish nothing go on."""
    other = tmp_path / "other"
    other.mkdir()
    key = tmp_path / "key.sec"
    config = tmp_path / "repoupdate.toml"
    config.write_text(f'''[metrics]
listen = "127.0.0.1:0"
[defaults]
create = true
quiet = "200ms"
[[repository]]
url = "{repository}"
sign_key_file = "{key}"
[[repository]]
url = "{other}"
''')
    with Keyring() as keyring:
        name = keyring.make_key("key", algorithm="ed25519", expires="seconds=20")
        key.write_text(keyring.secret_key(name))
        program.run("init", "--config", config, repository)
        wait_until(lambda: program.start("update", "--config", config, repository).code == Exit.USAGE, 60,
                   "the key to expire")
        program.start("add", "--config", config, repository, packages[1]).expect(Exit.USAGE, "has expired", name)
        assert not list(repository.glob("*.rpm")), "nothing is uploaded that cannot be published"
        program.run("quarantine", "list", "--config", config, repository)
        program.run("sweep", "--config", config, repository)
        wait_until(lambda: f"the signature by key {name} is by a key that has expired" in
                   program.start("verify", "--config", config, repository).stdout, 10, "verify to find fault with it")
        program.run("add", "--upload-only", "--config", config, repository, packages[1])
        shutil.copy(packages[0], other)
        before = pair_of(repository)
        with program.daemon("--config", config) as daemon:
            daemon.wait_until(lambda: published(other) == [packages[0].name], 60, "the other repository")
            monitor = Monitor(daemon)
            wait_until(lambda: [(reason.get("repository"), "has expired" in reason["reason"])
                                for reason in monitor.state("readyz")[1].get("reasons", [])] == [(str(repository), True)],
                       60, "the reason")
            assert pair_of(repository) == before
            keyring.gpg("--quick-set-expire", name, "1y")
            key.write_text(keyring.secret_key(name))
            daemon.server.process.send_signal(signal.SIGHUP)
            monitor.wait_for_state("readyz", 200)
            assert packages[1].name in published(repository)


def test_daemon_outlives_a_key_that_cannot_be_read_again(program, repository, packages, keys, tmp_path):
    """SIGHUP may be for the log alone, and find that a key has expired or gone since: other repositories' messages and
    this one's wait, and are worked on once the key is right."""
    key = tmp_path / "key.sec"
    shutil.copy(keys.old_secret, key)
    with program.daemon("--repository", repository, "--create", "--sign-key-file", key, "--quiet", "200ms", "--metrics",
                        "127.0.0.1:0") as daemon:
        monitor = Monitor(daemon)
        monitor.wait_for_state("readyz", 200)
        assert monitor.metrics().value("repoupdate_ready") == 1
        key.unlink()
        daemon.server.process.send_signal(signal.SIGHUP)
        daemon.wait_for_message("trying again")
        answer = monitor.wait_for_state("readyz", 503)
        assert "sign_key_file" in answer["reasons"][0]["reason"], "not only that it is starting"
        metrics = monitor.metrics()
        assert metrics.value("repoupdate_ready") == 0
        assert metrics.value("repoupdate_repository_up") == 0, "an alert has to see that nothing is served"
        shutil.copy(packages[0], repository)
        shutil.copy(keys.old_secret, key)
        daemon.server.process.send_signal(signal.SIGHUP)
        daemon.wait_until(lambda: published(repository) == [packages[0].name], 60, "the package")
    assert keys.signers_of(*pair_of(repository)) == [keys.old]


def test_public_key_alone_uploads_nothing(program, repository, packages, keys):
    program.run("init", repository, "--sign-key-file", keys.old_secret)
    done = program.start("add", "--sign-public-key", keys.old_public, repository, packages[0])
    done.expect(Exit.USAGE, "sign_public_key alone")
    assert not list(repository.glob("*.rpm"))


@pytest.fixture
def short_directory():
    with tempfile.TemporaryDirectory(prefix="runtime-", dir="/tmp") as path:
        yield Path(path)


def test_killed_writer_leaves_no_secret_behind_for_long(program, repository, packages, keys, short_directory):
    """What kill -9 leaves, a GNUPGHOME with a secret key, the next process removes."""
    runtime = short_directory  # the agent's sockets lie in it
    program.environment["RUNTIME_DIRECTORY"] = str(runtime)
    sign = ("--sign-key-file", keys.old_secret)
    with program.daemon("--repository", repository, "--create", *sign) as daemon:
        shutil.copy(packages[0], repository)
        daemon.wait_until(lambda: published(repository) == [packages[0].name], 60, "the package")
        daemon.server.kill()
        assert any(runtime.glob("repoupdate-gpg-*")), "it had one"
        daemon.launch()
        daemon.wait_until(lambda: len(daemon.messages("ready")) == 2, 60, "the daemon to be back")
        assert len(list(runtime.glob("repoupdate-gpg-*"))) == 2, "one to sign with, one to check with"
    assert list(runtime.iterdir()) == []
