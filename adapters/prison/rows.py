"""A batch of prison records: JSON Lines, one record a line, each read alone."""

from collections.abc import Iterator
from typing import BinaryIO

from adapters.base import Row
from adapters.prison.envelope import LONGEST

_MEDIA_TYPE = "application/json"


def rows(file: BinaryIO) -> Iterator[Row]:
    """Cut a file into lines, numbered as a text editor numbers them; blank lines are no records.

    Memory is bounded by the longest record: a longer line yields its beginning, which is refused by its length, and
    the rest is read past.
    """
    number = 0
    while line := file.readline(LONGEST + 2):  # the longest record, its line end, and no more
        number += 1
        body = line.rstrip(b"\r\n")
        if not line.endswith(b"\n"):
            _skip_rest(file)
        if body.strip():
            yield Row(number, body, _MEDIA_TYPE)


def _skip_rest(file: BinaryIO) -> None:
    while (part := file.readline(LONGEST)) and not part.endswith(b"\n"):
        pass
