"""What a template agency's records are checked for beside what any flat record is. An id is never reused."""

from typing import Final

from adapters.base import Level, Rule
from adapters.flat import Rules

COMMON: Final = Rules("XX")

BORN_IN_THE_FUTURE: Final = Rule(
    "XX-012",
    Level.REFUSE,
    "The date of birth is in the future",
    "Correct the field and send the record again.",
)
