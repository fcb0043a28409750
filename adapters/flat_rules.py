"""What any flat record is checked for, at every door by the same ids: rules no agency writes again."""

from collections.abc import Mapping
from typing import Final

from adapters.base import Level, Rule

_SEND_AGAIN: Final = "Correct the field and send the record again."


def _refuse(rule: str, sentence: str, fix: str = _SEND_AGAIN) -> Rule:
    return Rule(rule, Level.REFUSE, sentence, fix)


NOT_READABLE: Final = _refuse(
    "FR-001",
    "The record is neither one flat JSON object nor a CSV header with one row, in UTF-8",
    "Send it in one of the two forms, as the contract has it.",
)
KIND_MISSING: Final = _refuse("FR-002", "The record does not say of what kind it is")
MISSING: Final = _refuse("FR-010", "A required field is missing or empty")
MALFORMED: Final = _refuse("FR-011", "A field is not of the form the contract gives it")
BORN_IN_THE_FUTURE: Final = _refuse("FR-012", "The date of birth is in the future")
NOT_TELLABLE: Final = _refuse("FR-013", "A value is of a form that the event it becomes cannot hold")
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
HEADER_WRONG: Final = _refuse(
    "FR-080",
    "The file's first line is not its header, or the header lacks a column or has one twice",
    "Begin the file with the contract's header, separated by commas.",
)
NO_END: Final = _refuse(
    "FR-081",
    "A row does not end: a quotation mark is not closed or stands inside a value, or the row is too long",
    "Write quotation marks within a value twice, and close each.",
)

RULES: Final[Mapping[str, Rule]] = {
    rule.id: rule
    for rule in (
        NOT_READABLE,
        KIND_MISSING,
        MISSING,
        MALFORMED,
        BORN_IN_THE_FUTURE,
        NOT_TELLABLE,
        CODE_NOT_MAPPED,
        ZONE_ASSUMED,
        CLOCK_CHANGE,
        HEADER_WRONG,
        NO_END,
    )
}
"""Every rule of this module by id. An id is never reused."""
