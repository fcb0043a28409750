"""The records the bench sends: real custody records about invented people, each of 1.4 KB.

A person is a number, and everything about them follows from it, so that a run can be repeated and two sides get the
same bytes. One person in three was arrested in another area than they live in and so concerns two LASARS; the others
concern one. What a force sends of a person comes in rounds: a positive test, the notice of an assessment, the notice
that moves it, and that it was kept; then the next detention.
"""

import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from gateway.local import custody_papers as papers
from gateway.local.custody_papers import Detention, Form
from gateway.local.people import person

SIZE: Final = 1400
"""Bytes of a record."""

SUITES: Final = (
    ("enfield", "01", "YE"),
    ("stockport", "06", "SP"),
    ("wigan", "06", "WG"),
    ("wakefield", "13", "WK"),
    ("lincolnshire", "32", "LN"),
    ("bracknell-forest", "43", "BK"),
    ("oxfordshire", "43", "OX"),
    ("kent", "46", "MS"),
)
"""Per area: the force and the station of a custody suite."""

FORMS: Final = ("DT1", "RA1", "RA2", "RA3")

_NAMESPACE: Final = uuid.UUID("6f2f6f0e-6d55-5c0e-9c6e-2f8c1d0f9b71")
_ARRESTS: Final = datetime(2012, 5, 4, 20)  # noqa: DTZ001 - London's, as forces write it
_PLACE: Final = "LASARS, 1 Example Parade"


@dataclass(frozen=True, slots=True)
class Record:
    """One record to send. recipients: how many LASARS it concerns."""

    id: str
    person: int
    recipients: int
    body: bytes


def record(number: int, persons: int) -> Record:
    """The record of that number, where `persons` people are spoken of in turn."""
    round_, who = divmod(number, persons)
    nth, form = divmod(round_, len(FORMS))
    return Record(
        id=str(uuid.uuid5(_NAMESPACE, f"{number}/{persons}")),
        person=who,
        recipients=recipients(number, persons),
        body=_written(_detention(who, nth), _form(FORMS[form], _arrest(who, nth))),
    )


def recipients(number: int, persons: int) -> int:
    """How many LASARS the record of that number concerns."""
    return 2 if elsewhere(number % persons) else 1


def elsewhere(who: int) -> bool:
    """Whether the person is held in another area than they live in."""
    return who % 3 == 0


def _detention(who: int, nth: int) -> Detention:
    home = who % len(SUITES)
    _, force, station = SUITES[(home + elsewhere(who)) % len(SUITES)]
    return Detention(
        person=person(who, SUITES[home][0]),
        force=force,
        station=station,
        number=f"{station}/{who:06}/{nth:04}",
        arrested=_arrest(who, nth),
    )


def _form(kind: str, arrested: datetime) -> Form:
    given, due, moved = (arrested + timedelta(hours=hours) for hours in (3, 120, 144))
    match kind:
        case "DT1":
            return papers.drug_test("DT-1", arrested + timedelta(hours=2))
        case "RA1":
            return papers.assessment_required("RA-1", given, due, _PLACE)
        case "RA2":
            return papers.assessment_varied("RA-1", arrested + timedelta(days=1), moved, _PLACE)
        case _:
            return {
                "form_type": kind,
                "form_id": "RA-1",
                "version": "3",
                "assessment": "INITIAL",
                "due_at": papers.minute(moved),
                "attendance": "ATTENDED",
            }


def _arrest(who: int, nth: int) -> datetime:
    return _ARRESTS + timedelta(days=30 * nth, minutes=who % 600)


def _written(detention: Detention, form: Form) -> bytes:
    """The XML, filled up to its size by more forenames and further lines of the address."""
    named = {"forenames": f"{detention.person.forenames} Invented Example Pretend Sample Fancy Makebelieve"}
    lines = {f"address_{line}": "Invented Court " for line in (1, 2, 3, 4)}
    missing = SIZE - len(papers.xml(replace(detention, more=named | lines), form))
    for number, line in enumerate(lines):
        lines[line] += "x" * ((missing + number) // len(lines))
    body = papers.xml(replace(detention, more=named | lines), form)
    assert len(body) == SIZE
    return body
