"""The records the bench sends: real custody records about invented people, each of 1.4 KB.

A person is a number, and everything about them follows from it, so that a run can be repeated and two sides get the
same bytes. One person in three was arrested in another area than they live in and so concerns two LASARS; the others
concern one. What a force sends of a person comes in rounds: a positive test, the notice of an assessment, the notice
that moves it, and that it was kept; then the next detention.

The postcodes and stations are those of `deploy/areas`; a postcode is a place and nobody's.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from xml.sax.saxutils import escape

from schemas.check_letters import check_letter

SIZE: Final = 1400
"""Bytes of a record."""

AREAS: Final = (
    ("01", "YE", "EN1 3XA"),
    ("06", "SP", "SK1 3XE"),
    ("06", "WG", "WN1 1YN"),
    ("13", "WK", "WF1 1EL"),
    ("32", "LN", "LN1 1DD"),
    ("43", "BK", "RG12 1AQ"),
    ("43", "OX", "OX1 1ND"),
    ("46", "MS", "ME14 1XX"),
)
"""Per area: the force and the station of a custody suite, and a postcode of somebody's home."""

FORMS: Final = ("DT1", "RA1", "RA2", "RA3")

_NAMESPACE: Final = uuid.UUID("6f2f6f0e-6d55-5c0e-9c6e-2f8c1d0f9b71")
_SYLLABLES: Final = ("an", "bel", "cor", "dun", "eth", "fen", "gal", "hol", "is", "jor", "kel", "lam", "mor", "nor")
_BIRTHS: Final = datetime(1950, 1, 1)  # noqa: DTZ001 - a day without a zone
_ARRESTS: Final = datetime(2012, 5, 4, 20)  # noqa: DTZ001 - London's, as forces write it


@dataclass(frozen=True, slots=True)
class Record:
    """One record to send. recipients: how many LASARS it concerns."""

    id: str
    person: int
    recipients: int
    body: bytes


def record(number: int, persons: int) -> Record:
    """The record of that number, where `persons` people are spoken of in turn."""
    round_, person = divmod(number, persons)
    detention, form = divmod(round_, len(FORMS))
    home = person % len(AREAS)
    fields = _person(person, home) | _detention(person, detention, (home + elsewhere(person)) % len(AREAS))
    return Record(
        id=str(uuid.uuid5(_NAMESPACE, f"{number}/{persons}")),
        person=person,
        recipients=recipients(number, persons),
        body=_written(fields, _form(FORMS[form], person, detention)),
    )


def recipients(number: int, persons: int) -> int:
    """How many LASARS the record of that number concerns."""
    return 2 if elsewhere(number % persons) else 1


def elsewhere(person: int) -> bool:
    """Whether the person is held in another area than they live in."""
    return person % 3 == 0


def _person(person: int, home: int) -> dict[str, str]:
    year, serial = 60 + person % 40, person + 1
    return {
        "surname": f"{_name(person)}-{_name(person * 7 + 3)}",
        "forenames": " ".join(_name(person * factor + 1) for factor in (11, 13, 17, 19)),
        "date_of_birth": f"{_BIRTHS + timedelta(days=person % 18000):%Y-%m-%d}",
        "sex": "MF"[person % 2],
        "pnc_id": f"{year}/{serial:07}{check_letter(f'{year}{serial:07}')}",
        "cro_number": f"{serial:06}/{year}{check_letter(f'{year}{serial:06}')}",
        "postcode": AREAS[home][2],
    }


def _detention(person: int, detention: int, holding: int) -> dict[str, str]:
    force, station, _ = AREAS[holding]
    return {
        "force_code": force,
        "station_code": station,
        "custody_number": f"{station}/{person:06}/{detention:04}",
        "arrested_at": f"{_arrest(person, detention):%Y-%m-%dT%H:%M}",
        "trigger_offence": "Y",
    }


def _form(kind: str, person: int, detention: int) -> dict[str, str]:
    arrested = _arrest(person, detention)
    given = f"{arrested + timedelta(hours=3):%Y-%m-%dT%H:%M}"
    due, moved = (f"{arrested + timedelta(days=days):%Y-%m-%dT%H:%M}" for days in (5, 6))
    match kind:
        case "DT1":
            return {
                "form_type": kind,
                "form_id": "DT-1",
                "version": "1",
                "test_reason": "ARREST",
                "tested_at": f"{arrested + timedelta(hours=2):%Y-%m-%dT%H:%M}",
                "result_cocaine": "POS",
                "result_opiates": "NEG",
                "disputed": "N",
                "assessment_required": "Y",
                "due_at": due,
            }
        case "RA1":
            return {"form_type": kind, "form_id": "RA-1", "version": "1", "given_at": given, "due_at": due} | _PLACE
        case "RA2":
            return {
                "form_type": kind,
                "form_id": "RA-1",
                "version": "2",
                "assessment": "INITIAL",
                "given_at": f"{arrested + timedelta(days=1):%Y-%m-%dT%H:%M}",
                "due_at": moved,
            } | _PLACE
        case _:
            return {
                "form_type": kind,
                "form_id": "RA-1",
                "version": "3",
                "assessment": "INITIAL",
                "due_at": moved,
                "attendance": "ATTENDED",
            }


_PLACE: Final = {"place": "LASARS, 1 Example Parade", "warning_given": "Y"}


def _arrest(person: int, detention: int) -> datetime:
    return _ARRESTS + timedelta(days=30 * detention, minutes=person % 600)


def _name(number: int) -> str:
    """An invented name of three syllables and the number itself in letters, so that no two are alike."""
    one, two, three = number % 14, number // 14 % 14, number // 196 % 14
    letters = "".join(chr(ord("a") + int(digit)) for digit in f"{number:06}")
    return (_SYLLABLES[one] + _SYLLABLES[two] + _SYLLABLES[three] + letters).capitalize()


def _written(fields: dict[str, str], form: dict[str, str]) -> bytes:
    """The XML, filled up to its size by the lines of the address."""
    lines = ("address_1", "address_2", "address_3", "address_4")
    short = SIZE - len(_xml(fields | dict.fromkeys(lines, ""), form))
    for number, line in enumerate(lines):
        fields[line] = f"{number + 1} Invented Court,".ljust((short + number) // len(lines), "x")
    body = _xml(fields, form)
    assert len(body) == SIZE
    return body


_DETENTION: Final = ("force_code", "station_code", "custody_number", "arrested_at", "trigger_offence")


def _xml(fields: dict[str, str], form: dict[str, str]) -> bytes:
    detention = _elements({name: fields[name] for name in _DETENTION})
    detainee = _elements({name: value for name, value in fields.items() if name not in _DETENTION})
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<custody_record xmlns="urn:lasars-gateway:police-custody:1">\n'
        f"  <detention>\n{detention}  </detention>\n  <detainee>\n{detainee}  </detainee>\n"
        f"  <form>\n{_elements(form)}  </form>\n</custody_record>\n"
    ).encode()


def _elements(fields: dict[str, str]) -> str:
    return "".join(f"    <{name}>{escape(value)}</{name}>\n" for name, value in fields.items())
