"""People who can be recognised anywhere, and the search for them.

Every personal value of a person made here is like no other text: names and the street hold a token, the numbers and
the date are that person's alone. So one search of whatever a system says and keeps shows whether any of it went where
it must not.

A value is found as it stands, in either case, URL-encoded, in hexadecimal and in base64, at whatever place of a longer
run of those it begins. What is compressed or encrypted cannot be looked into, nor what was encoded twice.
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from gateway.local import people
from gateway.local.people import Person

Place = tuple[str, bytes]
"""Somewhere to look: what it is called, and all that is there."""

_TOKEN: Final = re.compile(rb"qxv[a-j]{6}[fsa]")
_FIELD: Final = {b"f": "forenames", b"s": "surname", b"a": "street"}
"""What the last letter of a token says it is a token of."""

_SHAPES: Final[Mapping[str, re.Pattern[bytes]]] = {
    "surname, forenames or street": _TOKEN,
    "date of birth": re.compile(rb"19\d\d-\d\d-\d\d"),
    "PNC number": re.compile(rb"(?:\b|(?<=\b19)|(?<=\b20))\d\d/?\d{7}[a-z]\b"),
    "CRO number": re.compile(rb"\b\d{6}/?\d\d[a-z]\b"),
    "prison number": re.compile(rb"\ba\d{4}[a-z]{2}\b"),
    "NHS number": re.compile(rb"\b999\d{7}\b"),
    "CRN": re.compile(rb"\bx\d{6}\b"),
    "National Insurance number": re.compile(rb"\bje\d{6}[a-d]\b"),
    "postcode": re.compile(rb"\b[a-z]{1,2}\d{1,2} ?\d[a-z]{2}\b"),
}
"""What each value looks like in lower case, so that a text is gone through once however many people there are.

Numbers stand alone: in the hexadecimal of a hash any short one turns up sooner or later.
"""

_BETWEEN: Final = re.compile(rb"[/ ]")
_HEX: Final = re.compile(rb"[0-9A-Fa-f]{12,}")
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/_-]{8,}")


@dataclass(frozen=True, slots=True)
class Leak:
    """A personal value where none may be: of which field and in which spelling, never the value itself."""

    place: str
    field: str
    spelling: str

    def __str__(self) -> str:
        return f"{self.place}: somebody's {self.field} ({self.spelling})"


class Canaries:
    """The search for some people."""

    def __init__(self, made: Iterable[Person] = ()) -> None:
        self._known: dict[bytes, str] = {}
        self.people: list[Person] = []
        for one in made:
            self.add(one)

    def person(self, number: int, home: str | None = "stockport") -> Person:
        """The invented person of that number, who is looked for from now on."""
        made = people.person(number, home, canary=True)
        self.add(made)
        return made

    def add(self, person: Person) -> None:
        """Look for this person too. Raises ValueError for a value this search would not recognise."""
        self.people.append(person)
        for value in person.personal:
            field, sign = _sign(value.encode().lower())
            self._known[sign] = field

    def find(self, places: Iterable[Place]) -> set[Leak]:
        """Every personal value in these places."""
        return {
            Leak(f"{name}, line {line}", field, spelling)
            for name, content in places
            for spelling, read in _readings(content)
            for line, field in self._in(read.lower())
        }

    def _in(self, text: bytes) -> Iterator[tuple[int, str]]:
        for shape in _SHAPES.values():
            for match in shape.finditer(text):
                field = self._known.get(_BETWEEN.sub(b"", match[0]))
                if field is not None:
                    yield text.count(b"\n", 0, match.start()) + 1, field


EVERYBODY: Final = Canaries()
"""Those made by tests of the ordinary suite, for whom everything a session says is searched at its end."""


def _sign(value: bytes) -> tuple[str, bytes]:
    """The field a value is of, and what it is recognised by: its token, or all of it without what separates."""
    token = _TOKEN.search(value)
    if token is not None:
        return _FIELD[token[0][-1:]], token[0]
    for field, shape in _SHAPES.items():
        if shape.fullmatch(value):
            return field, _BETWEEN.sub(b"", value)
    raise ValueError("a personal value of a shape that would not be found")


def _readings(content: bytes) -> Iterator[tuple[str, bytes]]:
    """The content as it stands, and what else it can be read as."""
    yield "as it is", content
    if b"%" in content or b"+" in content:
        yield "URL-encoded", unquote_to_bytes(content.replace(b"+", b" "))
    yield "in hexadecimal", _decoded(content, _HEX, 2, binascii.unhexlify)
    yield "in base64", _decoded(content, _BASE64, 4, lambda run: b64decode(run.translate(_STANDARD)))


_STANDARD: Final = bytes.maketrans(b"-_", b"+/")


def _decoded(content: bytes, runs: re.Pattern[bytes], step: int, decode: Callable[[bytes], bytes]) -> bytes:
    """What the runs of an alphabet mean, begun at every place a group of `step` characters can begin."""
    return b"\x00".join(decode(_whole(run[begin:], step)) for run in runs.findall(content) for begin in range(step))


def _whole(run: bytes, step: int) -> bytes:
    """A run filled up to whole groups; a last group of one character says nothing and goes."""
    over = len(run) % step
    if over == 1:
        return run[:-1]
    return run + b"A" * (-len(run) % step)
