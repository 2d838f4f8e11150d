# SPDX-License-Identifier: Apache-2.0
"""Child processes that cannot outlive the test run, each with its output in a file."""
import ctypes
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

PR_SET_PDEATHSIG = 1
# Where scripts/install-deps --servers puts what no distribution has.
SERVERS = Path(__file__).resolve().parents[2] / "build/servers/bin"
LIBC = ctypes.CDLL(None, use_errno=True)


def die_with_parent():
    """Runs in the child: even a killed test run leaves no server behind."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def sudo():
    """What to put before a command that has to run as root."""
    return [] if os.geteuid() == 0 else ["sudo", "-n"]


def find_server(name):
    """The path of a server's program, installed by scripts/install-deps --servers or by the distribution, or None."""
    return shutil.which(name, path=f"{SERVERS}:{os.environ.get('PATH', '')}")


_ports = []  # sockets whose names say that a port is ours, until this process ends


def free_port():
    """A port that nothing listens on, and that no other process of these tests is given meanwhile. Below the range of
    outgoing connections, so that none takes it either."""
    for _ in range(200):
        port = random.randrange(15000, 32000)
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0repoupdate-test-port-{port}")
        except OSError:
            claim.close()
            continue
        _ports.append(claim)
        if not listens(port):
            return port
    raise AssertionError("no free port")


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def answers(url):
    """Whether a GET is answered 200."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, ConnectionError):
        return False


def wait_until(condition, timeout, what, pause=0.05):
    """The first true value of condition(); fails with `what` when there is none in `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"waited {timeout} s in vain for {what() if callable(what) else what}"
        time.sleep(pause)


def checked(command, **options):
    """Runs a command to its end and returns its standard output; fails with everything it said."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120, **options)
    assert done.returncode == 0, f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


class Server:
    """A running child process. Its output is in the file `log`."""

    def __init__(self, command, log, env=None):
        self.command, self.log = command, log
        with open(log, "ab") as output:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=env,
                                            start_new_session=True, preexec_fn=die_with_parent)

    def output(self):
        return self.log.read_text(errors="replace")

    def running(self):
        """True, or a failure that shows what the process said last."""
        code = self.process.poll()
        assert code is None, f"{self.command[0]} ended with {code}:\n{self.output()[-4000:]}"
        return True

    def wait_for(self, condition, timeout, what):
        return wait_until(lambda: self.running() and condition(), timeout, what)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class ServerGroup:
    """Servers that belong together, over the directory `home`: either all of them run, or none is left. _start() has to
    be given, and starts them with server()."""

    def __init__(self, name):
        # Not one of pytest's: unix sockets need a short path, of at most 107 bytes.
        self.home = Path(tempfile.mkdtemp(prefix=f"{name}-", dir="/tmp"))
        self.servers = []
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def server(self, command, log):
        self.servers.append(Server(command, log))
        return self.servers[-1]

    def stop(self):
        """Everything is thrown away: nothing to end gracefully."""
        for server in reversed(self.servers):
            server.kill()
        shutil.rmtree(self.home, ignore_errors=True)
