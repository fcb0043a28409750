"""A data folder: writable, with room, and worked on by one process at a time."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.local.errors import DiskFull, FolderInUse, FolderNotWritable

LOCK = "in-use-by"
ROOM = 200 << 20
"""Bytes that must be free to start: the write-ahead log and Kafka's first segments, with some to spare."""


@contextmanager
def claimed(folder: Path, room: int = ROOM) -> Iterator[Path]:
    """Have the folder for ourselves; yields its absolute path.

    The lock is the kernel's and ends with the process, so the file that kill -9 leaves behind locks nobody out; the
    process id in it is only for the sentence. Raises FolderInUse, FolderNotWritable, DiskFull.
    """
    folder = folder.absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise FolderNotWritable(folder=folder, why=error.strerror) from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderInUse(folder=folder, pid=os.read(lock, 32).decode().strip() or "unknown") from None
        require_room(folder, room)
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        yield folder
    finally:
        os.close(lock)


def is_claimed(folder: Path) -> bool:
    """Whether a process has the folder for itself just now."""
    try:
        with (folder / LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def require_room(folder: Path, room: int = ROOM) -> None:
    """Raise DiskFull unless that many bytes are free, and FolderNotWritable unless a file can be written."""
    free = shutil.disk_usage(folder).free
    if free < room:
        raise DiskFull(folder=folder, free=free >> 20, needed=room >> 20)
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"room?")
    except OSError as error:
        raise FolderNotWritable(folder=folder, why=error.strerror) from error
