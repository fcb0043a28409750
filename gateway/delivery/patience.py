"""Patience: how long to wait before the next attempt, and when it is spent. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from gateway.settings import Delivery

LONGEST_ASKED = timedelta(hours=1)
"""A wait a recipient asks for (Retry-After) is honoured up to here."""

Chance = Callable[[], float]
"""A number drawn from [0, 1), as `random.random` does."""


@dataclass(frozen=True, slots=True)
class Patience:
    """waits: after the first attempt, the second, ...; the last one repeats. give_up_after: since the first attempt.

    jitter: the share by which each wait varies either way, so that what failed together is not tried together again.
    """

    waits: tuple[timedelta, ...]
    give_up_after: timedelta
    jitter: float

    @classmethod
    def of(cls, settings: Delivery) -> "Patience":
        """The patience the settings name."""
        return cls(settings.waits, settings.give_up_after, settings.jitter)

    def after(self, attempt: int, *, elapsed: timedelta, asked: timedelta | None, chance: Chance) -> timedelta | None:
        """The wait after this attempt (1 is the first), or None when patience is spent.

        elapsed: since the first attempt. The last wait ends when patience does, so that the last attempt is made then.
        A wait that was asked for is never cut short.
        """
        if elapsed >= self.give_up_after:
            return None
        wait = self.waits[min(attempt, len(self.waits)) - 1] * (1 + self.jitter * (2 * chance() - 1))
        wait = min(wait, self.give_up_after - elapsed)
        return wait if asked is None else max(wait, min(asked, LONGEST_ASKED))
