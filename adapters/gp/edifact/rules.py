"""Every rule a registration interchange (EDIFACT) is checked against, GP-100 to GP-199. An id is never reused."""

from collections.abc import Mapping
from typing import Final

from adapters.base import Level, Rule

_SEND_AGAIN = "Correct the transaction and send it again in a new interchange."
_BUILD_AGAIN = "Build the interchange again from the messages and send it whole."
_NOTHING_TO_DO = "Nothing to do for this transaction."

# The interchange
NOT_EDIFACT: Final = Rule(
    "GP-100",
    Level.REFUSE,
    "The bytes do not begin with an EDIFACT interchange (UNA or UNB)",
    "Send one interchange as it leaves the registration system, without a wrapper.",
)
SERVICE_STRING_WRONG: Final = Rule(
    "GP-101",
    Level.REFUSE,
    "The service string advice (UNA) does not give six characters that can be told apart",
    "Leave UNA out, or give six different characters that are neither letters nor digits.",
)
CHARACTER_SET_NOT_TAKEN: Final = Rule(
    "GP-102", Level.REFUSE, "The character set is none that is taken", "Send UNOA, UNOB or UNOC."
)
NOT_IN_CHARACTER_SET: Final = Rule(
    "GP-103",
    Level.REFUSE,
    "A segment holds bytes that are not text in the character set the interchange declares",
    "Declare the character set the text is written in, and remove control characters.",
)
SEGMENT_UNREADABLE: Final = Rule(
    "GP-104",
    Level.REFUSE,
    "A segment has no tag, is longer than 4096 bytes, or ends after a release character",
    _BUILD_AGAIN,
)
CUT_SHORT: Final = Rule("GP-105", Level.REFUSE, "The interchange ends before its trailer (UNZ)", _BUILD_AGAIN)
AFTER_THE_END: Final = Rule(
    "GP-106", Level.REFUSE, "Something stands after the interchange trailer", "Send one interchange at a time."
)
OUT_OF_PLACE: Final = Rule(
    "GP-107", Level.REFUSE, "A service segment stands where it cannot (outside or inside a message)", _BUILD_AGAIN
)
MESSAGE_COUNT_WRONG: Final = Rule(
    "GP-108", Level.REFUSE, "The interchange trailer counts other messages than there are", _BUILD_AGAIN
)
INTERCHANGE_REFERENCES_DIFFER: Final = Rule(
    "GP-109", Level.REFUSE, "Header and trailer of the interchange have different references", _BUILD_AGAIN
)
SEGMENT_COUNT_WRONG: Final = Rule(
    "GP-110", Level.REFUSE, "A message trailer counts other segments than there are", _BUILD_AGAIN
)
MESSAGE_REFERENCES_DIFFER: Final = Rule(
    "GP-111", Level.REFUSE, "Header and trailer of a message have different references", _BUILD_AGAIN
)
HEADER_INCOMPLETE: Final = Rule(
    "GP-112",
    Level.REFUSE,
    "The interchange header lacks its sender, its recipient, its time or its reference",
    _BUILD_AGAIN,
)
MESSAGES_NOT_IN_SEQUENCE: Final = Rule(
    "GP-113",
    Level.REFUSE,
    "The numbers of the messages in the interchange are not contiguous",
    "Find the message that is missing or stands twice, and send the interchange whole.",
)
MESSAGE_TOO_LONG: Final = Rule(
    "GP-114",
    Level.REFUSE,
    "A message is longer than 1 MiB or 20,000 segments",
    "Send its transactions in several messages.",
)
NO_MESSAGE: Final = Rule("GP-115", Level.REFUSE, "The interchange holds no message", _BUILD_AGAIN)
NUMBER_UNREADABLE: Final = Rule(
    "GP-116", Level.REFUSE, "A reference is not a number of one to eight digits", _BUILD_AGAIN
)
INTERCHANGE_MISSING: Final = Rule(
    "GP-117",
    Level.REFUSE,
    "The interchange is not the next one of its sender: one before it is missing",
    "Send the missing interchange first, then this one again.",
)
INTERCHANGE_REPEATED: Final = Rule(
    "GP-118",
    Level.REFUSE,
    "An interchange of this number, or a later one, was taken from this sender before",
    "Nothing to do if it is the same; otherwise send it under the next number.",
)

# The message and its transactions
MISSING: Final = Rule("GP-120", Level.REFUSE, "A segment or value the transaction needs is missing", _SEND_AGAIN)
STANDS_TWICE: Final = Rule(
    "GP-121", Level.REFUSE, "A segment that stands once in a transaction stands twice", _SEND_AGAIN
)
DATE_UNREADABLE: Final = Rule(
    "GP-122", Level.REFUSE, "A date or time is not written as its qualifier says", _SEND_AGAIN
)
IN_THE_FUTURE: Final = Rule(
    "GP-123", Level.REFUSE, "A date or time lies further in the future than it can", _SEND_AGAIN
)
NAMES_NOBODY: Final = Rule(
    "GP-124",
    Level.REFUSE,
    "The transaction names nobody who can be found: no valid NHS number, nor a surname with a date of birth",
    "Send the ten-digit NHS number.",
)
BORN_IN_THE_FUTURE: Final = Rule("GP-125", Level.REFUSE, "The patient's date of birth is in the future", _SEND_AGAIN)
TRANSACTION_NUMBER_UNREADABLE: Final = Rule(
    "GP-126", Level.REFUSE, "The transaction number is not one to seven digits", _SEND_AGAIN
)
VERSION_NOT_TAKEN: Final = Rule(
    "GP-127",
    Level.HOLD,
    "This version of the registration message is not known here",
    "Operations: read its specification, extend the adapter, redrive.",
)
CODE_NOT_MAPPED: Final = Rule(
    "GP-128", Level.HOLD, "A registration code is on no list of ours", "Operations: map the code, then redrive."
)
KIND_NOT_TAKEN: Final = Rule(
    "GP-130", Level.WARN, "Beside what was taken stands a transaction of a kind we do not take", _NOTHING_TO_DO
)
NOBODY_APPROVED: Final = Rule(
    "GP-131",
    Level.WARN,
    "An approval names its transaction and no person; nothing is told of it",
    "Send the NHS number with the approval where it is known.",
)
NUMBER_AMENDED: Final = Rule(
    "GP-132", Level.WARN, "The NHS number itself is amended; the old and the new one are told", _NOTHING_TO_DO
)
FORENAMES_ALONE: Final = Rule(
    "GP-133",
    Level.WARN,
    "Forenames are amended without a surname; a name without a surname is not told",
    "Send the surname with the forenames.",
)

RULES: Final[Mapping[str, Rule]] = {
    rule.id: rule
    for rule in (
        *(NOT_EDIFACT, SERVICE_STRING_WRONG, CHARACTER_SET_NOT_TAKEN, NOT_IN_CHARACTER_SET, SEGMENT_UNREADABLE),
        *(CUT_SHORT, AFTER_THE_END, OUT_OF_PLACE, MESSAGE_COUNT_WRONG, INTERCHANGE_REFERENCES_DIFFER),
        *(SEGMENT_COUNT_WRONG, MESSAGE_REFERENCES_DIFFER, HEADER_INCOMPLETE, MESSAGES_NOT_IN_SEQUENCE),
        *(MESSAGE_TOO_LONG, NO_MESSAGE, NUMBER_UNREADABLE, INTERCHANGE_MISSING, INTERCHANGE_REPEATED),
        *(MISSING, STANDS_TWICE, DATE_UNREADABLE, IN_THE_FUTURE, NAMES_NOBODY, BORN_IN_THE_FUTURE),
        *(TRANSACTION_NUMBER_UNREADABLE, VERSION_NOT_TAKEN, CODE_NOT_MAPPED),
        *(KIND_NOT_TAKEN, NOBODY_APPROVED, NUMBER_AMENDED, FORENAMES_ALONE),
    )
}
