# SPDX-License-Identifier: Apache-2.0
"""The unit of packaging/systemd under a real systemd, booted in a container on a copy-on-write view of this system. Needs
root, systemd-nspawn and a kernel that lets it (install-deps --test); where that is not to be had, the tests of
test_least_privilege.py apply the unit's filters without a systemd."""
import contextlib
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from support import aws
from support.checks import published
from support.process import wait_until
from support.program import LEAKS_UNSEEN, binary
from support.stage import Stage

PACKAGING = Path(__file__).resolve().parents[1] / "packaging/systemd"
WATCHDOG = 5  # seconds, in place of the unit's


class Machine:
    """A context manager: a booted system of its own, with this one's network."""

    def __init__(self, home):
        self.base = home / "machine"
        self.root = self.base / "root"
        self.process = None

    def __enter__(self):
        self.base.mkdir()
        with contextlib.ExitStack() as undo:
            mount(undo, self.base, "-t", "tmpfs", "tmpfs")
            for name in ("upper", "work", "root"):
                (self.base / name).mkdir()
            mount(undo, self.root, "-t", "overlay", "overlay", "-o",
                  f"lowerdir=/,upperdir={self.base}/upper,workdir={self.base}/work")
            self.undo = undo.pop_all()
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.send_signal(signal.SIGTERM)  # a power-off, to systemd-nspawn
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.undo.close()

    def write(self, path, text, mode=0o644):
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def boot(self):
        with open(self.base / "console.log", "w") as console:
            self.process = subprocess.Popen(
                ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--machine=repoupdate-test", "--boot",
                 "--directory", self.root, "systemd.unit=multi-user.target"],
                stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT)
        wait_until(lambda: self.process.poll() is not None or self.is_up(), 60, "the machine to boot")
        if self.process.poll() is not None:
            pytest.skip("no systemd boots here: " + (self.base / "console.log").read_text()[-300:])

    def is_up(self):
        return self.leader() and self.run("systemctl", "is-active", "multi-user.target").stdout.strip() == "active"

    def leader(self):
        """Its first process."""
        done = subprocess.run(["pgrep", "--parent", str(self.process.pid)], text=True, capture_output=True)
        return done.stdout.split()[0] if done.stdout else None

    def run(self, *command):
        return subprocess.run(["nsenter", "--target", self.leader(), "--all", *command], text=True, capture_output=True,
                              timeout=60)

    def show(self, name):
        return self.run("systemctl", "show", "--value", f"--property={name}", "repoupdate").stdout.strip()


def mount(undo, where, *options):
    done = subprocess.run(["mount", *options, where], text=True, capture_output=True)
    if done.returncode:
        pytest.skip(f"nothing can be mounted here: {done.stderr}")
    undo.callback(subprocess.run, ["umount", "--lazy", where])


@pytest.fixture
def stage(moto, tmp_path):
    stage = Stage(moto, tmp_path)
    stage.queue_url, arn = aws.make_queue(stage.endpoint, f"queue-{stage.bucket}")
    aws.notify_queues(stage.endpoint, stage.bucket, {arn: ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]})
    stage.init()
    with stage.view:
        yield stage


@pytest.fixture
def machine(stage, tmp_path):
    if os.geteuid() != 0 or not shutil.which("systemd-nspawn"):
        pytest.skip("needs root and systemd-nspawn")
    with Machine(tmp_path) as machine:
        shutil.copy(binary(), machine.root / "usr/bin/repoupdate")
        unit = (PACKAGING / "repoupdate.service.in").read_text().replace("@CMAKE_INSTALL_FULL_BINDIR@", "/usr/bin")
        machine.write("/etc/systemd/system/repoupdate.service", unit)
        machine.write("/usr/lib/sysusers.d/repoupdate.conf", (PACKAGING / "repoupdate.sysusers").read_text())
        machine.write("/etc/systemd/system/repoupdate.service.d/test.conf",
                      f"[Service]\nWatchdogSec={WATCHDOG}s\nRestartSec=100ms\n"
                      + "".join(f"Environment={name}={value}\n" for name, value in of_sanitizers().items()))
        machine.write("/etc/repoupdate/environment",
                      f"AWS_ACCESS_KEY_ID={stage.endpoint.access_key}\n"
                      f"AWS_SECRET_ACCESS_KEY={stage.endpoint.secret_key}\nAWS_REGION=us-east-1\n"
                      f"AWS_ENDPOINT_URL={stage.endpoint.url}\n", 0o600)
        machine.write("/etc/repoupdate/repoupdate.toml",
                      f'[[queue]]\nname = "queue-{stage.bucket}"\n'
                      f'[[repository]]\nurl = "{stage.url}"\nquiet = "200ms"\n')
        machine.boot()
        machine.run("systemctl", "start", "repoupdate")
        yield machine
        print(machine.run("journalctl", "--no-pager", "--unit=repoupdate").stdout[-4000:])


def of_sanitizers():
    """Memory that GLib's slices hand on from one thread to the next looks like a race; the presets set G_SLICE."""
    return LEAKS_UNSEEN | {name: os.environ[name] for name in ("G_SLICE",) if name in os.environ}


@pytest.mark.timeout(300)
def test_the_unit_serves_a_bucket_under_systemd(machine, stage, packages):
    assert machine.show("ActiveState") == "active", machine.run("systemctl", "status", "repoupdate").stdout
    assert machine.show("NRestarts") == "0"
    assert machine.show("StatusText")

    inside = machine.show("MainPID")
    status = {name: value.split() for name, _, value in
              (line.partition(":") for line in machine.run("cat", f"/proc/{inside}/status").stdout.splitlines())}
    user = machine.run("id", "--user", "repoupdate").stdout.strip()
    assert status["Uid"] == [user] * 4 and user != "0"
    assert (status["CapEff"], status["CapBnd"], status["NoNewPrivs"], status["Seccomp"]) == (
        ["0" * 16], ["0" * 16], ["1"], ["2"])

    for path in packages[:3]:
        stage.put(path)
    wanted = sorted(path.name for path in packages[:3])
    wait_until(lambda: published(stage.view.url) == wanted, 60, "three packages")

    # A daemon that gets no further does not feed the watchdog: systemd ends it, and begins another.
    machine.run("kill", "-STOP", inside)
    stage.put(packages[3])
    wait_until(lambda: machine.show("NRestarts") == "1", 60, "systemd to begin it again")
    wanted = sorted(path.name for path in packages[:4])
    wait_until(lambda: published(stage.view.url) == wanted, 60, "four packages")

    machine.run("systemctl", "stop", "repoupdate")
    assert machine.show("Result") == "success" and machine.show("ActiveState") == "inactive"
