"""What a template agency's records are checked for beside what any flat record is. An id is never reused."""

from typing import Final

from adapters.base import Level, Rule

REFERRED_LATER: Final = Rule(
    "XX-001", Level.REFUSE, "The referral was made after it came", "Correct the date and send the record again."
)
