"""Becomes the program it is told to run, in a process that ends when the one that asked for it ends.

Run by path, before any package can be imported: `python -I -S launch.py SIGNAL PARENT USER PROGRAM ARGUMENT...`.
Its work belongs between fork and exec, where a thread of the parent may hold any lock; so it has a program of its own.

On Linux the kernel sends SIGNAL when the parent dies, however it dies; elsewhere this is left out. USER is `-` or the
number of an unprivileged user to become: PostgreSQL refuses to run as root. It keeps one right of root's, to pass by
file permissions (CAP_DAC_OVERRIDE), because a checkout under /root (mode 0700) could otherwise not be reached, and
opening /root to everybody would be worse.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG, PR_SET_KEEPCAPS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 1, 8, 47, 2
CAP_DAC_OVERRIDE = 1
LINUX_CAPABILITY_VERSION_3 = 0x20080522
NOT_RUN = 127


def become(user: int, libc: ctypes.CDLL | None) -> None:
    """Give up root for an unprivileged user, keeping only the right to pass by file permissions (Linux)."""
    if libc is not None:
        libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)
    if libc is not None:
        kept = 1 << CAP_DAC_OVERRIDE
        header = (ctypes.c_uint32 * 2)(LINUX_CAPABILITY_VERSION_3, 0)
        effective_permitted_inheritable = (ctypes.c_uint32 * 6)(kept, kept, kept, 0, 0, 0)
        libc.capset(header, effective_permitted_inheritable)
        libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0)


def main(signal_number: str, parent: str, user: str, *argv: str) -> None:
    """Run the program; 127 when it cannot be run or when nobody is left who wanted it."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    if user != "-":
        become(int(user), libc)
    if libc is not None and signal_number != "0":
        libc.prctl(PR_SET_PDEATHSIG, int(signal_number), 0, 0, 0)
        if os.getppid() != int(parent):
            sys.exit(NOT_RUN)
    try:
        os.execv(argv[0], argv)  # noqa: S606 - a list of arguments, and no shell to misread it
    except OSError as error:
        sys.exit(f"{argv[0]} cannot be run: {error.strerror}")


if __name__ == "__main__":
    main(*sys.argv[1:])
