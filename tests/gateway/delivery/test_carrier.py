"""What a carrier is handed over in memory: sent at once where it follows what was read, and read in turn elsewhere."""

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from gateway.clock import system_clock
from gateway.delivery.carrier import Carrier
from gateway.delivery.circuit import Circuit
from gateway.delivery.delivery import Delivery
from gateway.delivery.outcome import Offered, Outcome
from gateway.delivery.patience import Patience
from gateway.delivery.settler import Settler, Told

PERSONS = [uuid.UUID(int=number) for number in range(3)]


def delivery(position: int) -> Delivery:
    """A delivery that was committed at this position, about one of three persons in turn."""
    now = datetime.now(UTC)
    return Delivery(
        id=uuid.UUID(int=position),
        recipient="a",
        position=position,
        person_id=PERSONS[position % 3],
        record_id=uuid.UUID(int=position),
        kind="custody.charged",
        change="fact",
        role="home",
        created=now,
        trace=None,
        attempts=0,
        next=now,
        tried=None,
        sealed=b"",
        wrapped=b"",
        read=now,
    )


@dataclass
class Shelf:
    """The recipient's queue in the store: what is committed and not yet settled."""

    queued: dict[int, Delivery] = field(default_factory=dict)
    pages: int = 0
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    open: asyncio.Event = field(default_factory=asyncio.Event)

    def commit(self, *positions: int) -> list[Delivery]:
        """Queue deliveries at these positions."""
        made = [delivery(position) for position in positions]
        self.queued |= {one.position: one for one in made}
        return made

    async def page(self, after: int, most: int) -> list[Delivery]:
        """As the store; while `open` is not set it does not answer."""
        found = [self.queued[position] for position in sorted(self.queued) if position > after][:most]
        self.pages += 1
        self.asked.set()
        await self.open.wait()
        return found

    async def of(self, persons: Sequence[uuid.UUID], upto: int, most: int) -> list[Delivery]:
        """As the store."""
        return [one for one in self.queued.values() if one.person_id in persons and one.position <= upto]

    async def head(self, blocked: Iterable[uuid.UUID]) -> Delivery | None:
        """Nobody's circuit opens here."""
        raise AssertionError

    async def parked(self) -> dict[uuid.UUID, int]:
        """Nobody is parked here."""
        return {}

    async def forgive(self) -> None:
        """Nobody failed."""
        raise AssertionError


@dataclass
class Bench:
    """A carrier on a shelf, with a courier that always succeeds and a settler that settles at once."""

    shelf: Shelf = field(default_factory=Shelf)
    sent: list[int] = field(default_factory=list)
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    carrier: Carrier = field(init=False)
    told: Told = field(init=False)

    def __post_init__(self) -> None:
        self.carrier = Carrier(
            "a",
            queue=self.shelf,
            courier=self,
            settler=cast("Settler", self),
            patience=Patience((timedelta(seconds=1),), timedelta(hours=1), 0.0),
            circuit=Circuit(timedelta(seconds=1)),
            clock=system_clock,
            chance=lambda: 0.5,
            in_flight=4,
        )

    async def attempt(self, delivery: Delivery) -> Outcome:
        """Take it."""
        await asyncio.sleep(0)
        self.sent.append(delivery.position)
        return Offered(204)

    def listen(self, recipient: str, told: Told) -> None:
        """The carrier listens for what is settled."""
        self.told = told

    async def put(self, settlement: Any, *, awaited: bool = False) -> None:
        """Settle at once."""
        del self.shelf.queued[settlement.delivery.position]
        self.told([settlement])
        self.moved.set()

    async def until_sent(self, count: int) -> None:
        """Wait until so many were sent."""
        async with asyncio.timeout(10):
            while len(self.sent) < count:
                self.moved.clear()
                await self.moved.wait()


@asynccontextmanager
async def carrying(*committed: int, reading: bool = True) -> AsyncIterator[Bench]:
    """A carrier that runs, and has read what was committed before."""
    bench = Bench()
    bench.shelf.commit(*committed)
    if reading:
        bench.shelf.open.set()
    running = asyncio.create_task(bench.carrier.run())
    await asyncio.sleep(0)
    if reading:
        await bench.until_sent(len(committed))
        for _ in range(20):  # and until the reader rests
            await asyncio.sleep(0)
    yield bench
    bench.carrier.stop()
    await running


async def test_what_follows_is_sent_without_being_read() -> None:
    """What was committed next is at hand: the store is not asked for it."""
    async with carrying(1, 2) as bench:
        pages = bench.shelf.pages
        bench.carrier.hand_over(bench.shelf.commit(3, 4, 5))
        await bench.until_sent(5)
        assert bench.shelf.pages == pages
    assert sorted(bench.sent) == [1, 2, 3, 4, 5]


async def test_what_is_announced_and_then_handed_over_is_not_read() -> None:
    """The announcement of what this process committed is often quicker than the process itself."""
    async with carrying(1, 2) as bench:
        pages = bench.shelf.pages
        committed = bench.shelf.commit(3, 4)
        bench.carrier.announced(4)
        for _ in range(5):
            await asyncio.sleep(0)
        bench.carrier.hand_over(committed)
        await bench.until_sent(4)
        assert bench.shelf.pages == pages
        bench.shelf.commit(5)
        bench.carrier.look(5)
        await bench.until_sent(5)
        assert bench.shelf.pages == pages + 1
    assert sorted(bench.sent) == [1, 2, 3, 4, 5]


async def test_what_is_only_announced_is_read() -> None:
    """Another process committed it."""
    async with carrying(1, 2) as bench:
        bench.shelf.commit(3, 4)
        bench.carrier.announced(4)
        await bench.until_sent(4)
    assert sorted(bench.sent) == [1, 2, 3, 4]


async def test_what_does_not_follow_is_read_with_what_is_missing() -> None:
    """Another process committed what lies between: nothing overtakes it."""
    async with carrying(1) as bench:
        bench.shelf.commit(4)
        bench.carrier.hand_over(bench.shelf.commit(7))
        await bench.until_sent(3)
    assert bench.sent == [1, 4, 7]


async def test_what_comes_while_something_is_read_is_sent_once() -> None:
    """A page that is under way may hold it or not; it is sent once either way."""
    async with carrying(1, reading=False) as bench:
        await bench.shelf.asked.wait()
        bench.carrier.hand_over(bench.shelf.commit(2))
        bench.shelf.open.set()
        await bench.until_sent(2)
        bench.carrier.hand_over(bench.shelf.commit(3))
        await bench.until_sent(3)
    assert sorted(bench.sent) == [1, 2, 3]


async def test_however_they_come_all_are_sent_once_and_each_persons_in_order() -> None:
    """Handed over, announced, or both, by this process or by another: once each, and in order."""
    drawn = random.Random(7)
    async with carrying() as bench:
        position = 0
        for _ in range(300):
            committed = bench.shelf.commit(*range(position + 1, position + 1 + drawn.randint(1, 4)))
            position = committed[-1].position
            way = drawn.choice(["handed", "announced", "both"])
            if way != "announced":
                bench.carrier.hand_over(committed)
            if way != "handed":
                bench.carrier.announced(position)
            for _ in range(drawn.randint(0, 6)):
                await asyncio.sleep(0)
        await bench.until_sent(position)
    assert sorted(bench.sent) == list(range(1, position + 1))
    for person in range(3):
        own = [one for one in bench.sent if one % 3 == person]
        assert own == sorted(own)
