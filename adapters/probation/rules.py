"""Every rule of its own the probation feed is checked against. An id is never reused; no sentence holds a value."""

from collections.abc import Mapping
from typing import Final

from adapters.base import Level, Rule

_SEND_AGAIN = "Correct the field and send the record again."

NOT_JSON = Rule("PB-001", Level.REFUSE, "The probation record is not one JSON object in UTF-8", "Send one JSON object.")
MESSAGE_NOT_JSON = Rule(
    "PB-002",
    Level.REFUSE,
    "The Message of the probation notification is not a JSON object written as a string",
    "Send the notification as SNS delivers it.",
)
NO_EVENT_TYPE = Rule(
    "PB-003",
    Level.REFUSE,
    "Neither body nor attributes of the probation record say which eventType it is",
    "Send the eventType in the body or as a message attribute.",
)
EVENT_TYPE_UNREADABLE = Rule(
    "PB-004", Level.REFUSE, "The eventType of the probation record is not written as names of events are", _SEND_AGAIN
)
EVENT_TYPES_DIFFER = Rule(
    "PB-005",
    Level.WARN,
    "Body and attribute of the probation record name different eventTypes; the body was believed",
    "Publish both from one value.",
)
VERSION_NOT_SUPPORTED = Rule(
    "PB-006",
    Level.HOLD,
    "This version of the probation message is not known here",
    "Operations: read its specification, extend the adapter, redrive.",
)
TOO_LONG = Rule(
    "PB-007", Level.REFUSE, "The probation record is longer than 1 MiB", "Send one record, without attachments."
)

MISSING = Rule("PB-010", Level.REFUSE, "A required field of the probation record is missing", _SEND_AGAIN)
MALFORMED = Rule(
    "PB-011", Level.REFUSE, "A field of the probation record is not of the type or form the contract gives", _SEND_AGAIN
)
CRN_UNREADABLE = Rule(
    "PB-012", Level.REFUSE, "The CRN is not a letter and six digits, so the record names nobody", _SEND_AGAIN
)
CRNS_DIFFER = Rule("PB-013", Level.REFUSE, "The record gives two different CRNs for one person", _SEND_AGAIN)
SNAPSHOT_OF_ANOTHER = Rule(
    "PB-014",
    Level.REFUSE,
    "The attached case is of another person than the event, and was not merged with theirs",
    "Attach the case of the person the event is about.",
)
IN_THE_FUTURE = Rule(
    "PB-015", Level.REFUSE, "What happened to the case lies more than a day in the future", _SEND_AGAIN
)
MERGED_WITH_ITSELF = Rule("PB-016", Level.REFUSE, "A CRN is merged into, or parted from, itself", _SEND_AGAIN)
BORN_IN_THE_FUTURE = Rule("PB-017", Level.REFUSE, "The date of birth in the case is in the future", _SEND_AGAIN)

CODE_NOT_MAPPED = Rule(
    "PB-020",
    Level.HOLD,
    "A code of probation is on no list of ours",
    "Operations: map the code by an option of the adapter, then redrive the record.",
)
POINTER_NOT_FILLED = Rule(
    "PB-021",
    Level.HOLD,
    "The event only points at a case, and no case that tells what happened is attached",
    "Nothing to do where the case API is configured: the gateway asks it. Else attach the case and send again.",
)
EVENT_AMBIGUOUS = Rule(
    "PB-022",
    Level.HOLD,
    "The person has several sentences and the event does not say which one it is about",
    "Operations: ask the region, then have the record sent again with its eventNumber.",
)

ZONE_ASSUMED = Rule(
    "PB-030", Level.WARN, "A time of probation has no zone; Europe/London was assumed", "Send times with a zone."
)
CLOCK_CHANGE = Rule(
    "PB-031",
    Level.WARN,
    "A time of probation without a zone falls into the hour in which the clocks change",
    "Send times with a zone.",
)
ADDRESS_ENDS_BEFORE_START = Rule(
    "PB-032", Level.WARN, "An address in the case ends before it starts and was left out", "Correct it in Delius."
)
GENDER_NOT_MAPPED = Rule(
    "PB-033", Level.WARN, "The gender in the case is none we know and was left out", "Tell operations what it means."
)
CRN_MERGED_AWAY = Rule(
    "PB-034",
    Level.WARN,
    "The event's CRN was merged into the one of the attached case; both are taken for the person",
    "Nothing to do for this record.",
)

RULES: Final[Mapping[str, Rule]] = {
    rule.id: rule
    for rule in (
        NOT_JSON,
        MESSAGE_NOT_JSON,
        NO_EVENT_TYPE,
        EVENT_TYPE_UNREADABLE,
        EVENT_TYPES_DIFFER,
        VERSION_NOT_SUPPORTED,
        TOO_LONG,
        MISSING,
        MALFORMED,
        CRN_UNREADABLE,
        CRNS_DIFFER,
        SNAPSHOT_OF_ANOTHER,
        IN_THE_FUTURE,
        MERGED_WITH_ITSELF,
        BORN_IN_THE_FUTURE,
        CODE_NOT_MAPPED,
        POINTER_NOT_FILLED,
        EVENT_AMBIGUOUS,
        ZONE_ASSUMED,
        CLOCK_CHANGE,
        ADDRESS_ENDS_BEFORE_START,
        GENDER_NOT_MAPPED,
        CRN_MERGED_AWAY,
    )
}
