"""An interchange and its messages (UNB ... UNZ, UNH ... UNT): counts, references and numbers checked, nothing read.

Source of the service segments: ISO 9735, syntax versions 1 to 3. A registration interchange numbers its messages: the
numbers are contiguous (NHAIS, interchange, message and transaction sequence numbers).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from adapters.base import Rule
from adapters.gp.edifact import rules
from adapters.gp.edifact.segments import Broken, Reader, Segment, Separators

LONGEST_MESSAGE: Final = 1024 * 1024
MOST_SEGMENTS: Final = 20_000
"""Of one message: some thousand registrations, and a fifth of what empty segments could be squeezed into its bytes."""

_SERVICE: Final = frozenset({"UNB", "UNZ", "UNG", "UNE", "UNH", "UNT"})


@dataclass(frozen=True, slots=True)
class Header:
    """What the interchange header (UNB) says. reference: the interchange's number as written. day, clock: as written.

    test: the sender marked the interchange as a test (0035).
    """

    sender: str
    recipient: str
    day: str
    clock: str
    reference: str
    test: bool
    segment: Segment


@dataclass(frozen=True, slots=True)
class EdiMessage:
    """One message of an interchange. place: counted from 1. kind: its message type ("FHSREG"). body: without UNH, UNT.

    version: the parts of its type after the name, as written ("0:1:FH:FHS001").
    """

    place: int
    reference: str
    kind: str
    version: str
    header: Segment
    body: tuple[Segment, ...]

    @property
    def field(self) -> str:
        """How findings name it."""
        return f"message[{self.place}]"


class Interchange:
    """An interchange as it is read: its header first, then its messages one at a time.

    Raises Broken when it is opened, or while its messages are read: a wrong trailer shows after the last of them.
    """

    def __init__(self, stream: BinaryIO) -> None:
        reader = Reader(stream)
        self.separators: Separators = reader.separators
        self._segments = iter(reader)
        first = next(self._segments, None)
        if first is None or first.tag != "UNB":
            raise Broken(rules.NOT_EDIFACT, "UNB")
        self.header: Header = _header(first)

    def messages(self) -> Iterator[EdiMessage]:
        """The messages in order, to the end of the interchange."""
        earlier: int | None = None
        for place, segment in enumerate(self._segments, 1):  # each message takes its own segments from the same stream
            if segment.tag == "UNZ":
                self._close(segment, place - 1)
                return
            if segment.tag != "UNH":
                raise Broken(rules.OUT_OF_PLACE, segment.tag if segment.tag in _SERVICE else "segment")
            message = self._message(segment, place)
            number = _number(message.reference, f"{message.field}/UNH")
            if earlier is not None and number != earlier + 1:
                raise Broken(rules.MESSAGES_NOT_IN_SEQUENCE, f"{message.field}/UNH")
            earlier = number
            yield message
        raise Broken(rules.CUT_SHORT, "UNZ")

    def _message(self, header: Segment, place: int) -> EdiMessage:
        field = f"message[{place}]"
        body: list[Segment] = []
        size = 0
        for segment in self._segments:
            if segment.tag == "UNT":
                if segment.value(1) != header.value(0):
                    raise Broken(rules.MESSAGE_REFERENCES_DIFFER, f"{field}/UNT")
                _counted(segment, len(body) + 2, rules.SEGMENT_COUNT_WRONG, f"{field}/UNT")
                identity = header.elements[1] if len(header.elements) > 1 else ("",)
                return EdiMessage(place, header.value(0), identity[0], ":".join(identity[1:]), header, tuple(body))
            if segment.tag in _SERVICE:
                raise Broken(rules.OUT_OF_PLACE, f"{field}/{segment.tag}")
            size += len(segment.raw)
            if size > LONGEST_MESSAGE or len(body) == MOST_SEGMENTS:
                raise Broken(rules.MESSAGE_TOO_LONG, field)
            body.append(segment)
        raise Broken(rules.CUT_SHORT, f"{field}/UNT")

    def _close(self, trailer: Segment, messages: int) -> None:
        if not messages:
            raise Broken(rules.NO_MESSAGE, "UNZ")
        if trailer.value(1) != self.header.reference:
            raise Broken(rules.INTERCHANGE_REFERENCES_DIFFER, "UNZ")
        _counted(trailer, messages, rules.MESSAGE_COUNT_WRONG, "UNZ")
        try:
            follows = next(self._segments, None)
        except Broken:
            raise Broken(rules.AFTER_THE_END, "UNZ") from None
        if follows is not None:
            raise Broken(rules.AFTER_THE_END, "UNZ")


def _header(segment: Segment) -> Header:
    header = Header(
        sender=segment.value(1),
        recipient=segment.value(2),
        day=segment.value(3),
        clock=segment.value(3, 1),
        reference=segment.value(4),
        test=segment.value(10) == "1",
        segment=segment,
    )
    if not (header.sender and header.recipient and header.day and header.reference):
        raise Broken(rules.HEADER_INCOMPLETE, "UNB")
    _number(header.reference, "UNB/0020")
    return header


def _number(text: str, field: str) -> int:
    if not (1 <= len(text) <= 8 and text.isascii() and text.isdecimal()):
        raise Broken(rules.NUMBER_UNREADABLE, field)
    return int(text)


def _counted(trailer: Segment, found: int, rule: Rule, field: str) -> None:
    said = trailer.value(0)
    if not (1 <= len(said) <= 8 and said.isascii() and said.isdecimal()):
        raise Broken(rule, field, "no count")
    if int(said) != found:
        raise Broken(rule, field, f"{int(said)} said, {found} found")
