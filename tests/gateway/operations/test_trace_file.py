"""What operations see of a batch file, with the journal on a real PostgreSQL."""

import uuid
from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.operations.trace import read_journey
from gateway.operations.trace_file import SHOWN, FileTraced, read_file
from gateway.settings import Store
from gateway.store.ledger import open_engine
from tests.gateway.intake.test_files import FILES, batch
from tests.support.doors import application, bearer, knocking, real_journal

pytestmark = pytest.mark.services


@pytest.fixture
async def engine(postgres: str) -> AsyncIterator[AsyncEngine]:
    """An engine on an empty, migrated database."""
    engine = open_engine(Store(dsn=postgres))
    yield engine
    await engine.dispose()


async def sent(engine: AsyncEngine, body: bytes) -> uuid.UUID:
    """The id of a file that was sent."""
    async with real_journal(engine) as journal, knocking(application(engine, journal)) as client:
        answer = await client.post(FILES, content=body, headers=bearer() | {"content-type": "text/csv"})
        return uuid.UUID(answer.json()["file"])


async def traced(engine: AsyncEngine, file: uuid.UUID) -> FileTraced:
    """What is told of a file that is there."""
    async with engine.connect() as connection:
        found = await read_file(connection, file)
    assert found is not None
    return found


async def test_a_file_tells_its_rows_and_each_row_can_be_traced_on(engine: AsyncEngine) -> None:
    """Accepted rows with their receipts, refused ones with their rules, and the sums of both."""
    file = await traced(engine, await sent(engine, batch(3, frozenset({2}))))
    assert (file.state, dict(file.counts)) == ("taken", {"refused": 1, "translated": 2})
    assert [(row.row, row.state, row.told) for row in file.rows] == [
        (1, "translated", None),
        (2, "refused", "CU-014"),
        (3, "translated", None),
    ]
    async with engine.connect() as connection:
        for row in file.rows:
            assert (row.receipt is None) == (row.state == "refused")
            if row.receipt is not None:
                assert await read_journey(connection, row.receipt) is not None
    assert file.lines()[1].endswith("1 refused, 2 translated")


async def test_a_long_file_is_not_listed_whole(engine: AsyncEngine) -> None:
    """The first rows, and how many are left."""
    file = await traced(engine, await sent(engine, batch(SHOWN + 5)))
    assert len(file.rows) == SHOWN
    assert file.lines()[-1].startswith("and 5 rows more")


async def test_what_is_no_file_is_none(engine: AsyncEngine) -> None:
    """An id of something else, or of nothing."""
    async with engine.connect() as connection:
        assert await read_file(connection, uuid.uuid4()) is None
