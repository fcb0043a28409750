"""Every rule a BaRS message (FHIR) is checked against, GP-001 to GP-099. An id is never reused."""

from collections.abc import Mapping
from typing import Final

from adapters.base import Level, Rule

_SEND_AGAIN = "Correct the field and send the message again."
_CORRECT = "Correct it in the patient's record."

NOT_FHIR = Rule(
    "GP-001",
    Level.REFUSE,
    "The body is not one FHIR resource in JSON or XML",
    "Send one Bundle, in UTF-8, as the media type says.",
)
NOT_A_MESSAGE = Rule(
    "GP-002",
    Level.REFUSE,
    "The resource is not a Bundle of type message that begins with a MessageHeader",
    "Send the message bundle of the Booking and Referral Standard.",
)
TOO_MUCH = Rule(
    "GP-003",
    Level.REFUSE,
    "The message is longer or has more parts than any referral needs",
    "Send the referral without its documents.",
)
HIDDEN_DECLARATION = Rule(
    "GP-004", Level.REFUSE, "The XML has a document type or entity declaration", "Send the bundle without one."
)
AMBIGUOUS = Rule(
    "GP-005",
    Level.REFUSE,
    "Two resources of the bundle stand under one fullUrl or id, so a reference could mean either",
    "Give every entry a fullUrl of its own.",
)

MISSING = Rule("GP-010", Level.REFUSE, "A required field is missing", _SEND_AGAIN)
MALFORMED = Rule("GP-011", Level.REFUSE, "A field is not of the type or form FHIR gives it", _SEND_AGAIN)
DANGLING = Rule(
    "GP-012",
    Level.REFUSE,
    "A reference points at nothing in the bundle",
    "Send the resource with the message, under the fullUrl the reference names.",
)
NOBODY = Rule(
    "GP-013",
    Level.REFUSE,
    "The patient has no valid NHS number, and no name with a birth date either, so the referral names nobody",
    "Send the NHS number, or name and birth date.",
)
IN_THE_FUTURE = Rule("GP-014", Level.REFUSE, "A time in the message lies more than a day in the future", _SEND_AGAIN)
BORN_IN_THE_FUTURE = Rule("GP-015", Level.REFUSE, "The date of birth is in the future", _SEND_AGAIN)
NEW_AND_REVOKED = Rule(
    "GP-016",
    Level.REFUSE,
    "A referral is said to be new and revoked at once",
    "Revoke a referral by a message of reason update.",
)
SENDER_UNKNOWN = Rule(
    "GP-017",
    Level.REFUSE,
    "The sending organisation has no ODS code, without which the referral cannot be told from another's",
    "Send the Organization of MessageHeader.sender with its ODS code.",
)

CODE_NOT_MAPPED = Rule(
    "GP-020", Level.HOLD, "A code is on no list of ours", "Operations: map the code, then redrive the record."
)

ZONE_ASSUMED = Rule("GP-030", Level.WARN, "A time has no zone; Europe/London was assumed", "Send times with a zone.")
CLOCK_CHANGE = Rule(
    "GP-031",
    Level.WARN,
    "A time without a zone falls into the hour in which the clocks change",
    "Send times with a zone.",
)
NHS_NUMBER_NOT_VERIFIED = Rule(
    "GP-032", Level.WARN, "The NHS number was not verified against the national register", "Trace the patient."
)
BIRTH_DATE_PARTIAL = Rule("GP-033", Level.WARN, "The date of birth is not known to the day and was left out", _CORRECT)
ADDRESS_ENDS_BEFORE_START = Rule("GP-034", Level.WARN, "An address ends before it starts and was left out", _CORRECT)
REASON_NOT_CODED = Rule(
    "GP-035",
    Level.WARN,
    "A reason for the referral is in no terminology we carry and was left out",
    "Code reasons in SNOMED CT.",
)
ODS_CODE_UNREADABLE = Rule(
    "GP-036", Level.WARN, "An organisation's code has not the form of an ODS code and was left out", _CORRECT
)
NAME_NOT_IN_PARTS = Rule(
    "GP-037", Level.WARN, "The patient's name is given without a family name and was left out", _CORRECT
)
ANOTHER_TARGET = Rule(
    "GP-038",
    Level.WARN,
    "The header names another service than the message; the message was believed",
    "Send both from one value.",
)

RULES: Final[Mapping[str, Rule]] = {
    rule.id: rule
    for rule in (
        NOT_FHIR,
        NOT_A_MESSAGE,
        TOO_MUCH,
        HIDDEN_DECLARATION,
        AMBIGUOUS,
        MISSING,
        MALFORMED,
        DANGLING,
        NOBODY,
        IN_THE_FUTURE,
        BORN_IN_THE_FUTURE,
        NEW_AND_REVOKED,
        SENDER_UNKNOWN,
        CODE_NOT_MAPPED,
        ZONE_ASSUMED,
        CLOCK_CHANGE,
        NHS_NUMBER_NOT_VERIFIED,
        BIRTH_DATE_PARTIAL,
        ADDRESS_ENDS_BEFORE_START,
        REASON_NOT_CODED,
        ODS_CODE_UNREADABLE,
        NAME_NOT_IN_PARTS,
        ANOTHER_TARGET,
    )
}
