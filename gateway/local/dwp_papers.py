"""What the Department for Work and Pensions sends: a Jobcentre's referral, and the benefit extract of a night.

Spelled as `contracts/inbound/dwp` says. The extract is fixed-width text, a record of 120 characters on each line.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import orjson

from gateway.local.people import Person

JSON: Final = "application/json"
TEXT: Final = "text/plain"

_LENGTH: Final = 120
_OFFICE: Final = "210364"
_FEED: Final = "NIGHTLY"


def referral(who: Person, reference: str, on: date) -> bytes:
    """A referral of a claimant who wants it."""
    return orjson.dumps(
        {
            "eventType": "dwp.referral.sent",
            "version": 1,
            "referralId": reference,
            "recordVersion": 1,
            "provisionId": "DRUG-REC-01",
            "referredAt": on.isoformat(),
            "officeCode": _OFFICE,
            "mandated": False,
            "incidentMarker": False,
            "mappa": False,
            "person": {
                "nino": who.nino,
                "forenames": who.forenames,
                "surname": who.surname,
                "dateOfBirth": who.born.isoformat(),
                "sex": who.sex,
            },
            "address": {"lines": [who.street, who.town], "postcode": who.postcode},
        }
    )


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision on somebody's award. action: S it starts, E it ends."""

    claimant: Person
    action: str
    effective: date
    benefit: str = "JSA"


def extract(sequence: int, made: datetime, decisions: Sequence[Decision]) -> bytes:
    """The file of a night. sequence: one more than the file before. made: local time."""
    records = (
        f"H{_FEED:<8}{sequence:06}{made:%Y%m%d%H%M%S}01",
        *map(_detail, decisions),
        f"T{_FEED:<8}{sequence:06}{len(decisions):08}",
    )
    return "".join(f"{record:<{_LENGTH}}\r\n" for record in records).encode("iso-8859-1")


def cut_short(file: bytes, records: int) -> bytes:
    """What is left of an extract whose transfer broke off after so many records."""
    return file[: records * (_LENGTH + 2)]


def _detail(decision: Decision) -> str:
    who = decision.claimant
    return (
        f"D{who.nino:<9}{who.surname.upper():<35.35}{who.forenames.upper():<35.35}{who.born:%Y%m%d}{who.sex}"
        f"{decision.benefit:<4}{decision.action}{decision.effective:%Y%m%d}  {_OFFICE}{who.postcode or '':<8}"
    )
