"""The words in which people read states, the same in receipts, reports, console and logs.

`received` → `validated` → `routed` → `queued` → `offered` → `acknowledged`, and what stands beside that way.
"""

from collections.abc import Iterable, Mapping

_OF_RECORDS: Mapping[str, str] = {
    "staged": "received",
    "waiting": "held",
    "held": "held",
    "ignored": "ignored",
    "translated": "validated",
}

_URGENCY = (
    *("rejected", "parked", "held", "received", "validated", "queued", "offered", "routed", "acknowledged"),
    *("no_recipient", "discarded", "restricted", "erased", "retracted", "superseded", "suppressed", "ignored"),
)
"""The states a person may read, the one that most needs somebody first."""


def word(state: str) -> str:
    """What a record's state is called before anything is known of its events."""
    return _OF_RECORDS[state]


def most_urgent(states: Iterable[str]) -> str:
    """The state that most needs somebody. Raises ValueError if there is none to choose from."""
    return min(states, key=_URGENCY.index)
