"""What can come of one attempt to deliver."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Offered:
    """The recipient has it: it said so (2xx), or that it had it already (409 with our id)."""

    status: int
    name: str = "offered"


@dataclass(frozen=True, slots=True)
class Refused:
    """Trying again cannot help: it is parked with `reason`, for `owner` to look at."""

    reason: str
    owner: str
    status: int | None = None
    name: str = "refused"


@dataclass(frozen=True, slots=True)
class Closed:
    """The recipient's door is shut to us as a whole (its circuit opens); nothing is held against this delivery."""

    status: int
    name: str = "closed"


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Anything else: the debt stands, and it is tried again. asked: the wait the recipient asked for."""

    reason: str
    status: int | None = None
    asked: timedelta | None = None
    name: str = "unavailable"


@dataclass(frozen=True, slots=True)
class Erased:
    """There is nothing to send any more: the key of its record was destroyed."""

    name: str = "erased"


Outcome = Offered | Refused | Closed | Unavailable | Erased
"""What became of an attempt; `name` is how attempts and metrics call it."""
