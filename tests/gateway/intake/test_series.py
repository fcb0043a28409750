"""Files that are numbered without a gap: the next is taken, and every other refused whole and by name."""

import asyncio
import io
from collections.abc import AsyncIterator
from typing import Any, BinaryIO

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.dwp import build
from gateway import failpoints
from gateway.failpoints import Crashed
from gateway.intake.batch import Became, FileTaken, FileTaker, Incoming, RefusedWhole
from gateway.intake.journal import Journal
from gateway.intake.refusals import Refusals
from gateway.intake.spool import Spool
from gateway.sealing import BlindIndex, Sealer
from gateway.settings import Store
from gateway.store import series
from gateway.store.ledger import open_engine
from tests.adapters.dwp.extract import detail, header, trailer, written
from tests.support.doors import SECRETS, STILL, real_journal

pytestmark = pytest.mark.services
DWP = build({})


@pytest.fixture
async def engine(postgres: str) -> AsyncIterator[AsyncEngine]:
    """The store, empty."""
    engine = open_engine(Store(dsn=postgres))
    yield engine
    await engine.dispose()


@pytest.fixture
async def journal(engine: AsyncEngine) -> AsyncIterator[Journal]:
    """The journal on that store."""
    async with real_journal(engine) as journal:
        yield journal


@pytest.fixture
def taker(engine: AsyncEngine, journal: Journal) -> FileTaker:
    """What takes files, on that store."""
    return FileTaker(
        journal=journal,
        refusals=Refusals(engine, Sealer(SECRETS.kek)),
        engine=engine,
        index=BlindIndex(SECRETS.pepper),
        namespace=SECRETS.namespace,
        max_kept=1 << 20,
        clock=STILL,
    )


async def send(
    taker: FileTaker,
    sequence: int,
    *,
    feed: str = "NIGHTLY",
    sender: str = "dwp",
    benefit: str = "JSA",
    details: int = 1,
) -> Became:
    """Send the file of this number."""
    records = [
        header(sequence, feed=feed),
        *(detail(benefit=benefit, effective=f"202601{day:02}") for day in range(1, details + 1)),
        trailer(details, sequence, feed=feed),
    ]
    spool = Spool(io.BytesIO())
    spool.write([written(records)])
    return await taker.take(Incoming(sender, DWP, "text/plain", None, "00-0-0-01"), spool.whole())


def refusal(became: Became) -> tuple[str, str]:
    """The rule a file was refused by, and what it says of the numbers."""
    assert isinstance(became, RefusedWhole), became
    return became.finding.rule.id, became.finding.detail


async def test_files_are_taken_in_the_order_of_their_numbers(taker: FileTaker) -> None:
    """The first may have any number; each after it has the next."""
    for sequence in (124, 125, 126):
        assert isinstance(await send(taker, sequence), FileTaken)


async def test_a_gap_says_which_file_to_send(taker: FileTaker) -> None:
    """The file that comes too early is refused whole, and taken once what was missing has come."""
    await send(taker, 124)
    assert refusal(await send(taker, 126)) == ("DW-007", "126 came, 125 was expected")
    assert isinstance(await send(taker, 125), FileTaken)
    assert isinstance(await send(taker, 126), FileTaken)


async def test_the_same_file_again_has_one_effect(taker: FileTaker) -> None:
    """The same bytes are the same file, whatever came since: its first report, and nothing else."""
    first = await send(taker, 124)
    await send(taker, 125)
    again = await send(taker, 124)
    assert isinstance(first, FileTaken)
    assert isinstance(again, FileTaken)
    assert again.repeat
    assert (again.file_id, again.counts) == (first.file_id, first.counts)


async def test_two_files_with_one_number_are_never_both_taken(taker: FileTaker) -> None:
    """The second is refused by name, also when an older number is used again."""
    await send(taker, 124)
    await send(taker, 125)
    for sequence in (124, 125):
        assert refusal(await send(taker, sequence, benefit="ESA")) == (
            "DW-008",
            f"{sequence} came, 126 is expected next",
        )


async def test_two_files_with_one_number_at_the_same_time(taker: FileTaker) -> None:
    """However they meet, one of them is taken."""
    became = await asyncio.gather(*(send(taker, 124, benefit=benefit) for benefit in ("JSA", "ESA", "IS", "UC")))
    assert sum(isinstance(one, FileTaken) for one in became) == 1
    assert {refusal(one)[0] for one in became if isinstance(one, RefusedWhole)} == {"DW-008"}


async def test_the_same_file_at_the_same_time_is_taken_once_and_refused_never(
    taker: FileTaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sender that did not wait for its answer gets the one it would have had, however the two meet."""
    real = FileTaker._number
    claimed, answered = asyncio.Event(), asyncio.Event()

    async def late(self: FileTaker, batch: Any, file: BinaryIO) -> int | None:
        if not claimed.is_set():
            claimed.set()
            await answered.wait()
        return await real(self, batch, file)

    monkeypatch.setattr(FileTaker, "_number", late)
    slow = asyncio.create_task(send(taker, 124))
    await claimed.wait()
    first = await send(taker, 124)
    answered.set()
    again = await slow
    assert isinstance(first, FileTaken)
    assert isinstance(again, FileTaken)
    assert (again.file_id, again.counts, again.repeat) == (first.file_id, first.counts, True)


async def test_operations_set_a_series_right(engine: AsyncEngine, taker: FileTaker) -> None:
    """A sender that began to count anew, or lost a file for good, goes on; its other series are left alone."""
    await send(taker, 124)
    await send(taker, 7, feed="WEEKLY")
    assert refusal(await send(taker, 1, benefit="ESA"))[0] == "DW-008"
    async with engine.begin() as connection:
        (before,) = await series.expect(connection, "dwp", "NIGHTLY", 1)
        assert await series.expect(connection, "dwp", "nothing of theirs", 1) == []
    assert (before.agency, before.last, before.taking) == ("dwp", 124, None)
    assert isinstance(await send(taker, 1, benefit="ESA"), FileTaken)
    async with engine.connect() as connection:
        assert [(one.series, one.last) for one in await series.every(connection)] == [("NIGHTLY", 1), ("WEEKLY", 7)]


async def test_feeds_and_senders_count_for_themselves(taker: FileTaker) -> None:
    """A weekly feed has its own numbers, and so has another sender."""
    await send(taker, 124)
    assert isinstance(await send(taker, 7, feed="WEEKLY"), FileTaken)
    assert isinstance(await send(taker, 3, sender="dwp-north"), FileTaken)
    assert isinstance(await send(taker, 125), FileTaken)


async def test_a_file_that_is_refused_uses_up_no_number(taker: FileTaker) -> None:
    """Mended, it comes under the number it had."""
    await send(taker, 124)
    broken = Spool(io.BytesIO())
    broken.write([written([header(125), detail(), trailer(2, 125)])])
    became = await taker.take(Incoming("dwp", DWP, "text/plain", None, "00-0-0-01"), broken.whole())
    assert refusal(became)[0] == "DW-004"
    assert isinstance(await send(taker, 125), FileTaken)


@pytest.mark.parametrize("point", ["F2", "F3"])
async def test_a_file_that_was_begun_keeps_its_number_until_it_comes_again(taker: FileTaker, point: str) -> None:
    """Some of its rows are taken: another file in its place would be a second answer, and a later one a gap."""
    failpoints.arm(f"{point}:1:raise")
    try:
        with pytest.raises(Crashed):
            await send(taker, 124, details=3)
    finally:
        failpoints.arm(None)
    assert refusal(await send(taker, 124, benefit="ESA")) == (
        "DW-008",
        "124 was begun by another; send that again",
    )
    resumed = await send(taker, 124, details=3)
    assert isinstance(resumed, FileTaken)
    assert resumed.counts["accepted"] == 3
    assert isinstance(await send(taker, 125), FileTaken)
