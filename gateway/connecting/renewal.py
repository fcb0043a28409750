"""An example told of somebody else: the same message, with another invented person and other references in it.

It works on the text, so it needs to know no wire format: what the adapter has read (names, identifiers, date of birth,
references) is looked for as the sender wrote it, and replaced by something of the same form. Whoever uses the result
reads it again and sees that it still says the same.
"""

import random
import re
import string
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from gateway.local.people import Person, person
from schemas.base import Fact
from schemas.identifiers import Identifier, Scheme, parse

_DIGITS_CHANGED: Final = 5
"""From the end: what stands before them is often a year, a force or a range that means something."""
_DATES: Final = ("%Y-%m-%d", "%Y%m%d", "%d%m%Y", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d(T[0-9:.]+(Z|[+-][0-9:]+)?)?|\b\d{8}(T\w*)?\b")
_SCHEMES: Final = {scheme.value: scheme for scheme in Scheme}
_OF_A_WORD: Final = r"[0-9A-Za-z\x80-\xff]"
_TRIES: Final = 2000
_BIRTHDAYS: Final = 12_000


@dataclass
class Renewal:
    """What is written instead of what. The same text is replaced alike in every message, so that they belong together.

    chance: where new numbers come from. columns: fields follow each other without a mark between them, so every name
    stays as long as it was, and may begin right after another field.
    """

    chance: random.Random
    columns: bool = False
    written: dict[str, str] = field(default_factory=dict)
    _words: dict[str, str] = field(default_factory=dict)
    _new: Person | None = None

    def learn(self, facts: Iterable[Fact]) -> None:
        """Take in what a message says of its person, and which references it gives."""
        for fact in facts:
            if fact.event is not None:
                for identifier in _identifiers(fact.event.model_dump()):
                    self._identifier(identifier)
                self._person(fact.event.person.name, fact.event.person.date_of_birth)
            scheme, _, number = fact.lane.partition(":")
            if scheme.lower() in _SCHEMES:
                self._identifier(Identifier(scheme=_SCHEMES[scheme.lower()], raw=number, value=number))
            for reference in re.split(r"[:|]", _TIME.sub("", fact.key)):
                if len(reference) >= 3 and any(map(str.isdigit, reference)):
                    self._replace(reference, self._digits(reference))

    def tell(self, body: bytes) -> bytes:
        """The message, told of somebody else."""
        # Latin-1 gives every byte a character and back, whatever the message's own encoding.
        text = body.decode("latin-1")
        spellings = {_bytewise(old): _bytewise(new) for old, new in self.written.items()}
        if not spellings:
            return body
        longest_first = sorted(spellings, key=len, reverse=True)
        known = "|".join(map(re.escape, longest_first))
        found = re.compile(f"({known})" if self.columns else f"(?<!{_OF_A_WORD})({known})(?!{_OF_A_WORD})")
        return found.sub(lambda match: spellings[match[0]], text).encode("latin-1")

    def another(self, word: str) -> str:
        """Another word of the same length, the same each time."""
        return self._words.setdefault(word, "".join(self.chance.choice(string.ascii_uppercase) for _ in word))

    def _person(self, name: object, born: date | None) -> None:
        if self._new is None:
            self._new = person(self.chance.randrange(1_000_000), None)
        for old, new in (
            (getattr(name, "surname", None), self._new.surname),
            *zip((getattr(name, "forenames", None) or "").split(), (self._new.forenames,), strict=False),
        ):
            if old and len(old) >= 3:
                fitting = _fitted(new, len(old)) if self.columns else new
                for case in (str.upper, str.title, str):
                    self._replace(case(old), case(fitting))
        if born is not None:
            other = date(1950, 1, 1) + timedelta(days=self.chance.randrange(_BIRTHDAYS))
            for form in _DATES:
                self._replace(born.strftime(form), other.strftime(form))

    def _identifier(self, told: Identifier) -> None:
        """Another number of the same scheme and spelling, as valid as this one was."""
        raw = told.raw.strip()
        if not raw or raw in self.written:
            return
        for _ in range(_TRIES):
            for candidate in _with_any_check(self._digits(raw)):
                if (parse(told.scheme, candidate).identifier.value is None) is (told.value is None):
                    self._replace(raw, candidate)
                    return

    def _digits(self, text: str) -> str:
        """The text with its last digits drawn anew."""
        places = [place for place, letter in enumerate(text) if letter.isdigit() and letter.isascii()]
        letters = list(text)
        for place in places[-_DIGITS_CHANGED:]:
            letters[place] = self.chance.choice(string.digits)
        return "".join(letters)

    def _replace(self, old: str, new: str) -> None:
        self.written.setdefault(old, new)


def _identifiers(told: object) -> Iterator[Identifier]:
    """Every identifier anywhere in an event."""
    match told:
        case {"scheme": scheme, "raw": str(raw), "value": value}:
            yield Identifier(scheme=Scheme(scheme), raw=raw, value=value)
        case Mapping():
            for part in told.values():
                yield from _identifiers(part)
        case list() | tuple():
            for part in told:
                yield from _identifiers(part)


def _with_any_check(text: str) -> Iterator[str]:
    """The text as it is, and with each letter in place of a last letter, one of which is the right check letter."""
    yield text
    if text[-1:].isalpha():
        yield from (text[:-1] + letter for letter in string.ascii_uppercase)


def _fitted(name: str, length: int) -> str:
    """A name cut or drawn out to a length."""
    letters = "".join(filter(str.isalpha, name))
    return (letters * (length // len(letters) + 1))[:length].capitalize()


def _bytewise(text: str) -> str:
    return text.encode("utf-8", "replace").decode("latin-1")
