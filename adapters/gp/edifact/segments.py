"""UN/EDIFACT (ISO 9735) read segment by segment: separators, release character, character set, and nothing of meaning.

A file is cut in the memory of one segment. Bytes are cut before they are decoded: in every character set taken here
the separators are single bytes that are part of no other character.
"""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from adapters.base import Finding, Rule
from adapters.gp.edifact import rules

LONGEST_SEGMENT: Final = 4096
_CHUNK: Final = 64 * 1024

_CODECS: Final = {"UNOA": "ascii", "UNOB": "ascii", "UNOC": "latin-1"}
"""Levels A and B differ by case only, and real level A interchanges hold lower case: both are read as ASCII."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_TAG = re.compile(r"[A-Z][A-Z0-9]{2}", re.ASCII)


class Broken(Exception):
    """An interchange that cannot be used: the one fault that makes it so. It never leaves this package."""

    def __init__(self, rule: Rule, field: str, detail: str = "") -> None:
        super().__init__(rule.id)
        self.finding = Finding(rule, field, detail)


@dataclass(frozen=True, slots=True)
class Separators:
    """The service characters of one interchange. release: None where there is none (a space in UNA)."""

    component: bytes = b":"
    element: bytes = b"+"
    release: bytes | None = b"?"
    terminator: bytes = b"'"

    @property
    def advice(self) -> bytes:
        """The service string advice that declares these."""
        return b"UNA" + self.component + self.element + b"." + (self.release or b" ") + b" " + self.terminator


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment: its tag, its data elements with their components, and its bytes without the terminator."""

    tag: str
    elements: tuple[tuple[str, ...], ...]
    raw: bytes

    def value(self, element: int, component: int = 0) -> str:
        """A component of a data element, both counted from 0; empty where there is none."""
        if element < len(self.elements) and component < len(self.elements[element]):
            return self.elements[element][component].strip()
        return ""


class Reader:
    """The segments of one interchange, in order, with the separators and the character set it declares.

    Iterating raises Broken at the first segment that cannot be read. `separators` is settled from the start, `codec`
    once the first segment (UNB) was read.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._buffer = stream.read(_CHUNK)
        self._at = 0
        self.codec = "ascii"
        self.separators = self._advised()
        self._element = self.separators.element.decode()
        self._component = self.separators.component.decode()
        self._release = self.separators.release.decode() if self.separators.release else None

    @classmethod
    def of(cls, body: bytes) -> "Reader":
        """The segments of these bytes."""
        return cls(io.BytesIO(body))

    def __iter__(self) -> Iterator[Segment]:
        while (raw := self._next()) is not None:
            segment = self._split(raw)
            if segment.tag == "UNB":
                self.codec = self._declared(segment)
            yield segment

    def _advised(self) -> Separators:
        self._buffer = self._buffer.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n ")
        if self._buffer.startswith(b"UNA"):
            marks = self._buffer[3:9]
            used = marks[0:2] + marks[3:4].strip(b" ") + marks[5:6]
            told_apart = len(set(used)) == len(used) and not any(chr(byte).isalnum() or byte >= 127 for byte in used)
            if len(marks) < 6 or b" " in used or not told_apart or not marks[5:6].strip():
                raise Broken(rules.SERVICE_STRING_WRONG, "UNA")
            self._at = 9
            return Separators(marks[0:1], marks[1:2], marks[3:4].strip(b" ") or None, marks[5:6])
        if not self._buffer.startswith(b"UNB"):
            raise Broken(rules.NOT_EDIFACT, "UNB")
        return Separators()

    def _declared(self, header: Segment) -> str:
        codec = _CODECS.get(header.value(0).upper())
        if codec is None:
            raise Broken(rules.CHARACTER_SET_NOT_TAKEN, "UNB/S001")
        return codec

    def _next(self) -> bytes | None:
        """The bytes of the next segment, or None at the end. Line ends between segments are no part of them."""
        end = self._terminator()
        if end is None:
            if self._buffer[self._at :].strip():
                raise Broken(rules.CUT_SHORT, "UNZ", "a segment is not closed")
            return None
        raw = self._buffer[self._at : end].lstrip(b"\r\n ")
        self._at = end + 1
        return raw

    def _terminator(self) -> int | None:
        """Where the next segment ends, read on as far as needed; None if the stream ends first."""
        searched = self._at
        while True:
            end = self._buffer.find(self.separators.terminator, searched)
            if (len(self._buffer) if end < 0 else end) - self._at > LONGEST_SEGMENT:
                raise Broken(rules.SEGMENT_UNREADABLE, "segment", "too long")
            if end >= 0:
                if not self._released(end):
                    return end
                searched = end + 1
                continue
            more = self._stream.read(_CHUNK)
            if not more:
                return None
            searched = len(self._buffer) - self._at
            self._buffer = self._buffer[self._at :] + more
            self._at = 0

    def _released(self, end: int) -> bool:
        """Whether the separator at this place is text, because an odd number of release characters stands before it."""
        release = self.separators.release
        if release is None or not self._buffer.endswith(release, self._at, end):
            return False
        before = end
        while before > self._at and self._buffer[before - 1 : before] == release:
            before -= 1
        return (end - before) % 2 == 1

    def _split(self, raw: bytes) -> Segment:
        try:
            text = raw.decode(self.codec)
        except UnicodeDecodeError:
            raise Broken(rules.NOT_IN_CHARACTER_SET, "segment") from None
        if not text.isprintable() and _CONTROL.search(text):
            # Some systems break long lines inside a segment; what they broke is whole again without the line end.
            text = text.replace("\r", "").replace("\n", "")
            if _CONTROL.search(text):
                raise Broken(rules.NOT_IN_CHARACTER_SET, "segment")
        if self._release is None or self._release not in text:
            component = self._component
            cut = tuple([tuple(part.split(component)) for part in text.split(self._element)])
        else:
            cut = _cut(text, self._element, self._component, self._release)
        tag = cut[0][0]
        if _TAG.fullmatch(tag) is None:
            raise Broken(rules.SEGMENT_UNREADABLE, "segment", "no tag")
        return Segment(tag, cut[1:], raw)


def _cut(text: str, element: str, component: str, release: str) -> tuple[tuple[str, ...], ...]:
    """Cut a segment that holds release characters: what follows one is text, whatever it is."""
    elements: list[tuple[str, ...]] = []
    components: list[str] = []
    written: list[str] = []
    characters = iter(text)
    for character in characters:
        if character == release:
            following = next(characters, None)
            if following is None:
                raise Broken(rules.SEGMENT_UNREADABLE, "segment", "ends after a release character")
            written.append(following)
        elif character in (component, element):
            components.append("".join(written))
            written = []
            if character == element:
                elements.append(tuple(components))
                components = []
        else:
            written.append(character)
    components.append("".join(written))
    elements.append(tuple(components))
    return tuple(elements)


_NEEDS_RELEASE = re.compile(r"[+:'?]")


def released(text: str) -> str:
    """Text as it stands in a segment of ours, under the standard separators."""
    return _NEEDS_RELEASE.sub(lambda found: "?" + found[0], text)
