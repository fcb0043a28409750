"""How much memory a family of processes takes."""

import os
import re
from pathlib import Path

import psutil

_PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)


def proportional(pid: int | None = None) -> int | None:
    """The proportional set size (bytes) of a process, ours by default, and all its descendants.

    What several of them share counts once. None where the system does not tell (it is Linux's /proc that does).
    """
    us = psutil.Process(os.getpid() if pid is None else pid)
    told = [_told(process.pid) for process in (us, *us.children(recursive=True))]
    return None if told[0] is None else sum(size or 0 for size in told)


def _told(pid: int) -> int | None:
    """What one process takes; None where it has ended or the system does not tell."""
    try:
        found = _PSS.search(Path(f"/proc/{pid}/smaps_rollup").read_text())
    except OSError:
        return None
    return int(found[1]) * 1024 if found else None
