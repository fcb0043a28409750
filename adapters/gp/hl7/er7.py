"""HL7 v2 messages in ER7: separators, escapes, character set, segments and fields; nothing of meaning.

Tolerant where senders are: line ends of any kind, fewer encoding characters than the standard has, segments nobody
knows, fields past the end, the framing of MLLP left around a message.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from adapters.base import Finding, Rule
from adapters.gp.hl7 import rules

LONGEST: Final = 1024 * 1024
MOST_SEGMENTS: Final = 2000
_LONGEST_ID: Final = 199
"""The longest MSH-10 there is, in version 2.7 and later; before it was 20."""

_BOM = b"\xef\xbb\xbf"
_CODECS: Final = {
    "": "utf-8",
    "ASCII": "utf-8",  # what calls itself ASCII is, or is UTF-8 by mistake; both are read as they were meant
    "UNICODE UTF-8": "utf-8",
    "UNICODE": "utf-8",
    "UTF-8": "utf-8",
    "8859/1": "latin-1",
    "8859/15": "iso8859-15",
}
"""HL7 table 0211, as far as it is met here."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_NAME = re.compile(r"[A-Z][A-Z0-9]{2}", re.ASCII)
_LINE = re.compile(r"[\r\n]+")
NULL: Final = '""'
"""What stands where a value is taken back."""


class Unreadable(Exception):
    """Bytes that are no HL7 message: the one fault that makes them so. It never leaves this package."""

    def __init__(self, rule: Rule, field: str, detail: str = "") -> None:
        super().__init__(rule.id)
        self.finding = Finding(rule, field, detail)


@dataclass(frozen=True, slots=True)
class Separators:
    """The encoding characters of one message, each a single character; empty where the message has none."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"

    @property
    def encoding(self) -> str:
        """MSH-2 as it declares these."""
        return self.component + self.repetition + self.escape + self.subcomponent


@dataclass(frozen=True, slots=True)
class Value:
    """One repetition of a field, as its components are written."""

    components: Sequence[str]
    separators: Separators

    def get(self, component: int = 1, subcomponent: int = 1) -> str:
        """The text there, without escapes; empty where there is none, or where a null takes a value back.

        Components and subcomponents are counted from 1, as the standard counts them.
        """
        return _read(self.components, component, subcomponent, self.separators)


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment: its name, and its fields as written. Field 0 is the name; MSH-1 is the separator itself."""

    name: str
    fields: tuple[str, ...]
    separators: Separators

    def written(self, field: int) -> str:
        """A field as it stands in the message; empty where there is none."""
        return self.fields[field] if field < len(self.fields) else ""

    def values(self, field: int) -> tuple[Value, ...]:
        """Every repetition of a field that is not empty."""
        written = self.written(field)
        if not written:
            return ()
        separators = self.separators
        repeated = separators.repetition and separators.repetition in written
        parts = written.split(separators.repetition) if repeated else (written,)
        return tuple([Value(part.split(separators.component), separators) for part in parts if part.strip()])

    def get(self, field: int, component: int = 1, subcomponent: int = 1) -> str:
        """The text of the first repetition of a field that is not empty; empty where there is none."""
        written, separators = self.written(field), self.separators
        if separators.repetition and separators.repetition in written:
            written = next((part for part in written.split(separators.repetition) if part.strip()), "")
        return _read(written.split(separators.component), component, subcomponent, separators) if written else ""


@dataclass(frozen=True, slots=True)
class Hl7Message:
    """One message: its segments in order, the first of which is MSH."""

    separators: Separators
    segments: tuple[Segment, ...]

    @property
    def header(self) -> Segment:
        """The message header (MSH)."""
        return self.segments[0]

    @property
    def event(self) -> tuple[str, str]:
        """The message code and the trigger event of MSH-9, in upper case.

        The first versions of the standard had ADT alone in MSH-9, and its event in EVN-1.
        """
        code, event = self.header.get(9, 1), self.header.get(9, 2)
        if not event and code.upper() == "ADT" and (evn := self.first("EVN")) is not None:
            event = evn.get(1)
        return code.upper(), event.upper()

    def every(self, name: str) -> tuple[Segment, ...]:
        """The segments of this name, in order."""
        return tuple(segment for segment in self.segments if segment.name == name)

    def first(self, name: str) -> Segment | None:
        """The first segment of this name."""
        return next((segment for segment in self.segments if segment.name == name), None)


def open_message(body: bytes) -> Hl7Message:
    """Read one message. Raises Unreadable."""
    if len(body) > LONGEST:
        raise Unreadable(rules.MESSAGE_TOO_LONG, "message")
    bare = unframed(body)
    if bare[:3] in (b"FHS", b"BHS"):
        raise Unreadable(rules.SEVERAL_MESSAGES, bare[:3].decode())
    if bare[:3] != b"MSH":
        raise Unreadable(rules.NOT_HL7, "MSH")
    separators = _separators(bare)
    text = _text(bare, separators)
    lines = [line for line in _LINE.split(text) if line.strip()]
    if len(lines) > MOST_SEGMENTS:
        raise Unreadable(rules.TOO_MANY_SEGMENTS, "message")
    segments = tuple(_segment(line, separators, number) for number, line in enumerate(lines, 1))
    if any(segment.name in ("MSH", "BHS", "FHS") for segment in segments[1:]):
        raise Unreadable(rules.SEVERAL_MESSAGES, "MSH")
    return Hl7Message(separators, segments)


def header_of(body: bytes) -> Segment | None:
    """The header of a message that cannot be read otherwise, in whatever character set, if that much of it can be."""
    bare = unframed(body[:4096])
    if bare[:3] != b"MSH":
        return None
    try:
        separators = _separators(bare)
        line = _LINE.split(bare.decode("latin-1"), maxsplit=1)[0]
        return _segment("".join(one for one in line if one.isprintable()), separators, 1)
    except Unreadable:
        return None


def control_id(body: bytes) -> str | None:
    """The sender's own id of a message (MSH-10), if it gives one that can be used. Named so that no other id is it."""
    header = header_of(body)
    written = header.get(10) if header is not None else ""
    return f"MSH-10:{written}" if written and len(written) <= _LONGEST_ID else None


def unframed(body: bytes) -> bytes:
    """A message without a byte order mark, MLLP's framing, or blank space around it."""
    return body.removeprefix(_BOM).strip(b"\x0b\x1c\r\n ")


def _read(components: Sequence[str], component: int, subcomponent: int, separators: Separators) -> str:
    """The text of one component of a repetition, or of one part of it."""
    if component > len(components):
        return ""
    text = components[component - 1]
    if separators.subcomponent and separators.subcomponent in text:
        smaller = text.split(separators.subcomponent)
        text = smaller[subcomponent - 1] if subcomponent <= len(smaller) else ""
    elif subcomponent > 1:
        return ""
    text = text.strip()
    if text == NULL:
        return ""
    return _unescaped(text, separators) if separators.escape and separators.escape in text else text


def _separators(body: bytes) -> Separators:
    """What MSH-1 and MSH-2 declare: one field separator and one to five others, none of them a letter or a digit."""
    field = body[3:4]
    declared = body[4:12].split(field)[0] if field else b""
    if not declared or len(declared) > 5 or not (field + declared).isascii():
        raise Unreadable(rules.SEPARATORS_WRONG, "MSH-2")
    marks = (field + declared).decode()
    if len(set(marks)) < len(marks) or any(
        mark.isalnum() or mark.isspace() or not mark.isprintable() for mark in marks
    ):
        raise Unreadable(rules.SEPARATORS_WRONG, "MSH-2")
    component, repetition, escape, subcomponent, *_ = (*marks[1:5], "", "", "", "")
    return Separators(marks[0], component, repetition, escape, subcomponent)


def _text(body: bytes, separators: Separators) -> str:
    header = _LINE.split(body[:4096].decode("latin-1"), maxsplit=1)[0].split(separators.field)
    named = header[17] if len(header) > 17 else ""  # MSH-18: the separator itself is MSH-1
    first = named.split(separators.repetition)[0] if separators.repetition else named
    codec = _CODECS.get("" if first.strip() == NULL else first.strip().upper())
    if codec is None:
        raise Unreadable(rules.CHARACTER_SET_NOT_TAKEN, "MSH-18")
    try:
        text = body.decode(codec)
    except UnicodeDecodeError:
        raise Unreadable(rules.NOT_IN_CHARACTER_SET, "message") from None
    if _CONTROL.search(text):
        raise Unreadable(rules.NOT_IN_CHARACTER_SET, "message")
    return text


def _segment(line: str, separators: Separators, number: int) -> Segment:
    parts = line.lstrip(" ").split(separators.field)
    name = parts[0].strip()
    if _NAME.fullmatch(name) is None:
        raise Unreadable(rules.SEGMENT_UNREADABLE, f"segment[{number}]")
    fields = (name, separators.field, *parts[1:]) if name == "MSH" else (name, *parts[1:])
    return Segment(name, fields, separators)


_ESCAPE_CODES: Final = {"F": "field", "S": "component", "T": "subcomponent", "R": "repetition", "E": "escape"}
_HIGHLIGHT = frozenset({"H", "N"})
_BREAKS = re.compile(r"\.(br|sp\d*|in-?\d*|ti-?\d*|fi|nf|ce|sk\d*)", re.ASCII)
_HEX = re.compile(r"X((?:[0-9A-Fa-f]{2})+)", re.ASCII)


def _unescaped(text: str, separators: Separators) -> str:
    """Text without its escape sequences. One that is none of the standard's stands as it was written."""
    escape = separators.escape
    parts = text.split(escape)
    written = [parts[0]]
    at = 1
    while at < len(parts):
        meant = _meant(parts[at], separators) if at + 1 < len(parts) else None
        if meant is None:  # a lone escape character, or no sequence that we know: text like any other
            written.append(escape + parts[at])
            at += 1
        else:
            written.append(meant + parts[at + 1])
            at += 2
    return "".join(written)


def _meant(code: str, separators: Separators) -> str | None:
    if (name := _ESCAPE_CODES.get(code)) is not None:
        return str(getattr(separators, name))
    if code in _HIGHLIGHT:
        return ""
    if _BREAKS.fullmatch(code):
        return " "
    if found := _HEX.fullmatch(code):
        return "".join(one for one in bytes.fromhex(found[1]).decode("utf-8", "replace") if one.isprintable())
    return None


def escaped(text: str, separators: Separators) -> str:
    """Text as it stands in a field of ours under these separators."""
    return "".join(_escapes(text, separators))


def _escapes(text: str, separators: Separators) -> Iterator[str]:
    names = {getattr(separators, name): code for code, name in _ESCAPE_CODES.items()}
    for character in text:
        code = names.get(character)
        yield (
            character if code is None else f"{separators.escape}{code}{separators.escape}" if separators.escape else " "
        )
