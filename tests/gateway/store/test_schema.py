"""The schema a start finds, on a real PostgreSQL."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.clock import system_clock
from gateway.errors import ConfigurationError
from gateway.operations.doctor import examine
from gateway.settings import Settings, Store
from gateway.store.ledger import open_engine
from gateway.store.schema import MIGRATIONS, made_otherwise, migrate
from tests.support import versions

pytestmark = pytest.mark.services


@pytest.fixture
async def engine(bare_postgres: str) -> AsyncIterator[AsyncEngine]:
    """An engine on a database without any table."""
    engine = open_engine(Store(dsn=bare_postgres))
    yield engine
    await engine.dispose()


async def test_what_this_version_made_is_taken_at_every_start(engine: AsyncEngine) -> None:
    """An empty database is filled, and found again as often as it is started on."""
    assert not await made_otherwise(engine)
    for _ in range(2):
        await migrate(engine)
        assert not await made_otherwise(engine)


async def test_what_an_older_one_made_under_the_same_revision_is_refused(engine: AsyncEngine, tmp_path: Path) -> None:
    """The revision is the same and the tables are not: the start says so and what to do, before it writes."""
    older = versions.older(tmp_path)
    await migrate(engine, older)
    assert await made_otherwise(engine)
    with pytest.raises(ConfigurationError, match="made by another version of the gateway") as refused:
        await migrate(engine)
    assert "GATEWAY_STORE__DSN" in refused.value.fix
    await migrate(engine, older)  # to which nothing has happened


async def test_what_carries_no_digest_is_refused(engine: AsyncEngine) -> None:
    """Who made tables without saying what of is not this version."""
    await migrate(engine)
    async with engine.begin() as connection:
        await connection.execute(text("comment on table alembic_version is null"))
    with pytest.raises(ConfigurationError, match="made by another version of the gateway"):
        await migrate(engine)


async def test_a_newer_version_takes_over_and_the_older_stays_out(engine: AsyncEngine, tmp_path: Path) -> None:
    """A release that adds a migration goes on with what this one left, and this one does not go on with that."""
    newer = versions.newer(tmp_path)
    await migrate(engine)
    for _ in range(2):
        await migrate(engine, newer)
    assert await made_otherwise(engine)
    with pytest.raises(ConfigurationError, match="made by another version of the gateway"):
        await migrate(engine)


@pytest.mark.parametrize(("others", "well"), [(False, True), (True, False)])
async def test_doctor_says_whose_tables_they_are(
    engine: AsyncEngine, bare_postgres: str, others: bool, well: bool, tmp_path: Path
) -> None:
    """Whoever asks what is wrong is told that the tables are another version's, and nothing where they are ours."""
    await migrate(engine, versions.older(tmp_path) if others else MIGRATIONS)
    settings = Settings(store=Store(dsn=bare_postgres), keys=tmp_path / "keys", parties=tmp_path / "parties.toml")
    (found,) = [one async for one in examine(settings, system_clock, tmp_path) if one.name == "postgresql"]
    assert (found.well, "another version" in found.told, bool(found.fix)) == (well, others, others)
