# SPDX-License-Identifier: Apache-2.0
"""A terminal, with somebody at it who answers."""
import fcntl
import os
import pty
import select
import subprocess
import termios
import time

from support.program import Done

CONTROL_C = "\x03"  # the terminal sends SIGINT for it
PATIENCE = 30


def answer(program, *arguments, typed):
    """Runs a command that asks, and types that then. All that it said stands in `stderr`."""
    command = [program.named("repoupdate"), *arguments]
    ours, its = pty.openpty()
    process = subprocess.Popen(command, cwd=program.home, env=program.environment, stdin=its, stdout=its, stderr=its,
                               start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    os.close(its)
    said, deadline = "", time.monotonic() + PATIENCE
    try:
        while select.select([ours], [], [], max(0, deadline - time.monotonic()))[0]:
            try:
                said += os.read(ours, 4096).decode()
            except OSError:  # it has ended
                break
            if typed and "[y/N]" in said:
                os.write(ours, typed.encode())
                typed = None
        return Done(list(map(str, command)), process.wait(PATIENCE), "", said)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
