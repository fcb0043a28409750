"""The circuit of one recipient: closed lets deliveries pass, open lets none, half-open lets one try. Pure.

It opens when the recipient shuts its door, or when the deliveries of several persons fail with no success between
them. One person's failing again and again says something about that delivery, not about the recipient, and opens
nothing. Nothing is ever disabled: an open circuit tries again by itself, for as long as it takes.
"""

from datetime import datetime, timedelta
from uuid import UUID

PERSONS = 5
"""How many persons' deliveries must fail in a row."""


class Circuit:
    """One recipient's. probe_every: the pause between two trials of an open circuit."""

    def __init__(self, probe_every: timedelta) -> None:
        self._probe_every = probe_every
        self._failing: set[UUID] = set()
        self.opened: datetime | None = None
        """Since when it is open."""
        self.probe_at: datetime | None = None
        """When the next trial is due, while it is open."""

    @property
    def is_open(self) -> bool:
        """Whether deliveries must wait."""
        return self.opened is not None

    def succeeded(self) -> bool:
        """A delivery arrived. True when that closed the circuit after more than one person's had failed.

        Then the recipient was at fault and not a delivery, so what waits need not wait out its time.
        """
        forgiving = self.is_open and len(self._failing) > 1
        self._failing.clear()
        self.opened = self.probe_at = None
        return forgiving

    def failed(self, person: UUID, now: datetime, *, shut: bool, asked: timedelta | None) -> bool:
        """A delivery failed; shut: because the door is. True when that opened the circuit.

        asked: how long the recipient wants to be left alone; the next trial waits that long at least.
        """
        if len(self._failing) < PERSONS:
            self._failing.add(person)
        if not (shut or self.is_open or len(self._failing) >= PERSONS):
            return False
        opening = not self.is_open
        if self.opened is None:
            self.opened = now
        self.probe_at = now + max(self._probe_every, asked or self._probe_every)
        return opening
