# SPDX-License-Identifier: Apache-2.0
"""`-d`: a daemon in the background, as init scripts start it. They believe the exit code."""
import os
import shutil
import signal
import subprocess

import pytest

from support.checks import published
from support.process import wait_until
from support.program import Exit, processes_of

NO_LOG = "repoupdate: warning: log.file is not set"


@pytest.fixture
def log(program, tmp_path):
    """The log file of a daemon, which does not outlive the test."""
    yield tmp_path / "daemon.log"
    for process in processes_of(program):
        os.kill(process, signal.SIGKILL)


def the_daemon(program):
    (process,) = processes_of(program)
    return process


def wait_for_end(program):
    wait_until(lambda: not processes_of(program), 30, "the daemon to end")


def begin(program, *arguments):
    """A command whose daemon hangs while it starts, and that daemon."""
    command = subprocess.Popen([program.named("repoupdate"), "daemon", "-d", *arguments], cwd=program.home,
                               env=program.environment, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: len(processes_of(program)) == 2, 30, "the daemon")
    (daemon,) = [each for each in processes_of(program) if each != command.pid]
    return command, daemon


def test_the_command_is_back_when_the_daemon_is_ready(program, repository, packages, log):
    done = program.run("daemon", "-d", "--repository", repository, "--log-file", log)
    assert done.stdout + done.stderr == ""
    shutil.copy(packages[0], repository)
    wait_until(lambda: published(repository) == [packages[0].name], 60, log.read_text)
    os.kill(the_daemon(program), signal.SIGHUP)
    wait_until(lambda: log.read_text().count(" ready ") == 2, 60, log.read_text)
    os.kill(the_daemon(program), signal.SIGTERM)
    wait_for_end(program)
    assert log.read_text().endswith(" stopped\n")


def test_a_command_without_standard_streams_is_back_as_well(program, repository, log):
    command = [program.named("repoupdate"), "daemon", "-d", "--repository", repository, "--log-file", log]
    done = subprocess.run(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *command], cwd=program.home,
                          env=program.environment, timeout=30)
    assert done.returncode == Exit.DONE
    wait_until(lambda: " ready " in log.read_text(), 60, log.read_text)
    os.kill(the_daemon(program), signal.SIGTERM)
    wait_for_end(program)
    assert log.read_text().endswith(" stopped\n")


def test_a_log_that_goes_nowhere_is_warned_of(program, repository, log):
    done = program.run("daemon", "-d", "--repository", repository)
    assert done.stderr.count(NO_LOG) == 1
    os.kill(the_daemon(program), signal.SIGTERM)
    wait_for_end(program)


def test_a_daemon_that_cannot_start_ends_the_command_as_in_the_foreground(program, repository, tmp_path, log):
    for arguments, code, said in [
            (["--repository", tmp_path / "missing"], Exit.NOT_FOUND, "there is no directory"),
            (["--repository", tmp_path / "missing", "--log-file", log], Exit.NOT_FOUND, "there is no directory"),
            (["--repository", repository, "--log-file", "/proc/none/log"], Exit.LOCAL, "/proc/none/log"),
            ([], Exit.USAGE, "no repository to serve")]:
        program.start("daemon", "-d", *arguments).expect(code, said)
        assert not processes_of(program)


def test_so_does_the_old_name(program, log):
    for arguments, code, said in [
            (["-q", "queue", "-l", "/proc/none/log"], Exit.LOCAL, "/proc/none/log"),
            (["-q", "queue", "-p", "el9", "-l", log], Exit.USAGE, "-p needs a bucket"),
            (["-b", "bucket", "-l", log], Exit.USAGE, "no queue")]:
        program.start("-d", *arguments, name="repoupdate-daemon").expect(code, said)
        assert not processes_of(program)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_command_leaves_no_daemon(program, repository, log, number):
    os.mkfifo(log)  # whose opening waits for a reader
    command, _ = begin(program, "--repository", repository, "--log-file", log)
    command.send_signal(number)
    assert command.wait(30) == -number
    with open(log) as lines:
        said = lines.read()
    wait_for_end(program)
    assert said.endswith(" stopped\n")


def test_a_daemon_that_is_killed_while_it_starts_is_told(program, repository, log):
    os.mkfifo(log)
    command, daemon = begin(program, "--repository", repository, "--log-file", log)
    os.kill(daemon, signal.SIGKILL)
    assert "ended by signal 9" in command.communicate(timeout=30)[1]
    assert command.returncode == Exit.LOCAL
