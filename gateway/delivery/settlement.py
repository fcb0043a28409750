"""Where an attempt leaves its delivery. Pure; one `match` settles every outcome."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from gateway.delivery.delivery import Delivery
from gateway.delivery.outcome import Closed, Erased, Offered, Outcome, Refused, Unavailable
from gateway.delivery.patience import Chance, Patience

LOOK_AT_UNREACHABLE = timedelta(hours=4)
LOOK_AT_REFUSED = timedelta(days=1)
"""By when the owner of a parked delivery should have looked at it."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """What is written about one attempt: the delivery's state from now on, and the attempt itself.

    number: of the attempt, 1 is the first. next: when the following one is due, if the state is still queued.
    """

    delivery: Delivery
    state: str
    number: int
    started: datetime
    ended: datetime
    outcome: str
    status: int | None
    next: datetime | None = None
    reason: str | None = None
    owner: str | None = None
    due: datetime | None = None

    @property
    def milliseconds(self) -> int:
        """How long the attempt took."""
        return max(int((self.ended - self.started).total_seconds() * 1000), 0)

    @property
    def worth_keeping(self) -> bool:
        """Whether the attempt gets a row of its own.

        A first attempt that succeeds does not: `attempts = 1` and the time of `offered` on the delivery tell all of it.
        """
        return self.number > 1 or self.state != "offered"


def settle(
    delivery: Delivery, outcome: Outcome, started: datetime, ended: datetime, *, patience: Patience, chance: Chance
) -> Settlement:
    """The settlement of one attempt."""
    number = delivery.attempts + 1
    state = "queued"
    status: int | None = None
    following: datetime | None = None
    due: datetime | None = None
    reason: str | None = None
    owner: str | None = None
    match outcome:
        case Offered(status):
            state = "offered"
        case Erased():
            state = "erased"
        case Refused(reason, owner, status):
            state, due = "parked", ended + LOOK_AT_REFUSED
        case Closed(status):
            # The fault is with the recipient's door, not with this delivery: it never uses up its patience.
            wait = patience.after(number, elapsed=timedelta(0), asked=None, chance=chance)
            following = ended if wait is None else ended + wait
        case Unavailable(_, status, asked):
            elapsed = ended - (delivery.tried or started)
            wait = patience.after(number, elapsed=elapsed, asked=asked, chance=chance)
            if wait is None:
                state, reason, owner, due = "parked", "recipient_unreachable", "recipient", ended + LOOK_AT_UNREACHABLE
            else:
                following = ended + wait
        case _:
            assert_never(outcome)
    return Settlement(
        delivery=delivery,
        state=state,
        number=number,
        started=started,
        ended=ended,
        outcome=outcome.name,
        status=status,
        next=following,
        reason=reason,
        owner=owner,
        due=due,
    )
