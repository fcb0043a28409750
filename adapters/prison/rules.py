"""Every rule the prison feed is checked against. An id is never reused; a sentence never holds a value."""

from collections.abc import Mapping
from typing import Final

from adapters.base import Level, Rule

_SEND_AGAIN = "Correct the field and send the record again."
_NOTHING_TO_DO = "Nothing to do for this record; look at the source."

NOT_JSON = Rule("PR-001", Level.REFUSE, "The record is not one JSON object in UTF-8", "Send one JSON object.")
MESSAGE_NOT_JSON = Rule(
    "PR-002",
    Level.REFUSE,
    "The envelope's Message is not a JSON object written as a string",
    "Send the notification as SNS delivers it.",
)
NO_EVENT_TYPE = Rule(
    "PR-003",
    Level.REFUSE,
    "Neither the body nor the attributes say which eventType this is",
    "Send the eventType in the body or as a message attribute.",
)
EVENT_TYPE_UNREADABLE = Rule(
    "PR-004",
    Level.REFUSE,
    "The eventType has not the form of an event's name",
    _SEND_AGAIN,
)
EVENT_TYPES_DIFFER = Rule(
    "PR-005",
    Level.WARN,
    "Body and attribute name different eventTypes; the body was believed",
    "Publish both from one value.",
)
VERSION_NOT_SUPPORTED = Rule(
    "PR-006",
    Level.HOLD,
    "This version of the message is not known here",
    "Operations: read its specification, extend the adapter, redrive.",
)
TOO_LONG = Rule("PR-007", Level.REFUSE, "The record is longer than 1 MiB", "Send one record, without attachments.")

MISSING = Rule("PR-010", Level.REFUSE, "A required field is missing", _SEND_AGAIN)
MALFORMED = Rule("PR-011", Level.REFUSE, "A field is not of the type or form the contract gives it", _SEND_AGAIN)
PRISON_NUMBER_UNREADABLE = Rule(
    "PR-012", Level.REFUSE, "The prison number has not the form A9999AA, so the record names nobody", _SEND_AGAIN
)
PRISON_NUMBERS_DIFFER = Rule("PR-013", Level.REFUSE, "The record gives two different prison numbers", _SEND_AGAIN)
SNAPSHOT_OF_ANOTHER = Rule(
    "PR-014",
    Level.REFUSE,
    "The attached snapshot is of another person than the event",
    "Attach the snapshot of the person the event is about.",
)
IN_THE_FUTURE = Rule("PR-015", Level.REFUSE, "It is said to have happened more than a day from now", _SEND_AGAIN)
MERGED_WITH_ITSELF = Rule("PR-016", Level.REFUSE, "A prison number is merged into itself", _SEND_AGAIN)
NOT_A_PRISON = Rule(
    "PR-017", Level.REFUSE, "A person cannot be received at a pseudo agency (OUT, TRN, GHI)", _SEND_AGAIN
)
BORN_IN_THE_FUTURE = Rule("PR-018", Level.REFUSE, "The date of birth is in the future", _SEND_AGAIN)

CODE_NOT_MAPPED = Rule(
    "PR-020",
    Level.HOLD,
    "A code is on no list of ours",
    "Operations: map the code, then redrive the record.",
)
POINTER_NOT_FILLED = Rule(
    "PR-021",
    Level.HOLD,
    "The event says that something changed but not what, and no snapshot that tells it is attached",
    "Nothing to do where prisoner search is configured: the gateway asks it. Else attach the prisoner and send again.",
)

ZONE_ASSUMED = Rule("PR-030", Level.WARN, "A time has no zone; Europe/London was assumed", "Send times with a zone.")
CLOCK_CHANGE = Rule(
    "PR-031",
    Level.WARN,
    "A time without a zone falls into the hour in which the clocks change",
    "Send times with a zone.",
)
ADDRESS_ENDS_BEFORE_START = Rule(
    "PR-035", Level.WARN, "An address ends before it starts and was left out", "Correct it in NOMIS."
)
RECALL_CONTRADICTED = Rule(
    "PR-036",
    Level.WARN,
    "The movement's reason is a recall and the snapshot's recall flag is false; the reason was believed",
    _NOTHING_TO_DO,
)
SNAPSHOT_OF_ANOTHER_MOVEMENT = Rule(
    "PR-037",
    Level.WARN,
    "The snapshot's last movement is not the one the event tells; its reason was not used",
    "Fetch the snapshot when the event arrives.",
)
PRISON_NOT_NAMED = Rule(
    "PR-038", Level.WARN, "The agency given is a pseudo agency; the event goes on without a prison", _NOTHING_TO_DO
)
GENDER_NOT_MAPPED = Rule(
    "PR-039", Level.WARN, "The gender is on no list of ours and was left out", "Operations: map it."
)
MOVEMENT_CODE_MISSING = Rule(
    "PR-040",
    Level.WARN,
    "No movement reason code is given, so a recall or a return from court would look like any admission",
    "Send nomisMovementReasonCode, or attach the snapshot.",
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
        PRISON_NUMBER_UNREADABLE,
        PRISON_NUMBERS_DIFFER,
        SNAPSHOT_OF_ANOTHER,
        IN_THE_FUTURE,
        MERGED_WITH_ITSELF,
        NOT_A_PRISON,
        BORN_IN_THE_FUTURE,
        CODE_NOT_MAPPED,
        POINTER_NOT_FILLED,
        ZONE_ASSUMED,
        CLOCK_CHANGE,
        ADDRESS_ENDS_BEFORE_START,
        RECALL_CONTRADICTED,
        SNAPSHOT_OF_ANOTHER_MOVEMENT,
        PRISON_NOT_NAMED,
        GENDER_NOT_MAPPED,
        MOVEMENT_CODE_MISSING,
    )
}
