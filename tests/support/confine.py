# SPDX-License-Identifier: Apache-2.0
"""Runs a command under the seccomp filters of a systemd unit, where no systemd is there to do it.

    python confine.py UNIT COMMAND...

Applies NoNewPrivileges=, SystemCallFilter=, RestrictAddressFamilies= and MemoryDenyWriteExecute= as systemd.exec(5)
describes them, but that a system call which is not allowed ends the process (SIGSYS) instead of failing: nothing gets by
unseen. The groups of system calls are systemd's own (systemd-analyze syscall-filter).
"""
import ctypes
import errno
import mmap
import os
import socket
import subprocess
import sys
from pathlib import Path

PR_SET_NO_NEW_PRIVS = 38
ACT_KILL_PROCESS, ACT_ALLOW, ACT_ERRNO = 0x80000000, 0x7FFF0000, 0x00050000
CMP_EQ, CMP_MASKED_EQ = 4, 7
FAMILIES = range(46)  # AF_MAX


class Comparison(ctypes.Structure):
    _fields_ = [("argument", ctypes.c_uint), ("operator", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


class Filter:
    """One seccomp filter: what happens unless a rule says otherwise, and the rules."""

    library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    library.seccomp_init.restype = ctypes.c_void_p

    def __init__(self, default):
        self.context = ctypes.c_void_p(self.library.seccomp_init(ctypes.c_uint32(default)))
        assert self.context, "seccomp_init failed"

    def add(self, action, name, *comparisons):
        number = self.library.seccomp_syscall_resolve_name(name.encode())
        if number < 0:  # of another architecture
            return
        array = (Comparison * max(len(comparisons), 1))(*comparisons)
        code = self.library.seccomp_rule_add_array(self.context, ctypes.c_uint32(action), number, len(comparisons), array)
        assert code == 0, f"{name}: {os.strerror(-code)}"

    def load(self):
        code = self.library.seccomp_load(self.context)
        assert code == 0, f"seccomp_load: {os.strerror(-code)}"


def settings(unit):
    found = {}
    for line in Path(unit).read_text().splitlines():
        name, separator, value = line.partition("=")
        if separator and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def members(group):
    """The system calls of a group, or the one that it is."""
    if not group.startswith("@"):
        return {group}
    lines = subprocess.run(["systemd-analyze", "--no-pager", "syscall-filter", group], check=True, text=True,
                           stdout=subprocess.PIPE).stdout.splitlines()[1:]
    names = {line.strip() for line in lines if line.strip() and not line.strip().startswith("#")}
    return set().union(*(members(name) for name in names))


def allowed_calls(filters):
    """What SystemCallFilter= allows in the end; a list that begins with ~ takes away."""
    allowed = set(members("@default"))
    for value in filters:
        names = set().union(*(members(name) for name in value.removeprefix("~").split()))
        allowed = allowed - names if value.startswith("~") else allowed | names
    return allowed


def confine(unit):
    found = settings(unit)
    allowed = allowed_calls(found["SystemCallFilter"]) | {"execve"}  # which systemd itself needs to start it
    if os.geteuid() == 0:
        allowed |= {"fchown"}  # SQLite gives its files to the owner of their directory, as root alone; the unit is not
    families = {getattr(socket, name).value for name in found["RestrictAddressFamilies"][0].split()}
    assert found["MemoryDenyWriteExecute"] == found["NoNewPrivileges"] == ["yes"]

    ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    sockets = Filter(ACT_ALLOW)
    for family in set(FAMILIES) - families:
        sockets.add(ACT_ERRNO | errno.EAFNOSUPPORT, "socket", Comparison(0, CMP_EQ, family, 0))
    memory = Filter(ACT_ALLOW)
    both = mmap.PROT_WRITE | mmap.PROT_EXEC
    memory.add(ACT_KILL_PROCESS, "mmap", Comparison(2, CMP_MASKED_EQ, both, both))
    for name in ("mprotect", "pkey_mprotect"):
        memory.add(ACT_KILL_PROCESS, name, Comparison(2, CMP_MASKED_EQ, mmap.PROT_EXEC, mmap.PROT_EXEC))
    calls = Filter(ACT_KILL_PROCESS)
    for name in allowed:
        calls.add(ACT_ALLOW, name)
    for one in (sockets, memory, calls):
        one.load()


def main():
    confine(sys.argv[1])
    os.execv(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
