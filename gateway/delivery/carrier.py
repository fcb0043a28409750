"""The carrier brings one recipient what is queued for it: it reads, attempts in order per person, and settles.

A fixed set of workers takes from the lanes; one reader fills them, ahead of the workers but not far. While the circuit
is open nothing is read or held but one delivery to try it with.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from gateway.clock import Clock
from gateway.delivery.circuit import Circuit
from gateway.delivery.delivery import Delivery
from gateway.delivery.lanes import PER_LANE, Lanes
from gateway.delivery.outcome import Closed, Offered, Outcome, Unavailable
from gateway.delivery.patience import Chance, Patience
from gateway.delivery.settlement import Settlement, settle
from gateway.delivery.settler import Settler
from gateway.failpoints import reach
from gateway.telemetry import log

LARGEST_PAGE = 500
_READ_ANEW = timedelta(minutes=1)
"""How often everything is read from the first position again, for what became queued behind the cursor."""

_A_MOMENT = 0.005
"""Seconds after which what was announced is read: what this process has committed is handed over before that."""


class Attempts(Protocol):
    """Makes an attempt; a Courier."""

    async def attempt(self, delivery: Delivery) -> Outcome: ...


class Reads(Protocol):
    """A recipient's queue in the store; a Queue."""

    async def page(self, after: int, most: int) -> list[Delivery]: ...

    async def of(self, persons: Sequence[UUID], upto: int, most: int) -> list[Delivery]: ...

    async def head(self, blocked: Iterable[UUID]) -> Delivery | None: ...

    async def parked(self) -> dict[UUID, int]: ...

    async def forgive(self) -> None: ...


class Carrier:
    """Carries one recipient's deliveries, at most `in_flight` persons' at once."""

    def __init__(
        self,
        recipient: str,
        *,
        queue: Reads,
        courier: Attempts,
        settler: Settler,
        patience: Patience,
        circuit: Circuit,
        clock: Clock,
        chance: Chance,
        in_flight: int,
    ) -> None:
        self._recipient = recipient
        self._queue = queue
        self._courier = courier
        self._settler = settler
        self._patience = patience
        self._circuit = circuit
        self._clock = clock
        self._chance = chance
        self._in_flight = in_flight
        self._lanes = Lanes()
        self._workers: list[asyncio.Task[None]] = []
        self._idle: deque[asyncio.Future[None]] = deque()
        self._stirred = asyncio.Event()
        self._stopping = False
        self._more = True
        self._upto = 0
        self._announced = 0
        self._moment: asyncio.TimerHandle | None = None
        self._look = True
        self._forgive = False
        self._reading = 0
        self._occupied = False
        self._anew = clock() + _READ_ANEW
        self._page = 2 * in_flight
        self._paged: datetime | None = None
        settler.listen(recipient, self._settled)

    @property
    def held(self) -> int:
        """Deliveries in memory."""
        return self._lanes.held

    def wake(self) -> None:
        """Something may have been queued, anywhere, or set free.

        Nobody is set free where nobody is known to be blocked: what is parked was parked here, or before all was read.
        """
        self._more = True
        self._look = self._look or self._lanes.blocked
        self._stirred.set()

    def look(self, last: int) -> None:
        """An announcement may have been lost. last: the last position there is."""
        self.announced(last)
        if self._lanes.blocked:
            self._look = True
            self._stirred.set()

    def announced(self, last: int) -> None:
        """Somebody has committed deliveries up to this position. They are read in a moment, unless handed over."""
        self._announced = max(self._announced, last)
        if self._moment is None:
            self._moment = asyncio.get_running_loop().call_later(_A_MOMENT, self._heed)

    def hand_over(self, queued: Sequence[Delivery]) -> None:
        """Deliveries just committed, in order: taken as if read where they follow what was read, else read in turn."""
        follows = queued[0].position == self._lanes.cursor + 1 and self._lanes.held <= self._page
        if follows and not (self._occupied or self._more or self._stopping or self._circuit.is_open):
            reach("D1")
            self._paged = None  # how long the last page lasted is not known any more
            self._lanes.add(queued, self._clock())
            self._offer()
        else:
            self._expect(queued[-1].position)

    def _heed(self) -> None:
        self._moment = None
        if self._announced > self._lanes.cursor:
            self._expect(self._announced)

    def _expect(self, upto: int) -> None:
        """There is something up to this position; what was read up to there is not read again for it."""
        self._upto = max(self._upto, upto)
        self._stirred.set()

    async def run(self) -> None:
        """Carry until stopped. Raises what the store raises."""
        async with asyncio.TaskGroup() as group:
            self._workers = [group.create_task(self._work()) for _ in range(self._in_flight)]
            group.create_task(self._fill())

    def stop(self) -> None:
        """Begin nothing new; `run` returns once what is under way is settled."""
        self._stopping = True
        self._stirred.set()
        while self._idle:
            _wake(self._idle.popleft())

    # --- The workers ---

    async def _work(self) -> None:
        while not self._stopping:
            delivery = self._lanes.take(self._clock())
            if delivery is None:
                turn = asyncio.get_running_loop().create_future()
                self._idle.append(turn)
                self._stirred.set()
                await turn
                continue
            reach("D3")
            started = self._clock()
            outcome = await self._courier.attempt(delivery)
            reach("D6")
            ended = self._clock()
            self._note(delivery, outcome, ended)
            await self._settler.put(
                settle(delivery, outcome, started, ended, patience=self._patience, chance=self._chance),
                awaited=self._lanes.waits_behind(delivery.person_id),
            )

    def _note(self, delivery: Delivery, outcome: Outcome, now: datetime) -> None:
        """Tell the circuit."""
        match outcome:
            case Offered():
                was_open = self._circuit.is_open
                self._forgive = self._circuit.succeeded() or self._forgive
                if was_open:
                    log.info("circuit.closed", recipient=self._recipient)
                    self._begin_again()
            case Closed(status):
                self._failed(delivery, now, status, shut=True, asked=None)
            case Unavailable(_, status, asked):
                self._failed(delivery, now, status, shut=False, asked=asked)
            case _:
                pass

    def _failed(
        self, delivery: Delivery, now: datetime, status: int | None, *, shut: bool, asked: timedelta | None
    ) -> None:
        if self._circuit.failed(delivery.person_id, now, shut=shut, asked=asked):
            log.warning("circuit.opened", recipient=self._recipient, status=status)
            self._begin_again()

    def _begin_again(self) -> None:
        self._lanes.restart()
        self._reading += 1
        self._more = self._look = True
        self._anew = self._clock() + _READ_ANEW
        self._stirred.set()

    def _settled(self, settled: Sequence[Settlement]) -> None:
        """What was under way is settled and committed: each person's next may go."""
        now = self._clock()
        for one in settled:
            delivery = one.delivery
            if one.state == "queued":
                self._lanes.put_off(delivery.person_id, one.next or now)
            elif one.state == "parked":
                self._lanes.parked(delivery.person_id, delivery.position)
            else:
                self._lanes.left(delivery.person_id, now)
        self._offer()
        self._stirred.set()

    def _offer(self) -> None:
        """Wake as many idle workers as there may be lanes for."""
        for _ in range(self._lanes.ready):
            if not self._idle:
                break
            _wake(self._idle.popleft())

    # --- The reader ---

    async def _fill(self) -> None:
        while not (self._stopping and self._lanes.under_way == 0):
            self._stirred.clear()
            # What comes while something is read may or may not be in it, and is read again.
            self._occupied = True
            wait = None if self._stopping else await self._read()
            self._occupied = False
            self._offer()
            if wait is None or wait > timedelta(0):
                await self._rest(wait)

    async def _rest(self, wait: timedelta | None) -> None:
        try:
            async with asyncio.timeout(None if wait is None else wait.total_seconds()):
                await self._stirred.wait()
        except TimeoutError:
            return

    async def _read(self) -> timedelta | None:
        """Read what the workers need next. The time until there may be more to read, zero for at once."""
        now = self._clock()
        if self._circuit.is_open:
            return await self._try_circuit(now)
        if now >= self._anew:
            self._begin_again()
        # The circuit can open or close during any read; what was read before that is forgotten.
        reading = self._reading
        if self._forgive:
            self._forgive = False
            await self._queue.forgive()
        if self._look:
            self._look = False
            self._lanes.block(await self._queue.parked(), now)
        if reading != self._reading:
            return timedelta(0)
        persons = self._lanes.due(now, LARGEST_PAGE // 4)
        if persons:
            found = await self._queue.of(persons, self._lanes.cursor, PER_LANE)
            if reading == self._reading:
                self._lanes.add_again(persons, found, self._clock())
            return timedelta(0)
        if (self._more or self._upto > self._lanes.cursor) and self._lanes.held <= self._page // 2:
            await self._next_page(reading, now)
            return timedelta(0)
        return min(self._lanes.next_due() or self._anew, self._anew) - now

    async def _next_page(self, reading: int, now: datetime) -> None:
        self._fit_page(now)
        self._more, self._upto = False, 0
        page = await self._queue.page(self._lanes.cursor, self._page)
        if page:
            reach("D1")
        if reading == self._reading:
            self._lanes.add(page, self._clock())
            self._more = self._more or len(page) == self._page

    def _fit_page(self, now: datetime) -> None:
        """Read about as much at once as is sent in a second: what lies in memory for long is stale before it goes."""
        if self._paged is not None:
            took = now - self._paged
            if took < timedelta(seconds=1):
                self._page = min(2 * self._page, LARGEST_PAGE)
            elif took > timedelta(seconds=3):
                self._page = max(self._page // 2, 2 * self._in_flight)
        self._paged = now

    async def _try_circuit(self, now: datetime) -> timedelta | None:
        """One delivery to try an open circuit with, when that is due and none is under way."""
        due = self._circuit.probe_at or now
        if now < due:
            return due - now
        if self._lanes.under_way or self._lanes.ready:
            return None
        reading = self._reading
        head = await self._queue.head(await self._queue.parked())
        if head is not None and reading == self._reading:
            self._lanes.admit(head)
        return None


def _wake(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_result(None)
