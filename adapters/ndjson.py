"""JSON Lines: one record a line, each read alone, in memory bounded by the longest record."""

from collections.abc import Iterator
from typing import BinaryIO

from adapters.base import Row, Rows

_MEDIA_TYPE = "application/json"


def rows(longest: int) -> Rows:
    """What cuts a file into lines, numbered as a text editor numbers them; blank lines are no records.

    longest: the longest record, in bytes. A longer line yields its beginning, which is refused by its length, and the
    rest is read past.
    """

    def cut(file: BinaryIO) -> Iterator[Row]:
        number = 0
        while line := file.readline(longest + 2):  # the longest record, its line end, and no more
            number += 1
            body = line.rstrip(b"\r\n")
            if not line.endswith(b"\n"):
                _skip_rest(file, longest)
            if body.strip():
                yield Row(number, body, _MEDIA_TYPE)

    return cut


def _skip_rest(file: BinaryIO, longest: int) -> None:
    while (part := file.readline(longest)) and not part.endswith(b"\n"):
        pass
