# SPDX-License-Identifier: Apache-2.0
"""The program under test: single commands, and the daemon with its JSON log."""
import enum
import json
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from support.process import Server, wait_until

COMMAND_TIMEOUT = 120
READY_TIMEOUT = 60
STOP_TIMEOUT = 30


class Exit(enum.IntEnum):
    """The exit codes that docs/commands.md promises."""

    DONE = 0
    SOME_FAILED = 1  # some packages failed, everything else was published
    USAGE = 2        # wrong arguments or configuration
    NOT_FOUND = 3    # no such repository, bucket, package or file
    DENIED = 4       # credentials or permissions
    UNREACHABLE = 5  # the store or the queue, or it is overloaded
    CONFLICT = 6     # a repository is there already, or others kept publishing
    CORRUPT = 7      # metadata or a package; `verify` found problems
    NO_SPACE = 8
    LOCAL = 9        # another failure of this machine
    UNCONFIRMED = 10  # more packages would be dropped than shrink_limit allows
    STOPPED = 130    # interrupted


# The memory of a sanitizer's shadow says nothing about the program's.
IS_SANITIZED = "ASAN_OPTIONS" in os.environ or "TSAN_OPTIONS" in os.environ


# For who may not trace itself, which looking for leaks takes.
LEAKS_UNSEEN = {name: f"{options}:detect_leaks=0" for name, options in os.environ.items() if name == "ASAN_OPTIONS"}


def binary():
    path = os.environ.get("REPOUPDATE")
    assert path, "REPOUPDATE has to name the program under test (CTest sets it)"
    return Path(path).resolve()


def environment(home, extra=None):
    """Of this environment only what a program needs to run: no credentials, no proxy, no configuration."""
    wanted = ("PATH", "LANG", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "G_SLICE")
    kept = {name: os.environ[name] for name in wanted if name in os.environ}
    # What it remembers of a store must not outlive the server that the test started.
    own = {"HOME": str(home), "REPOUPDATE_CACHE_DIRECTORY": str(home), "AWS_EC2_METADATA_DISABLED": "true"}
    return kept | own | (extra or {})


@dataclass
class Done:
    command: list
    code: int
    stdout: str
    stderr: str

    def __str__(self):
        return f"{' '.join(self.command)}: exit {self.code}\n--- stdout\n{self.stdout}--- stderr\n{self.stderr}"

    @property
    def json(self):
        return json.loads(self.stdout)

    def expect(self, code, *said):
        """Asserts the exit code, and that each of `said` stands in standard error."""
        assert self.code == code, f"wanted exit {code!r}: {self}"
        for text in said:
            assert text in self.stderr, f"wanted {text!r} on standard error: {self}"
        return self


class Program:
    """Runs the program in a directory of its own, as a user of `endpoint` where there is one."""

    def __init__(self, home, endpoint=None, extra=None):
        self.home = home
        self.environment = environment(home, (endpoint.environment() if endpoint else {}) | (extra or {}))

    def start(self, *arguments, name=None, prefix=(), stdin=None, timeout=COMMAND_TIMEOUT):
        """Whatever the exit code. `name` is another name by which the program is called (argv[0])."""
        command = [*prefix, str(self.named(name) if name else binary()), *map(str, arguments)]
        done = subprocess.run(command, cwd=self.home, env=self.environment, input=stdin, text=True, timeout=timeout,
                              stdin=subprocess.DEVNULL if stdin is None else None,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return Done(command, done.returncode, done.stdout, done.stderr)

    def run(self, *arguments, **options):
        return self.start(*arguments, **options).expect(Exit.DONE)

    def named(self, name):
        """A symbolic link to the program, as `make install` makes them."""
        link = self.home / name
        if not link.is_symlink():
            link.symlink_to(binary())
        return link

    def daemon(self, *arguments, **options):
        return Daemon(self, *arguments, **options)


class Daemon:
    """A running daemon. Leaving the context sends SIGTERM, unless it was killed, and asserts that it then ends with exit
    code 0."""

    def __init__(self, program, *arguments, name=None, log_name="daemon.log", prefix=()):
        self.program = program
        executable = [str(program.named(name))] if name else [str(binary()), "daemon", "--log-format", "json"]
        self.command = [*map(str, prefix), *executable, *map(str, arguments)]
        self.log_file = program.home / log_name
        self.server = None
        self.killed = False

    def __enter__(self):
        self.launch()
        self.wait_for_message("ready", READY_TIMEOUT)
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            if not self.killed:
                self.stop()
        else:
            self.server.kill()
            print(f"--- {self.log_file.name}, last lines\n{self.server.output()[-6000:]}")

    def launch(self):
        self.server = Server(self.command, self.log_file, env=self.program.environment)

    def kill(self):
        self.server.running()
        self.server.kill()
        self.killed = True

    def stop(self):
        self.server.running()
        self.server.process.send_signal(signal.SIGTERM)
        code = self.server.process.wait(STOP_TIMEOUT)
        assert code == 0, f"the daemon ended with {code}:\n{self.server.output()[-4000:]}"

    def lines(self):
        """The log so far. Every line has to be JSON; the last one may still be written."""
        text = self.server.output()
        return [json.loads(line) for line in text[:text.rfind("\n") + 1].splitlines()]

    def messages(self, message):
        return [line for line in self.lines() if line["message"] == message]

    def wait_for_message(self, message, timeout=60):
        return self.wait_until(lambda: self.messages(message), timeout, f"the log message {message!r}")[-1]

    def wait_until(self, condition, timeout, what):
        """Like wait_until, but ends at once, showing the log, when the daemon has ended."""
        def described():
            return f"{what}; the log ends with\n{self.server.output()[-4000:]}"

        return wait_until(lambda: self.server.running() and condition(), timeout, described)


def processes_of(program):
    """The ids of running processes whose command line names this program's directory."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and str(program.home).encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue  # it has ended meanwhile
    return found
