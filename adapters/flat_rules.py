"""What any flat record is checked for, at every door by the same ids: rules no agency writes again."""

from collections.abc import Mapping
from typing import Final

from adapters.base import Level, Rule

_SEND_AGAIN: Final = "Correct the field and send the record again."


def _refuse(rule: str, sentence: str, fix: str = _SEND_AGAIN) -> Rule:
    return Rule(rule, Level.REFUSE, sentence, fix)


NOT_READABLE: Final = _refuse(
    "FR-001",
    "The record is neither one flat JSON object nor a CSV header with one row",
    "Send it in one of the two forms, as the contract has it.",
)
KIND_MISSING: Final = _refuse("FR-002", "The record does not say of what kind it is")
NOT_UTF8: Final = _refuse(
    "FR-003",
    "The record is not in UTF-8: a letter with an accent, or a sign such as £, is in another encoding",
    "Write it in UTF-8 (a spreadsheet calls this CSV UTF-8) and send it again.",
)
UNEVEN: Final = _refuse(
    "FR-004",
    "The row has another number of values than the header has columns",
    "Put a value that holds a comma or a line break in quotation marks, and write a comma for each empty one.",
)
MISSING: Final = _refuse("FR-010", "A required field is missing or empty")
MALFORMED: Final = _refuse("FR-011", "A field is not of the form the contract gives it")
"""Its findings say what came, as a shape, and what is to be written."""
BORN_IN_THE_FUTURE: Final = _refuse("FR-012", "The date of birth is in the future")
NOT_TELLABLE: Final = _refuse("FR-013", "A value is of a form that the event it becomes cannot hold")
NOT_YET: Final = _refuse(
    "FR-014",
    "The record tells of something more than ten minutes in the future",
    "Correct the time, or the clock of the system it came from; send what is planned once it has happened.",
)
BORN_BEFORE_1900: Final = _refuse("FR-015", "The date of birth is before 1900, and nobody born then is alive")
BEFORE_BIRTH: Final = _refuse(
    "FR-016",
    "The record tells of something before 1900, or before the person was born",
    "Correct the date of what happened or the date of birth, whichever is wrong, and send the record again.",
)
CODE_NOT_MAPPED: Final = Rule(
    "FR-020", Level.HOLD, "A code is on no list of ours", "Operations: map the code, then redrive the record."
)
ZONE_ASSUMED: Final = Rule(
    "FR-030", Level.WARN, "A time has no zone; Europe/London was assumed", "Send times with a zone."
)
CLOCK_CHANGE: Final = Rule(
    "FR-031",
    Level.WARN,
    "A time without a zone falls into the hour in which the clocks change",
    "Send it with a zone.",
)
LONG_AGO: Final = Rule(
    "FR-032",
    Level.WARN,
    "A date lies more than forty years back",
    "Look at its year, as 1926 is easily written for 2026. If it is wrong, correct it and send the record again.",
)
"""Odd and not impossible: a tenancy or an award may be as old, so it is taken as it was written."""
HEADER_WRONG: Final = _refuse(
    "FR-080",
    "The file's first line is not its header, or the header lacks a column, has one twice or is not in UTF-8",
    "Begin the file with the contract's header, separated by commas, and write it in UTF-8.",
)
NO_END: Final = _refuse(
    "FR-081",
    "A row does not end: a value that begins with a quotation mark does not end with one, or the row is too long",
    "Put a value that begins with a quotation mark in quotation marks, and write those within it twice.",
)

RULES: Final[Mapping[str, Rule]] = {
    rule.id: rule
    for rule in (
        NOT_READABLE,
        KIND_MISSING,
        NOT_UTF8,
        UNEVEN,
        MISSING,
        MALFORMED,
        BORN_IN_THE_FUTURE,
        NOT_TELLABLE,
        NOT_YET,
        BORN_BEFORE_1900,
        BEFORE_BIRTH,
        CODE_NOT_MAPPED,
        ZONE_ASSUMED,
        CLOCK_CHANGE,
        LONG_AGO,
        HEADER_WRONG,
        NO_END,
    )
}
"""Every rule of this module by id. An id is never reused."""
