"""The lanes of one recipient: each person's deliveries in the order of their positions, at most one under way.

Pure: it does no input or output and reads no clock. PostgreSQL holds the queue; this holds the part of it that was
read. Of what waits for its time only the person and that time are kept, and of a person with thousands of deliveries a
few; what a lane does not hold it reads again when its turn comes.
"""

import heapq
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from gateway.delivery.delivery import Delivery

PER_LANE = 16
"""Deliveries of one person held in memory."""

FRESH = timedelta(seconds=5)
"""What was read longer ago is read again before it is sent: it may have been withdrawn meanwhile."""


class _Lane:
    """One person's: the deliveries read, whether one is under way, and whether more may wait unread up to the cursor.

    due: when to read it again; None while it is ready, under way or blocked.
    """

    __slots__ = ("behind", "busy", "due", "person", "queue")

    def __init__(self, person: UUID) -> None:
        self.person = person
        self.queue: deque[Delivery] = deque()
        self.busy = False
        self.behind = False
        self.due: datetime | None = None


class Lanes:
    """All lanes of one recipient. per_lane: deliveries of one person that are held."""

    def __init__(self, per_lane: int = PER_LANE) -> None:
        self._per_lane = per_lane
        self.cursor = 0
        """The highest position read."""
        self.under_way = 0
        """Lanes with a delivery taken and not yet settled."""
        self.held = 0
        """Deliveries in memory and not yet taken."""
        self._lanes: dict[UUID, _Lane] = {}
        self._ready: deque[_Lane] = deque()
        self._timers: list[tuple[datetime, int, _Lane]] = []
        self._ties = 0
        self._blocked: dict[UUID, int] = {}

    def __len__(self) -> int:
        return len(self._lanes)

    @property
    def blocked(self) -> bool:
        """Whether anybody waits for a parked delivery to be dealt with."""
        return bool(self._blocked)

    @property
    def ready(self) -> int:
        """Lanes that `take` may find something in."""
        return len(self._ready)

    def restart(self) -> None:
        """Forget what was read, and begin again from the first position. What is under way stays under way."""
        for lane in self._lanes.values():
            lane.queue.clear()
            lane.behind, lane.due = True, None
        self._lanes = {person: lane for person, lane in self._lanes.items() if lane.busy}
        self._ready.clear()
        self._timers.clear()
        self.cursor = self.held = 0

    def block(self, parked: Mapping[UUID, int], now: datetime) -> None:
        """Say which persons have a parked delivery, and at what position the first: what comes after it waits.

        Persons who no longer have one are read again.
        """
        freed = [person for person in self._blocked if person not in parked]
        self._blocked = dict(parked)
        for person in freed:
            lane = self._lane(person)
            if not lane.busy:
                self._read_again(lane, now)
        for person in parked:
            if person in self._lanes:
                self._empty(self._lanes[person])

    def add(self, page: Sequence[Delivery], now: datetime) -> None:
        """Take in the next page, read from `cursor` on in the order of positions."""
        for delivery in page:
            self.cursor = delivery.position
            self._append(self._lane(delivery.person_id), delivery, now)

    def add_again(self, persons: Iterable[UUID], found: Iterable[Delivery], now: datetime) -> None:
        """Take in what these persons have queued up to the cursor, at most per_lane each, in order of positions."""
        lanes = {}
        for person in persons:
            lane = self._lanes.get(person)
            if lane is not None and not lane.busy and not lane.queue:
                lane.behind, lane.due = False, None
                lanes[person] = lane
        for delivery in found:
            lane = lanes.get(delivery.person_id)
            if lane is not None:
                self._append(lane, delivery, now)
        for person, lane in lanes.items():
            if len(lane.queue) >= self._per_lane:
                lane.behind = True
            elif not lane.queue and not lane.behind:
                del self._lanes[person]

    def admit(self, delivery: Delivery) -> None:
        """Let this one delivery pass: the trial of an open circuit, whatever its time."""
        lane = self._lane(delivery.person_id)
        if not lane.busy and not lane.queue:
            lane.behind = True
            lane.queue.append(delivery)
            self.held += 1
            self._ready.append(lane)

    def waits_behind(self, person: UUID) -> bool:
        """Whether the person's next delivery is ready and waits only for the one under way to be settled."""
        lane = self._lanes.get(person)
        return lane is not None and bool(lane.queue)

    def take(self, now: datetime) -> Delivery | None:
        """The next delivery to attempt, whose lane is then under way until it is settled."""
        while self._ready:
            lane = self._ready.popleft()
            if not lane.queue or lane.busy:
                continue
            if now - lane.queue[0].read > FRESH:
                self._read_again(lane, now)
                continue
            lane.busy = True
            self.under_way += 1
            self.held -= 1
            return lane.queue.popleft()
        return None

    def left(self, person: UUID, now: datetime) -> None:
        """The delivery under way is no longer queued, and that is committed: the person's next may go."""
        lane = self._settled(person)
        if lane.queue:
            self._ready.append(lane)
        elif lane.behind:
            self._read_again(lane, now)
        else:
            del self._lanes[person]

    def put_off(self, person: UUID, due: datetime) -> None:
        """The delivery under way must be tried again, not before `due`; the person's others wait for it."""
        self._read_again(self._settled(person), due)

    def parked(self, person: UUID, position: int) -> None:
        """The delivery under way was parked: the person's others wait until somebody deals with it."""
        self._blocked[person] = position
        self._empty(self._settled(person))

    def due(self, now: datetime, most: int) -> list[UUID]:
        """Persons whose lanes are to be read again now, the longest due first."""
        found: dict[UUID, None] = {}
        while self._timers and self._timers[0][0] <= now and len(found) < most:
            due, _, lane = heapq.heappop(self._timers)
            if lane.due == due and self._lanes.get(lane.person) is lane:
                found[lane.person] = None
        return list(found)

    def next_due(self) -> datetime | None:
        """When a lane is to be read again."""
        return self._timers[0][0] if self._timers else None

    def _lane(self, person: UUID) -> _Lane:
        lane = self._lanes.get(person)
        if lane is None:
            lane = self._lanes[person] = _Lane(person)
        return lane

    def _append(self, lane: _Lane, delivery: Delivery, now: datetime) -> None:
        parked = self._blocked.get(lane.person)
        if lane.behind or len(lane.queue) >= self._per_lane or (parked is not None and parked < delivery.position):
            lane.behind = True
            return
        if not lane.queue and not lane.busy:
            if delivery.next is not None and delivery.next > now:
                self._read_again(lane, delivery.next)
                return
            self._ready.append(lane)
        lane.queue.append(delivery)
        self.held += 1

    def _settled(self, person: UUID) -> _Lane:
        lane = self._lanes[person]
        lane.busy = False
        self.under_way -= 1
        return lane

    def _empty(self, lane: _Lane) -> None:
        self.held -= len(lane.queue)
        lane.queue.clear()
        lane.behind, lane.due = True, None

    def _read_again(self, lane: _Lane, due: datetime) -> None:
        self._empty(lane)
        lane.due = due
        self._ties += 1
        heapq.heappush(self._timers, (due, self._ties, lane))
