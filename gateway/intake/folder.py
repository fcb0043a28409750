"""A sender's folder, and the three inside it that are ours: `taking`, `done` and `refused`.

Everything is done by name within folders that are held open, so that no link leads out of them and nothing that is put
in their place is followed. All of it blocks: call it in a thread.
"""

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

Place = Literal["done", "refused"]

UNFINISHED = (".part", ".tmp", ".filepart")
"""How a file ends that is still being written; so does a name that begins with a dot."""

LONGEST_NAME = 200
"""Bytes of a name, so that what is laid beside the file has a name too."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_TAKING = "taking"
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Lying:
    """A file that lies in the folder. print: what changes while it is still being written, or is another file."""

    name: str
    print: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Folder:
    """The four folders, open."""

    _root: int
    _taking: int
    _places: dict[Place, int]

    def lying(self) -> tuple[list[Lying], int]:
        """What lies there to be taken, the oldest first, and how much that never will: links, pipes, names too long."""
        files: list[tuple[int, Lying]] = []
        strange = 0
        with os.scandir(self._root) as entries:
            for entry in entries:
                try:
                    seen = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue  # its sender took it away again
                if stat.S_ISDIR(seen.st_mode) or entry.name.startswith(".") or entry.name.endswith(UNFINISHED):
                    continue
                if not stat.S_ISREG(seen.st_mode) or len(os.fsencode(entry.name)) > LONGEST_NAME:
                    strange += 1
                    continue
                print_ = (seen.st_size, seen.st_mtime_ns, seen.st_ino)
                files.append((seen.st_mtime_ns, Lying(entry.name, print_)))
        return [one for _, one in sorted(files, key=lambda pair: (pair[0], pair[1].name))], strange

    def claimed(self) -> list[str]:
        """What was claimed and is not settled yet."""
        with os.scandir(self._taking) as entries:
            return sorted(entry.name for entry in entries if not entry.name.startswith("."))

    def claim(self, name: str) -> None:
        """Take a file out of its sender's reach.

        Raises FileNotFoundError where another was quicker, FileExistsError while another of its name is not settled,
        and OSError for one that may not be read.
        """
        if name in self.claimed():
            raise FileExistsError
        os.close(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=self._root))
        os.rename(name, name, src_dir_fd=self._root, dst_dir_fd=self._taking)

    def open(self, name: str) -> BinaryIO:
        """A claimed file, to be read. Raises OSError, also for what is no plain file."""
        number = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=self._taking)
        if not stat.S_ISREG(os.fstat(number).st_mode):
            os.close(number)
            raise OSError("no plain file")
        return os.fdopen(number, "rb")

    def free(self, place: Place, name: str, receipt: str, told: bytes) -> str:
        """The name under which a claimed file is settled: its own, or numbered where another of that name was before.

        receipt: what its receipt's name ends with. told: the receipt. What a crash left behind of this file, or it left
        itself when it came before, is not another.
        """
        number = 1
        while True:
            free = name if number == 1 else f"{name}~{number}"
            if self._receipt_is(place, free + receipt, told) and self._holds_the_same(place, free, name):
                return free
            number += 1

    def lay(self, place: Place, name: str, pieces: Iterable[bytes]) -> None:
        """Write a file of ours, whole or not at all. Raises OSError."""
        unfinished = f".{name}.unfinished"
        folder = self._places[place]
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(unfinished, flags, 0o640, dir_fd=folder), "wb") as out:
            out.writelines(pieces)
        os.rename(unfinished, name, src_dir_fd=folder, dst_dir_fd=folder)

    def settle(self, name: str, place: Place, settled: str) -> None:
        """Move a claimed file to where it ends. Raises OSError."""
        os.rename(name, settled, src_dir_fd=self._taking, dst_dir_fd=self._places[place])

    def forget(self, before: float) -> int:
        """Remove what was settled before this time (seconds since 1970); how many files there were."""
        count = 0
        for folder in self._places.values():
            with os.scandir(folder) as entries:
                old = [
                    entry.name
                    for entry in entries
                    if not entry.is_dir(follow_symlinks=False) and _settled(entry) < before
                ]
            for name in old:
                os.unlink(name, dir_fd=folder)
            count += len(old)
        return count

    def _receipt_is(self, place: Place, name: str, told: bytes) -> bool:
        """Whether nothing lies there under this name, or just what is to be told."""
        try:
            with self._reading(place, name) as there:
                return there.read(len(told) + 1) == told
        except FileNotFoundError:
            return True

    def _holds_the_same(self, place: Place, name: str, claimed: str) -> bool:
        """Whether nothing lies there under this name, or the same bytes: receipts of refusals may be alike."""
        try:
            with self._reading(place, name) as there, self.open(claimed) as mine:
                if os.fstat(there.fileno()).st_size != os.fstat(mine.fileno()).st_size:
                    return False
                pieces = iter(lambda: (there.read(_PIECE), mine.read(_PIECE)), (b"", b""))
                return all(one == other for one, other in pieces)
        except FileNotFoundError:
            return True

    @contextmanager
    def _reading(self, place: Place, name: str) -> Iterator[BinaryIO]:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with os.fdopen(os.open(name, flags, dir_fd=self._places[place]), "rb") as file:
            yield file


@contextmanager
def opened(path: Path) -> Iterator[Folder]:
    """Open a sender's folder, and make what is missing inside it. Raises OSError where it is not there."""
    with ExitStack() as stack:

        def held(name: str | Path, parent: int | None = None) -> int:
            if parent is not None:
                with suppress(FileExistsError):
                    os.mkdir(name, 0o750, dir_fd=parent)
            number = os.open(name, _FOLDER, dir_fd=parent)
            stack.callback(os.close, number)
            return number

        root = held(path)
        taking = held(_TAKING, root)
        yield Folder(root, taking, {"done": held("done", root), "refused": held("refused", root)})


def _settled(entry: os.DirEntry[str]) -> float:
    """When it came to lie here: renaming changes the inode and leaves the file's own time alone."""
    return entry.stat(follow_symlinks=False).st_ctime
