"""What comes in is counted by the channel it came by, with what became of it."""

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import REGISTRY
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway import app
from gateway.errors import JournalUnavailable
from gateway.intake.parcel import ParcelTaker
from gateway.intake.record import RecordTaker
from gateway.settings import Settings, Store
from gateway.store.ledger import open_engine
from tests.gateway.intake import test_bars as bars
from tests.gateway.intake.test_files import FILES, batch
from tests.gateway.intake.test_take import BAD, GOOD, Street
from tests.support.doors import FakeJournal, application, bearer, knocking, real_journal


def counted(channel: str, fate: str) -> float:
    """How often that has been counted in this process."""
    told = {"channel": channel, "fate": fate}
    return REGISTRY.get_sample_value("gateway_messages_received_total", told) or 0.0


async def test_records_are_counted_by_their_fate() -> None:
    """Taken, taken before, refused, and another body under a used id."""
    fates = ("committed", "repeated", "refused", "clashed")
    before = [counted("http", fate) for fate in fates]
    street = Street()
    for body, message_id in ((GOOD, "m-1"), (GOOD, "m-1"), (BAD, "m-2"), (GOOD.replace(b"<", b" <", 1), "m-1")):
        await street.send(body, idempotency_key=message_id)
    assert [counted("http", fate) - was for fate, was in zip(fates, before, strict=True)] == [1, 1, 1, 1]


async def test_what_cannot_be_taken_now_is_counted_too() -> None:
    """While the journal cannot commit: how much comes again and again."""
    before = counted("http", "not_now"), counted("http", "committed")
    street = Street()
    street.journal.fails = JournalUnavailable("not now")
    for _ in range(3):
        await street.send(GOOD)
    street.journal.fails = None
    await street.send(GOOD)
    after = counted("http", "not_now"), counted("http", "committed")
    assert [now - was for now, was in zip(after, before, strict=True)] == [3, 1]


@pytest.fixture
async def engine(postgres: str) -> AsyncIterator[AsyncEngine]:
    """An engine on an empty, migrated database."""
    engine = open_engine(Store(dsn=postgres))
    yield engine
    await engine.dispose()


@pytest.mark.services
async def test_files_are_counted_by_their_fate(engine: AsyncEngine) -> None:
    """As records are: a file is one message, whatever its rows become."""
    fates = ("committed", "repeated", "refused", "clashed")
    before = [counted("http", fate) for fate in fates]
    files = ((batch(2), "f-1"), (batch(2), "f-1"), (batch(2, counted=3), "f-2"), (batch(3), "f-1"))
    async with real_journal(engine) as journal, knocking(application(engine, journal)) as client:
        for body, message_id in files:
            headers = bearer() | {"content-type": "text/csv", "idempotency-key": message_id}
            await client.post(FILES, content=body, headers=headers)
    assert [counted("http", fate) - was for fate, was in zip(fates, before, strict=True)] == [1, 1, 1, 1]


@pytest.mark.services
async def test_referrals_are_counted_as_such(engine: AsyncEngine) -> None:
    """One that stands in the way of another is refused, and counted as that."""
    before = counted("bars", "committed"), counted("bars", "refused"), counted("http", "committed")
    door = application(engine, FakeJournal(), adapters=bars.ADAPTERS)
    async with knocking(door) as client:
        assert (await client.post(bars.DOOR, content=bars.NEW, headers=bars.headers())).status_code == 200
        told = await client.post(bars.DOOR, content=bars.UPDATED, headers=bars.headers())
        assert told.status_code == 404, "the journal of this door keeps nothing that could be updated"
    after = counted("bars", "committed"), counted("bars", "refused"), counted("http", "committed")
    assert [now - was for now, was in zip(after, before, strict=True)] == [1, 1, 0]


async def test_each_other_channel_counts_as_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder, a port, a mailbox and topics are told apart, whatever they share."""
    made: dict[str, RecordTaker | ParcelTaker] = {}

    def keep(channel: str) -> Any:
        def make(*told: Any) -> Any:
            (made[channel],) = (one for one in told if isinstance(one, RecordTaker | ParcelTaker))
            return SimpleNamespace(run=None)

        return make

    for channel, name in (("drop", "DropWatch"), ("mllp", "MllpListener"), ("mesh", "MeshPoll")):
        monkeypatch.setattr(app, name, keep(channel))
    monkeypatch.setattr(app, "DocumentTaker", keep("universal_credit"))
    for name in ("keep_going", "open_client", "routes_of", "feed_of", "checked_party", "open_keys"):
        monkeypatch.setattr(app, name, lambda *_: None)
    monkeypatch.setattr(app, "topic_readers", lambda *_: ())
    settings = Settings.model_validate(
        {"mesh": {"url": "https://mesh.example"}, "universal_credit": {"bootstrap": "k"}}
    )
    party = SimpleNamespace(drop=True, mllp=True)
    own: Any = SimpleNamespace(
        settings=settings,
        parties=SimpleNamespace(all=[party]),
        secrets=SimpleNamespace(namespace=None),
        **dict.fromkeys(("sealer", "index", "clock")),
    )
    everything: Any = {"dwp": None}
    list(app._channels(own, everything, FakeJournal(), None, None))  # type: ignore[arg-type]
    channels = {
        channel: {taker.records.channel, taker.files.channel} if isinstance(taker, ParcelTaker) else {taker.channel}
        for channel, taker in made.items()
    }
    assert channels == {channel: {channel} for channel in ("drop", "mllp", "mesh", "universal_credit")}
