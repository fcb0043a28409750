"""Every rule the feed of the department is checked against. An id is never reused; a sentence never holds a value."""

from collections.abc import Iterable, Mapping
from typing import Final

from adapters import claims, drift
from adapters.base import Finding, Level, Rule

_SEND_AGAIN = "Correct the field and send the record again."
_SEND_FILE_AGAIN = "Make the file again and send it whole."

HEADER_WRONG = Rule(
    "DW-001",
    Level.REFUSE,
    "The file does not begin with a header of this layout",
    "Send a header (H) with feed, sequence, time of creation and layout 01 as the first record.",
)
CODE_PAGE_WRONG = Rule(
    "DW-002",
    Level.REFUSE,
    "The file is not in the code page that was agreed for this feed",
    "Write the file in the agreed code page, ISO 8859-1 if nothing else was agreed, and send it whole.",
)
CUT_SHORT = Rule(
    "DW-003", Level.REFUSE, "The file ends before its trailer, so part of it is missing", "Send the same file whole."
)
COUNT_WRONG = Rule(
    "DW-004",
    Level.REFUSE,
    "The trailer counts other details than the file has",
    _SEND_FILE_AGAIN,
)
TRAILER_OF_ANOTHER = Rule(
    "DW-005", Level.REFUSE, "The trailer names another feed or sequence than the header", _SEND_FILE_AGAIN
)
AFTER_TRAILER = Rule(
    "DW-006", Level.REFUSE, "Records stand behind the trailer, or a second header inside the file", _SEND_FILE_AGAIN
)
SEQUENCE_GAP = Rule(
    "DW-007",
    Level.REFUSE,
    "Files of this feed are missing before this one",
    "Send the missing files in order, beginning with the number that was expected, and then this one again.",
)
SEQUENCE_REPEATED = Rule(
    "DW-008",
    Level.REFUSE,
    "Another file of this feed had this sequence number or a later one",
    "Give the file the number that is expected next, if it tells something new; otherwise there is nothing to do.",
)
TOO_LONG = Rule(
    "DW-009",
    Level.REFUSE,
    "A line is many times longer than a record, so this is no file of this layout",
    "Send records of 120 characters, each on a line of its own.",
)

NOT_ONE_DETAIL = Rule(
    "DW-020", Level.REFUSE, "The record is not a header and one detail", "Send the header, and one detail after it."
)
DETAIL_TOO_LONG = Rule("DW-021", Level.REFUSE, "The detail is longer than 120 characters", _SEND_AGAIN)
MISSING = Rule("DW-022", Level.REFUSE, "A required field is empty or missing", _SEND_AGAIN)
MALFORMED = Rule("DW-023", Level.REFUSE, "A field is not of the type or form the contract gives it", _SEND_AGAIN)
START_WITHOUT_DAY = Rule("DW-024", Level.REFUSE, "An award cannot start on an open date (00000000)", _SEND_AGAIN)
BORN_IN_THE_FUTURE = Rule("DW-025", Level.REFUSE, "The date of birth is in the future", _SEND_AGAIN)
ADDRESS_MISSING = Rule(
    "DW-026",
    Level.REFUSE,
    "The referral has no address, and is not marked MAPPA",
    "Send the address, or noFixedAddress, or mappa where the address must not be told.",
)
SPECIAL_CUSTOMER = Rule(
    "DW-027",
    Level.REFUSE,
    "The person is a special customer, whose records must never come this way",
    "Tell your data protection officer that it was sent, and refer the person by hand.",
)
ENDS_BEFORE_START = Rule(
    "DW-028", Level.REFUSE, "The claim or the assessment period ends before it starts", _SEND_AGAIN
)

NOT_JSON = Rule("DW-030", Level.REFUSE, "The record is not one JSON object in UTF-8", "Send one JSON object.")
KIND_UNKNOWN = Rule(
    "DW-031",
    Level.REFUSE,
    "The object is neither a referral (eventType) nor a document of Universal Credit (message)",
    "Send one of the two, as the contract has them.",
)
VERSION_NOT_SUPPORTED = Rule(
    "DW-032",
    Level.HOLD,
    "This version of the referral is not known here",
    "Operations: read what changed, extend the adapter, redrive.",
)

CODE_NOT_MAPPED = Rule(
    "DW-040", Level.HOLD, "A code is on no list of ours", "Operations: map the code, then redrive the record."
)

PROTECTED_ADDRESS = Rule(
    "DW-050",
    Level.WARN,
    "A record marked MAPPA came with an address, which was not taken",
    "Leave address and postcode out of records marked MAPPA.",
)
ZONE_ASSUMED = Rule("DW-051", Level.WARN, "A time has no zone; Europe/London was assumed", "Send times with a zone.")
CLOCK_CHANGE = Rule(
    "DW-052", Level.WARN, "A time without a zone falls into the hour in which the clocks change", "Send it with a zone."
)

RULES: Final[Mapping[str, Rule]] = {
    **{
        rule.id: rule
        for rule in (
            HEADER_WRONG,
            CODE_PAGE_WRONG,
            CUT_SHORT,
            COUNT_WRONG,
            TRAILER_OF_ANOTHER,
            AFTER_TRAILER,
            SEQUENCE_GAP,
            SEQUENCE_REPEATED,
            TOO_LONG,
            NOT_ONE_DETAIL,
            DETAIL_TOO_LONG,
            MISSING,
            MALFORMED,
            START_WITHOUT_DAY,
            BORN_IN_THE_FUTURE,
            ADDRESS_MISSING,
            SPECIAL_CUSTOMER,
            ENDS_BEFORE_START,
            NOT_JSON,
            KIND_UNKNOWN,
            VERSION_NOT_SUPPORTED,
            CODE_NOT_MAPPED,
            PROTECTED_ADDRESS,
            ZONE_ASSUMED,
            CLOCK_CHANGE,
        )
    },
    **claims.RULES,
    **drift.RULES,
}


class Faulty(Exception):
    """The record cannot be accepted: every fault that was found. It never leaves this package."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        super().__init__()
        self.findings = tuple(findings)
