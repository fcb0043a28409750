"""A file of HL7 v2 messages, with or without the standard's batch protocol (FHS, BHS, BTS, FTS): each message is a row.

Source: HL7 v2.5.1, 2.10.3. A file that counts its batches, or a batch that counts its messages, is checked.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from adapters.base import FileRefused, Finding, Row, Rule
from adapters.gp.hl7 import rules
from adapters.gp.hl7.er7 import LONGEST

MEDIA_TYPE: Final = "application/hl7-v2"

_CHUNK: Final = 64 * 1024
_END: Final = re.compile(rb"[\r\n]+")
_BLANK: Final = b" \t\x0b\x1c"
_SERVICE: Final = frozenset({b"FHS", b"BHS", b"BTS", b"FTS"})


def rows(file: BinaryIO) -> Iterator[Row]:
    """Cut a file into messages, counted from 1, in the memory of the longest.

    A longer message yields its beginning, which is refused by its length. Raises FileRefused for a batch that is broken
    or counts wrongly, possibly after rows were yielded.
    """
    counting = _Counting()
    message: list[bytes] = []
    size = number = 0
    for segment in _segments(file):
        name = segment[:3]
        if name == b"MSH" or name in _SERVICE:
            if message:
                number += 1
                yield Row(number, b"\r".join(message), MEDIA_TYPE)
            message, size = [], 0
        if name in _SERVICE:
            counting.service(segment)
            continue
        if name == b"MSH":
            counting.message()
        elif not message:
            raise FileRefused(Finding(rules.BATCH_BROKEN, "MSH", "a segment before the first message"))
        if size <= LONGEST:
            message.append(segment[: LONGEST + 1])
            size += len(segment) + 1
    if message:
        number += 1
        yield Row(number, b"\r".join(message), MEDIA_TYPE)
    counting.end()


class _Counting:
    """What batch headers and trailers say, beside what there was."""

    def __init__(self) -> None:
        self._file_open = False
        self._batch_open = False
        self._file_ended = False
        self._messages = 0
        self._batches = 0
        self._counted = ""

    def message(self) -> None:
        """A message began."""
        if self._file_ended or (self._file_open and not self._batch_open):
            raise FileRefused(Finding(rules.BATCH_BROKEN, "MSH", "a message outside its batch"))
        self._messages += 1

    def service(self, segment: bytes) -> None:
        """A header or a trailer. Raises FileRefused where it cannot stand, or counts wrongly."""
        name = segment[:3].decode()
        if self._file_ended or not self._fits(name):
            raise FileRefused(Finding(rules.BATCH_BROKEN, name))
        match name:
            case "FHS":
                self._file_open = True
            case "BHS":
                self._batch_open = True
                self._messages = 0
            case "BTS":
                self._batch_open = False
                self._batches += 1
                _check(segment, self._messages, name)
            case _:
                self._file_ended = True
                _check(segment, self._batches, name)

    def end(self) -> None:
        """The file ended. Raises FileRefused where a trailer is missing."""
        if self._batch_open:
            raise FileRefused(Finding(rules.BATCH_BROKEN, "BTS", "missing"))
        if self._file_open and not self._file_ended:
            raise FileRefused(Finding(rules.BATCH_BROKEN, "FTS", "missing"))

    def _fits(self, name: str) -> bool:
        match name:
            case "FHS":
                return not (self._file_open or self._batch_open or self._batches or self._messages)
            case "BHS":
                return not self._batch_open and (self._batches > 0 or not self._messages)
            case "BTS":
                return self._batch_open
            case _:
                return self._file_open and not self._batch_open


def _check(trailer: bytes, found: int, name: str) -> None:
    """Compare a trailer's count, which may be left out, with what there was."""
    said = trailer[4:].split(trailer[3:4])[0].strip() if len(trailer) > 4 else b""
    if not said:
        return
    counted = int(said) if len(said) <= 9 and said.isdigit() else None
    if counted != found:
        rule: Rule = rules.BATCH_COUNT_WRONG
        raise FileRefused(Finding(rule, name, f"{'no count' if counted is None else f'{counted} said'}, {found} found"))


def _segments(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file, whatever ends them; of one longer than any message, its beginning and nothing more."""
    rest = b""
    skipping = False
    while chunk := file.read(_CHUNK):
        *whole, rest = _END.split(rest + chunk)
        for line in whole:
            if not skipping and (segment := _trimmed(line)):
                yield segment
            skipping = False
        if len(rest) > LONGEST:
            if not skipping:
                yield _trimmed(rest[: LONGEST + 1])
            skipping, rest = True, b""
    if not skipping and (segment := _trimmed(rest)):
        yield segment


def _trimmed(line: bytes) -> bytes:
    return line.removeprefix(b"\xef\xbb\xbf").strip(_BLANK)
