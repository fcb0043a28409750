"""What sources send in a run, and a model of who is owed it that shares no code with addressing.

Custody records about invented people: a positive test, its correction, the notice of an assessment, and notices that
move it. Of each person the gateway is told versions 1, 2, 3, ... in that order, each due a minute later than the last,
so that whoever reads a delivery can tell whose and which version it is. Every third person is held in another area
than the one they live in. Every value of theirs can be recognised in a log.
"""

import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from gateway.local import custody_papers as papers
from gateway.local.people import Person, person

SUITES: Final = {
    "bracknell-forest": ("43", "BK"),
    "enfield": ("01", "YE"),
    "kent": ("46", "MS"),
    "lincolnshire": ("32", "LN"),
    "oxfordshire": ("43", "OX"),
    "stockport": ("06", "SP"),
    "wakefield": ("13", "WK"),
    "wigan": ("06", "WG"),
}
"""By area: the force and the station of a custody suite that lies in it."""

AREAS: Final = tuple(SUITES)
SENDER: Final = "met-police"

_NAMESPACE: Final = uuid.UUID("2b0c8f57-30a7-5d1e-8c1b-7a35a2d3f6c1")
_ARRESTED: Final = datetime(2012, 5, 4, 20)  # noqa: DTZ001 - London's, as forces write it
_DUE: Final = datetime(2012, 5, 9, 9, tzinfo=UTC)
_FIRST_SERIAL: Final = 100_001
"""The PNC number of person 0 has this serial, person 1 the next."""


@dataclass(frozen=True, slots=True)
class Message:
    """One record to send, by itself (body) or as a row of a file.

    content: a hash of what it says that a recipient is told; owed: the parties it is owed to.
    """

    id: str
    person: int
    version: int
    body: bytes
    row: Mapping[str, str]
    content: str
    owed: tuple[str, ...]


def message(number: int, version: int) -> Message:
    """The message that tells this version of this person."""
    home, holding = areas(number)
    who = whom(number)
    force, station = SUITES[holding]
    form = _form(number, version)
    detention = papers.Detention(who, force, station, f"{station}/{number:06}", _ARRESTED)
    return Message(
        id=str(uuid.uuid5(_NAMESPACE, f"{number}/{version}")),
        person=number,
        version=version,
        body=papers.xml(detention, form),
        row={**detention.fields, **form},
        content=_hash(_sent(who, force, station, form)),
        owed=tuple(f"lasars-{area}" for area in dict.fromkeys((home, holding))),
    )


def whom(number: int) -> Person:
    """The person of that number: each can be recognised wherever a value of theirs may not be."""
    return person(number, areas(number)[0], canary=True)


def areas(number: int) -> tuple[str, str]:
    """The model: where a person lives, and where they are held."""
    home = number % len(AREAS)
    elsewhere = 1 + number % (len(AREAS) - 1) if number % 3 == 0 else 0
    return AREAS[home], AREAS[(home + elsewhere) % len(AREAS)]


def messages(persons: range, versions: int) -> Iterator[list[Message]]:
    """Each person's messages, in the order in which they are to be sent."""
    for number in persons:
        yield [message(number, version) for version in range(1, versions + 1)]


def read(document: Mapping[str, Any]) -> tuple[int, int, str]:
    """Whose and which version a delivered document is, and the hash of what it says.

    Raises KeyError, ValueError, TypeError for a document that is none of ours.
    """
    data = document["data"]
    due = datetime.fromisoformat(_due_in(data)["at"])
    number = int(_pnc_in(data)[5:12]) - _FIRST_SERIAL
    version = int((due - _DUE) / timedelta(minutes=1))
    return number, version, _hash(_delivered(data))


def _form(number: int, version: int) -> papers.Form:
    """The form that tells a version: tests first, then notices."""
    given = _ARRESTED + timedelta(hours=3)
    due = _ARRESTED + timedelta(days=5)
    place = f"Room {number}, floor {version}"
    match version:
        case 1 | 2:
            opiates = "POS" if version == 2 else "NEG"
            form = papers.drug_test("DT-1", _ARRESTED + timedelta(hours=2), version=version, opiates=opiates)
        case 3:
            form = papers.assessment_required("RA-1", given, due, place)
        case _:
            form = papers.assessment_varied("RA-1", given, due, place, version - 2)
    return {**form, "due_at": f"{_DUE + timedelta(minutes=version):%Y-%m-%dT%H:%MZ}"}


def _sent(who: Person, force: str, station: str, form: papers.Form) -> dict[str, str]:
    """What of a record its recipients are to be told, in the words of the record."""
    said = {
        "surname": who.surname,
        "forenames": who.forenames,
        "born": who.born.isoformat(),
        "sex": who.sex,
        "pnc": who.pnc[3:],
        "force": force,
        "station": station,
        "due": form["due_at"],
    }
    told = ("result_cocaine", "result_opiates", "form_id", "place")
    return said | {name: form[name] for name in told if name in form and (name != "form_id" or "place" in form)}


def _delivered(data: Mapping[str, Any]) -> dict[str, str]:
    """The same from a delivery, in the same words."""
    who = data["person"]
    said = {
        "surname": who["name"]["surname"],
        "forenames": who["name"]["forenames"],
        "born": who["date_of_birth"],
        "sex": who["sex"][0].upper(),
        "pnc": _pnc_in(data)[5:],
        "force": data["suite"]["force"],
        "station": data["suite"]["station"],
        "due": f"{datetime.fromisoformat(_due_in(data)['at']):%Y-%m-%dT%H:%MZ}",
    }
    for name, word in (("result_cocaine", "cocaine"), ("result_opiates", "opiates")):
        if word in data:
            said[name] = data[word][:3].upper()
    for name, word in (("form_id", "requirement"), ("place", "place")):
        if word in data:
            said[name] = data[word]
    return said


def _due_in(data: Mapping[str, Any]) -> Mapping[str, str]:
    due: Mapping[str, str] = data["assessment_due"] if "assessment_due" in data else data["due"]
    return due


def _pnc_in(data: Mapping[str, Any]) -> str:
    """The number in its long form: four digits of the year, a stroke, seven digits and a letter."""
    found: str = next(one["value"] for one in data["person"]["identifiers"] if one["scheme"] == "pnc")
    return found


def _hash(said: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]
