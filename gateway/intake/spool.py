"""A file on its way in, written down as it comes, so that it can be read as often as it must be."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class Spooled:
    """A file as it came, which can be read from any place. size: bytes. digest: SHA-256 of them."""

    file: BinaryIO
    size: int
    digest: bytes


class Spool:
    """Writes a file down piece by piece, counted and hashed on the way."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._size = 0

    def write(self, pieces: Sequence[bytes]) -> None:
        """Write the next pieces. Raises OSError where there is no room."""
        for piece in pieces:
            self._digest.update(piece)
            self._size += len(piece)
        self._file.writelines(pieces)

    def whole(self) -> Spooled:
        """The file, now that all of it came."""
        return Spooled(self._file, self._size, self._digest.digest())
