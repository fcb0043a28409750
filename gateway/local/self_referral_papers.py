"""What a LASARS types in when somebody asks it for help, spelled as `contracts/inbound/self_referral` says."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import orjson

from gateway.local.people import Person

JSON: Final = "application/json"

_SEX: Final = {"M": "male", "F": "female"}


def self_referral(who: Person, reference: str, taken_at: str, on: datetime, substances: Sequence[str]) -> bytes:
    """One self-referral. taken_at: the area whose LASARS took it."""
    return orjson.dumps(
        {
            "eventType": "self-referral.taken",
            "version": 1,
            "reference": reference,
            "recordVersion": 1,
            "takenAt": taken_at,
            "takenOn": on.isoformat(),
            "person": {
                "forenames": who.forenames,
                "surname": who.surname,
                "dateOfBirth": who.born.isoformat(),
                "sex": _SEX[who.sex],
            },
            "address": {"lines": [who.street, who.town], "postcode": who.postcode},
            "contact": {"phone": "01632 960142"},
            "statedArea": taken_at,
            "substances": list(substances),
        }
    )
