"""Every rule a self-referral is checked against. An id is never reused; a sentence never holds a value."""

from collections.abc import Mapping
from typing import Final

from adapters import claims, drift
from adapters.base import Level, Rule

_SEND_AGAIN = "Correct the field and send the record again."

NOT_JSON = Rule("SR-001", Level.REFUSE, "The record is not one JSON object in UTF-8", "Send one JSON object.")
KIND_UNKNOWN = Rule(
    "SR-002",
    Level.REFUSE,
    "The eventType is not one of a self-referral",
    "Send self-referral.taken or self-referral.withdrawn.",
)
VERSION_NOT_SUPPORTED = Rule(
    "SR-003",
    Level.HOLD,
    "This version of the message is not known here",
    "Operations: read what changed, extend the adapter, redrive.",
)
MISSING = Rule("SR-010", Level.REFUSE, "A required field is missing", _SEND_AGAIN)
MALFORMED = Rule("SR-011", Level.REFUSE, "A field is not of the type or form the contract gives it", _SEND_AGAIN)
IN_THE_FUTURE = Rule("SR-012", Level.REFUSE, "The day it was taken lies more than a day in the future", _SEND_AGAIN)
BORN_IN_THE_FUTURE = Rule("SR-013", Level.REFUSE, "The date of birth is in the future", _SEND_AGAIN)
TAKEN_ELSEWHERE = Rule(
    "SR-014",
    Level.REFUSE,
    "It is said to have been taken at another area than the one whose LASARS sends it",
    "Send takenAt as your own area's id.",
)
NO_WAY_BACK = Rule(
    "SR-015",
    Level.REFUSE,
    "Neither an address nor a phone or e-mail is given, so nobody can answer the person",
    "Ask the person how they can be reached, and send it.",
)
CODE_NOT_MAPPED = Rule(
    "SR-020", Level.HOLD, "A code is on no list of ours", "Operations: map the code, then redrive the record."
)
ZONE_ASSUMED = Rule("SR-030", Level.WARN, "A time has no zone; Europe/London was assumed", "Send times with a zone.")
CLOCK_CHANGE = Rule(
    "SR-031", Level.WARN, "A time without a zone falls into the hour in which the clocks change", "Send it with a zone."
)

RULES: Final[Mapping[str, Rule]] = {
    **{
        rule.id: rule
        for rule in (
            NOT_JSON,
            KIND_UNKNOWN,
            VERSION_NOT_SUPPORTED,
            MISSING,
            MALFORMED,
            IN_THE_FUTURE,
            BORN_IN_THE_FUTURE,
            TAKEN_ELSEWHERE,
            NO_WAY_BACK,
            CODE_NOT_MAPPED,
            ZONE_ASSUMED,
            CLOCK_CHANGE,
        )
    },
    **claims.RULES,
    **drift.RULES,
}
