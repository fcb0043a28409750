"""What a police force writes: custody records with drug-test and Required Assessment forms, as XML or a row of CSV.

The names of the fields are those of `contracts/inbound/police_custody`.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from xml.sax.saxutils import escape

from gateway.local.people import Person

XML: Final = "application/xml"
CSV: Final = "text/csv"

_NAMESPACE: Final = "urn:lasars-gateway:police-custody:1"
_DETENTION: Final = ("force_code", "station_code", "custody_number", "arrested_at", "trigger_offence")

Form = Mapping[str, str]
"""The fields of one form, by their names in the contract."""


@dataclass(frozen=True, slots=True)
class Detention:
    """One stay of one person in one custody suite. arrested: local time. more: further fields of the contract."""

    person: Person
    force: str
    station: str
    number: str
    arrested: datetime
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def fields(self) -> dict[str, str]:
        """The detention and the person, as every form repeats them."""
        who = self.person
        told = {
            "force_code": self.force,
            "station_code": self.station,
            "custody_number": self.number,
            "arrested_at": minute(self.arrested),
            "trigger_offence": "Y",
            "surname": who.surname,
            "forenames": who.forenames,
            "date_of_birth": who.born.isoformat(),
            "sex": who.sex,
            "pnc_id": who.pnc,
            "cro_number": who.cro,
            "address_1": who.street if who.postcode else "",
            "address_2": who.town,
            "postcode": who.postcode or "",
            **self.more,
        }
        return {name: value for name, value in told.items() if value}


def drug_test(
    reference: str,
    at: datetime,
    *,
    version: int = 1,
    cocaine: str = "POS",
    opiates: str = "NEG",
    laboratory: str = "",
) -> Form:
    """DT1: a test on arrest. laboratory: its answer, where the result was disputed."""
    told = {
        "form_type": "DT1",
        "form_id": reference,
        "version": str(version),
        "test_reason": "ARREST",
        "tested_at": minute(at),
        "result_cocaine": cocaine,
        "result_opiates": opiates,
        "assessment_required": "Y" if "POS" in (cocaine, opiates) else "N",
    }
    return told | ({"disputed": "Y", "laboratory": laboratory} if laboratory else {})


def assessment_required(reference: str, given: datetime, due: datetime, place: str) -> Form:
    """RA1: the notice of an initial assessment."""
    return {"form_type": "RA1", "form_id": reference, "version": "1"} | _notice(given, due, place)


def assessment_varied(reference: str, given: datetime, due: datetime, place: str, version: int = 2) -> Form:
    """RA2: the notice that moves it."""
    told = {"form_type": "RA2", "form_id": reference, "version": str(version), "assessment": "INITIAL"}
    return told | _notice(given, due, place)


def xml(detention: Detention, *forms: Form) -> bytes:
    """One custody record."""
    fields = detention.fields
    groups = [
        ("detention", {name: value for name, value in fields.items() if name in _DETENTION}),
        ("detainee", {name: value for name, value in fields.items() if name not in _DETENTION}),
        *(("form", form) for form in forms),
    ]
    body = "".join(f"  <{name}>\n{_elements(told)}  </{name}>\n" for name, told in groups)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<custody_record xmlns="{_NAMESPACE}">\n{body}</custody_record>\n'
    ).encode()


def table(rows: Iterable[Mapping[str, str]]) -> bytes:
    """A batch file: the header, a row for each form, and the last line that counts them."""
    told = list(rows)
    columns = list(dict.fromkeys(name for row in told for name in row))
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns, restval="")
    writer.writeheader()
    writer.writerows(told)
    return f"{out.getvalue()}#END,{len(told)}\r\n".encode()


def minute(at: datetime) -> str:
    """A local time as forces write it."""
    return f"{at:%Y-%m-%dT%H:%M}"


def _notice(given: datetime, due: datetime, place: str) -> dict[str, str]:
    return {"given_at": minute(given), "due_at": minute(due), "place": place, "warning_given": "Y"}


def _elements(fields: Mapping[str, str]) -> str:
    return "".join(f"    <{name}>{escape(value)}</{name}>\n" for name, value in fields.items())
