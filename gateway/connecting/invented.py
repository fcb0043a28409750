"""Deliveries of invented people, as a recipient's system meets them in a test kit."""

import base64
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

import orjson

from gateway.local.people import person

_SENDER: Final = "met-police"
_AREA: Final = "stockport"


def referral(chance: Random, now: datetime, **changed: Any) -> dict[str, Any]:
    """A delivery by contracts/outbound/lasars: a positive drug test of somebody invented. changed: what differs."""
    who = person(chance.randrange(1_000_000), _AREA)
    home = {"area": _AREA, "basis": "declared", "confidence": "probable"}
    told: dict[str, Any] = {
        "id": _id(chance),
        "event": _id(chance),
        "kind": "custody.drug-test.recorded",
        "change": "fact",
        "supersedes": None,
        "role": "home",
        "occurred": (now - timedelta(hours=1)).isoformat(),
        "recorded": now.isoformat(),
        "sender": _SENDER,
        "agency": "police_custody",
        "person": "P-" + base64.b32encode(chance.randbytes(8)).decode()[:12],
        "case": {"id": _id(chance), "opened": now.isoformat(), "responsible": _AREA},
        "why": {"home": home, "holding": home},
        "data": {
            "person": {
                "name": {"forenames": who.forenames, "surname": who.surname},
                "date_of_birth": who.born.isoformat(),
            },
            "cocaine": "positive",
            "opiates": "negative",
        },
        "agreement": "police-custody-to-lasars@1",
    }
    return told | changed


def notice(told: Mapping[str, Any], position: int) -> bytes:
    """The notice of a delivery, as it is pushed where full bodies are not wanted."""
    return orjson.dumps(
        {
            "id": told["id"],
            "position": position,
            "kind": told["kind"],
            "change": told["change"],
            "role": told["role"],
            "created": told["recorded"],
        }
    )


def _id(chance: Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))
