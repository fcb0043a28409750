"""MLLP's framing, apart from any connection: a start block, a message, an end block and a carriage return.

Source: HL7, Transport Specification: MLLP, release 1. Bytes outside a frame mean nothing; a start block inside a frame
begins another one, and the half before it was never sent to its end. The carriage return is not waited for: after an
end block nothing else can follow.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

START: Final = b"\x0b"
END: Final = b"\x1c"
CLOSE: Final = b"\x1c\r"

MOST_STRAY: Final = 4096
"""Bytes outside any frame after which the other side does not speak this protocol."""


class OutOfStep(Exception):
    """What comes is not framed, or a frame has no end."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message as it was framed. whole: False where it was too long, and only its beginning is here."""

    body: bytes
    whole: bool = True


class Frames:
    """Cuts what comes in into frames, in the memory of the longest message.

    longest: bytes of a message that are kept; what is longer is read past up to sixteen times that. begun: whether a
    frame is open. halves: frames that were begun and never ended.
    """

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._kept = bytearray()
        self._size = 0
        self._stray = 0
        self.begun = False
        self.halves = 0

    @property
    def size(self) -> int:
        """Bytes of the frame that is open."""
        return self._size

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that these bytes complete. Raises OutOfStep."""
        while data:
            if not self.begun:
                data = self._seek(data)
            else:
                inside, end, rest = self._cut(data)
                self._keep(inside)
                if end == END:
                    yield self._finished()
                elif end == START:
                    self.halves += 1
                    self._begin()
                data = rest

    def _seek(self, data: bytes) -> bytes:
        """Pass over what is outside a frame; blank space between frames is no fault."""
        outside, start, rest = data.partition(START)
        self._stray += len(outside.strip(b"\r\n "))
        if self._stray > MOST_STRAY:
            raise OutOfStep
        if start:
            self._begin()
        return rest

    def _begin(self) -> None:
        self.begun = True
        self._stray = 0
        self._size = 0
        self._kept.clear()

    def _cut(self, data: bytes) -> tuple[bytes, bytes, bytes]:
        at = min((place for place in (data.find(END), data.find(START)) if place >= 0), default=len(data))
        return data[:at], data[at : at + 1], data[at + 1 :]

    def _keep(self, inside: bytes) -> None:
        self._size += len(inside)
        if self._size > 16 * self._longest:
            raise OutOfStep
        self._kept += inside[: max(0, self._longest - len(self._kept))]

    def _finished(self) -> Frame:
        frame = Frame(bytes(self._kept), self._size <= self._longest)
        self.begun = False
        self._size = 0
        self._kept.clear()
        return frame


def framed(body: bytes) -> bytes:
    """A message as it goes out."""
    return START + body + CLOSE
