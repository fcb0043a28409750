"""What the metrics say about how far each stage is behind."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.operations.lag import measure
from gateway.settings import Store
from gateway.store import outbox
from gateway.store.ledger import open_engine
from gateway.store.session import transaction
from tests.support.facts import NOW, entry, journal, reception


@pytest.fixture
async def engine(postgres: str) -> AsyncIterator[AsyncEngine]:
    """An engine on an empty, migrated database."""
    engine = open_engine(Store(dsn=postgres))
    yield engine
    await engine.dispose()


def gauge(name: str, stage: str) -> float | None:
    """What a gauge stands at."""
    return REGISTRY.get_sample_value(name, {"stage": stage})


async def test_each_stage_counts_what_waits_for_it_and_how_long(engine: AsyncEngine) -> None:
    """Committed events wait for the relay, published ones for addressing, settling ones for their time."""
    await journal(engine).commit(
        [entry(reception("one")), entry(reception("two")), entry(reception("three", noms="B1234CD", settles=True))]
    )
    later = NOW + timedelta(seconds=90)
    await measure(engine, later)
    assert (gauge("gateway_in_flight", "relay"), gauge("gateway_lag_seconds", "relay")) == (2, 90)
    assert gauge("gateway_in_flight", "settling") == 1
    async with transaction(engine) as session:
        [first, *_], _ = await outbox.take_out_and_read(session, [], range(16), later, 10)
        await outbox.take_out_and_read(session, [first], range(16), later, 10)
    await measure(engine, later)
    assert (gauge("gateway_in_flight", "relay"), gauge("gateway_in_flight", "addressing")) == (1, 1)
    assert gauge("gateway_lag_seconds", "addressing") == 90
    assert gauge("gateway_in_flight", "delivery") == 0
