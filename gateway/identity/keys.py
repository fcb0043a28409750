"""The identifying combinations of a record, as blind-index keys: the same combination is the same key, and no more.

DOMAIN: an NHS number or a National Insurance number alone links nobody (typed wrong, shared by couples); a PNC number
needs the birth date or the surname beside it. A prison number, a probation number, a force's custody number and
Universal Credit's number of a claimant stand alone. Numbers that fail their check have no value and make no key, nor do
birth dates and names that stand for an unknown one.
"""

import enum
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.sealing import BlindIndex
from schemas.base import Event
from schemas.identifiers import Identifier, Scheme
from schemas.imprisonment import Merged
from schemas.placeholders import BIRTHS, mark_of


class Rule(enum.StrEnum):
    """What links a record to a person. A `+` joins the two things that must both be the same."""

    NHS_BIRTH = "nhs+birth"
    PNC_BIRTH = "pnc+birth"
    PNC_SURNAME = "pnc+surname"
    NOMS = "noms"
    CRN = "crn"
    NINO_BIRTH = "nino+birth"
    CUSTODY = "custody"
    CITIZEN = "citizen"
    LANE = "lane"
    """The source's own line of records about one person; asked last."""
    SAME_FACT = "same_fact"
    """It corrects or takes back what was said of that person; never kept as a key."""

    @property
    def combined(self) -> bool:
        """Whether it joins two things, so that two records that agree in one of them can contradict each other."""
        return "+" in self.value


_WITH_BIRTH = {Scheme.NHS: Rule.NHS_BIRTH, Scheme.PNC: Rule.PNC_BIRTH, Scheme.NINO: Rule.NINO_BIRTH}
_ALONE = {
    **{Scheme.NOMS: Rule.NOMS, Scheme.CRN: Rule.CRN, Scheme.CUSTODY: Rule.CUSTODY, Scheme.CITIZEN: Rule.CITIZEN},
    Scheme.FORMER_CRN: Rule.CRN,  # whoever has another's former number is them
}


@dataclass(frozen=True, slots=True)
class Key:
    """One combination: the rule it serves and its blind index (16 bytes)."""

    rule: Rule
    value: bytes


def keys_of(event: Event, index: BlindIndex) -> tuple[Key, ...]:
    """Every identifying combination this event claims, each once."""
    birth = event.person.date_of_birth
    told_birth = birth.isoformat() if birth is not None and birth not in BIRTHS else None
    name = event.person.name
    surname = _plain(name.surname) if name is not None and mark_of(name) is None else None
    combinations = (
        combination for one in _identifiers(event) for combination in _combinations(one, told_birth, surname)
    )
    return tuple(dict.fromkeys(Key(rule, index.of(rule, value)) for rule, value in combinations))


def _identifiers(event: Event) -> Iterator[Identifier]:
    yield from event.person.identifiers
    if isinstance(event, Merged):
        yield event.removed


def _combinations(identifier: Identifier, birth: str | None, surname: str | None) -> Iterator[tuple[Rule, str]]:
    value = identifier.value
    if value is None:
        return
    if identifier.scheme in _ALONE:
        yield _ALONE[identifier.scheme], value
    if birth is not None and identifier.scheme in _WITH_BIRTH:
        yield _WITH_BIRTH[identifier.scheme], f"{value}|{birth}"
    if surname and identifier.scheme is Scheme.PNC:
        yield Rule.PNC_SURNAME, f"{value}|{surname}"


def _plain(name: str) -> str:
    """A surname without accents, case, spaces or marks: "O’Neill-Grey" and "ONEILL GREY" are one."""
    decomposed = unicodedata.normalize("NFKD", name).casefold()
    return "".join(letter for letter in decomposed if letter.isalnum())
