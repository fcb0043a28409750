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
from schemas.base import Event, Person
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
    claimed: dict[tuple[Rule, str], None] = {}
    for identifier in _identifiers(event):
        claimed.update(dict.fromkeys(_combinations(identifier, event.person)))
    return tuple(Key(rule, index.of(rule, value)) for rule, value in claimed)


def _identifiers(event: Event) -> tuple[Identifier, ...]:
    told = event.person.identifiers
    return (*told, event.removed) if isinstance(event, Merged) else told


def _combinations(identifier: Identifier, person: Person) -> Iterator[tuple[Rule, str]]:
    scheme, value = identifier.scheme, identifier.value
    if value is None:
        return
    if scheme in _ALONE:
        yield _ALONE[scheme], value
    birth = person.date_of_birth
    if scheme in _WITH_BIRTH and birth is not None and birth not in BIRTHS:
        yield _WITH_BIRTH[scheme], f"{value}|{birth.isoformat()}"
    name = person.name
    if scheme is Scheme.PNC and name is not None and mark_of(name) is None and (surname := _plain(name.surname)):
        yield Rule.PNC_SURNAME, f"{value}|{surname}"


def _plain(name: str) -> str:
    """A surname without accents, case, spaces or marks: "O’Neill-Grey" and "ONEILL GREY" are one."""
    if name.isascii() and name.isalpha():
        return name.lower()
    decomposed = unicodedata.normalize("NFKD", name).casefold()
    return "".join(letter for letter in decomposed if letter.isalnum())
