"""Every rule an HL7 v2 message is checked against, GP-200 to GP-299. An id is never reused.

Beside each stands the code of HL7 table 0357 that an acknowledgement tells it by.
"""

from collections.abc import Mapping
from typing import Final

from adapters.base import Level, Rule

_SEND_AGAIN = "Correct the field and send the message again, under a new control id."
_MEND = "Correct the message and send it again, under a new control id."
_CORRECT = "Correct it in the patient's record."

NOT_HL7: Final = Rule(
    "GP-200", Level.REFUSE, "The bytes do not begin with an HL7 v2 message header (MSH)", "Send one message in ER7."
)
SEPARATORS_WRONG: Final = Rule(
    "GP-201",
    Level.REFUSE,
    "Two of the separators of MSH-1 and MSH-2 are the same, or one is a letter, a digit or a space",
    "Send the ones the standard recommends.",
)
CHARACTER_SET_NOT_TAKEN: Final = Rule(
    "GP-202",
    Level.REFUSE,
    "MSH-18 names a character set that is not taken",
    "Send ASCII, UNICODE UTF-8 or 8859/1, or leave MSH-18 empty for UTF-8.",
)
NOT_IN_CHARACTER_SET: Final = Rule(
    "GP-203",
    Level.REFUSE,
    "The bytes are not text in the character set of MSH-18 (UTF-8 where it names none)",
    "Name the character set in MSH-18, and remove control characters.",
)
TOO_MANY_SEGMENTS: Final = Rule(
    "GP-204", Level.REFUSE, "The message has more than 2000 segments", "Send one message at a time."
)
SEVERAL_MESSAGES: Final = Rule(
    "GP-205", Level.REFUSE, "Several messages or a batch were sent as one record", "Send them as a file."
)
SEGMENT_UNREADABLE: Final = Rule(
    "GP-206", Level.REFUSE, "A segment does not begin with its three-character name", _MEND
)
BATCH_COUNT_WRONG: Final = Rule(
    "GP-207",
    Level.REFUSE,
    "A batch or file trailer counts other messages or batches than there are",
    "Build the file again and send it whole.",
)
BATCH_BROKEN: Final = Rule(
    "GP-208",
    Level.REFUSE,
    "A batch or file header, a trailer or a segment stands where it cannot, or a trailer is missing",
    "Build the file again and send it whole.",
)
MESSAGE_TOO_LONG: Final = Rule(
    "GP-209", Level.REFUSE, "A message is longer than 1 MiB", "Send the message without embedded documents."
)

FIELD_MISSING: Final = Rule("GP-210", Level.REFUSE, "A field the message needs is missing", _SEND_AGAIN)
FIELD_UNREADABLE: Final = Rule("GP-211", Level.REFUSE, "A field is not written as its data type says", _SEND_AGAIN)
SEGMENT_MISSING: Final = Rule("GP-212", Level.REFUSE, "A segment the message needs is missing", _MEND)
SEGMENT_STANDS_TWICE: Final = Rule(
    "GP-213", Level.REFUSE, "A segment that stands once in this message stands twice", _MEND
)
NOBODY: Final = Rule(
    "GP-214",
    Level.REFUSE,
    "PID names nobody who can be found: no valid NHS number, nor a family name with a date of birth",
    "Send the NHS number in PID-3 with assigning authority NHS, or name and birth date.",
)
IN_THE_FUTURE: Final = Rule("GP-215", Level.REFUSE, "A time stamp lies more than a day in the future", _SEND_AGAIN)
BORN_IN_THE_FUTURE: Final = Rule("GP-216", Level.REFUSE, "The birth date in PID-7 is in the future", _SEND_AGAIN)
NO_TIME: Final = Rule(
    "GP-217", Level.REFUSE, "Neither EVN nor MSH-7 says when it happened", "Send the time of the message in MSH-7."
)
SENDER_MISSING: Final = Rule(
    "GP-218",
    Level.REFUSE,
    "MSH-4 names no sending facility, without which its own numbers cannot be told from another's",
    "Send the facility in MSH-4, by its ODS code.",
)
SERVICE_MISSING: Final = Rule(
    "GP-219",
    Level.REFUSE,
    "Neither a PRD of role RT nor MSH-6 says to which service the referral goes",
    "Send the service's id in PRD-7 of the provider in the role RT, with a change or a cancellation too.",
)

VALUE_NOT_MAPPED: Final = Rule(
    "GP-220",
    Level.HOLD,
    "A value of an HL7 table is on no list of ours",
    "Operations: map the value, then redrive the message.",
)
VERSION_NOT_TAKEN: Final = Rule(
    "GP-221",
    Level.HOLD,
    "MSH-12 names a version of HL7 that is not known here",
    "Operations: see what the version changes, extend the adapter, redrive.",
)

ZONE_ASSUMED: Final = Rule(
    "GP-230", Level.WARN, "A time stamp has no offset; Europe/London was assumed", "Send time stamps with an offset."
)
CLOCK_CHANGE: Final = Rule(
    "GP-231",
    Level.WARN,
    "A time stamp without an offset falls into the hour in which the clocks change",
    "Send time stamps with an offset.",
)
BIRTH_DATE_PARTIAL: Final = Rule(
    "GP-232", Level.WARN, "The birth date in PID-7 is not known to the day and was left out", _CORRECT
)
TIME_UNREADABLE: Final = Rule(
    "GP-233", Level.WARN, "A time stamp cannot be read; the next best one was used", "Send time stamps as CCYYMMDDhhmm."
)
FAMILY_NAME_MISSING: Final = Rule(
    "GP-234", Level.WARN, "A name in PID-5 or PID-9 has no family name and was left out", _CORRECT
)
REASON_NOT_CODED: Final = Rule(
    "GP-235",
    Level.WARN,
    "A reason in RF1-10 or DG1-3 is in no terminology we carry and was left out",
    "Code reasons in SNOMED CT or ICD-10, and name the coding system.",
)
ADDRESS_ENDS_BEFORE_START: Final = Rule(
    "GP-236", Level.WARN, "An address in PID-11 ends before it starts and was left out", _CORRECT
)
ORGANISATION_CODE_UNREADABLE: Final = Rule(
    "GP-237", Level.WARN, "An organisation is named by no ODS code, and its code was left out", "Send the ODS code."
)

ERROR_CODES: Final[Mapping[Rule, str]] = {
    NOT_HL7: "100",
    SEPARATORS_WRONG: "102",
    CHARACTER_SET_NOT_TAKEN: "103",
    NOT_IN_CHARACTER_SET: "102",
    TOO_MANY_SEGMENTS: "100",
    SEVERAL_MESSAGES: "100",
    SEGMENT_UNREADABLE: "100",
    BATCH_COUNT_WRONG: "100",
    BATCH_BROKEN: "100",
    MESSAGE_TOO_LONG: "102",
    FIELD_MISSING: "101",
    FIELD_UNREADABLE: "102",
    SEGMENT_MISSING: "100",
    SEGMENT_STANDS_TWICE: "100",
    NOBODY: "204",
    IN_THE_FUTURE: "102",
    BORN_IN_THE_FUTURE: "102",
    NO_TIME: "101",
    SENDER_MISSING: "101",
    SERVICE_MISSING: "101",
    VALUE_NOT_MAPPED: "103",
    VERSION_NOT_TAKEN: "203",
    ZONE_ASSUMED: "102",
    CLOCK_CHANGE: "102",
    BIRTH_DATE_PARTIAL: "102",
    TIME_UNREADABLE: "102",
    FAMILY_NAME_MISSING: "101",
    REASON_NOT_CODED: "103",
    ADDRESS_ENDS_BEFORE_START: "102",
    ORGANISATION_CODE_UNREADABLE: "103",
}
"""HL7 table 0357: 100 segment sequence, 101 required field missing, 102 data type, 103 table value not found,
203 unsupported version, 204 unknown key identifier."""

RULES: Final[Mapping[str, Rule]] = {rule.id: rule for rule in ERROR_CODES}
