"""Universal Credit's topics: every document is taken once, or kept with its reason, whatever dies in between."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.structs import TopicPartition
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.dwp import build
from gateway import failpoints
from gateway.errors import ConfigurationError, JournalUnavailable, Unwritable
from gateway.intake.entry import Clash, Entry, Taken
from gateway.intake.record import Commits, RecordTaker
from gateway.intake.refusals import Refusals
from gateway.intake.universal_credit.data_keys import KeyService
from gateway.intake.universal_credit.documents import DocumentTaker
from gateway.intake.universal_credit.topics import checked_party, open_keys, topic_readers
from gateway.parties import Parties, Party
from gateway.sealing import BlindIndex, Sealer
from gateway.settings import Store, UniversalCredit
from gateway.store.ledger import open_engine
from tests.support.doors import SECRETS, STILL, FakeJournal, real_journal
from tests.support.universal_credit import Keys, claimant, published

pytestmark = pytest.mark.services
LONGEST = 64 * 1024
WITHIN = 60.0
"""Seconds something may take when the machine is busy."""


@dataclass
class Published:
    """A record as aiokafka gives it."""

    value: bytes | None
    offset: int = 0
    topic: str = "db.core.claimant"
    partition: int = 0
    timestamp: int = 1_770_000_000_000


@pytest.fixture
async def engine(postgres: str) -> AsyncIterator[AsyncEngine]:
    """The store, empty."""
    engine = open_engine(Store(dsn=postgres))
    yield engine
    await engine.dispose()


def taker(engine: AsyncEngine, journal: Commits, keys: KeyService) -> DocumentTaker:
    """What takes documents, for the department."""
    sealer = Sealer(SECRETS.kek)
    records = RecordTaker(journal, Refusals(engine, sealer), BlindIndex(SECRETS.pepper), SECRETS.namespace)
    return DocumentTaker("dwp", build({}), keys, records, engine, sealer, LONGEST, STILL)


def batch(*values: bytes | None) -> list[Published]:
    """Records one after the other."""
    return [Published(value, offset) for offset, value in enumerate(values)]


async def column(engine: AsyncEngine, statement: str) -> list[object]:
    """The first column of what a query gives."""
    async with engine.connect() as connection:
        return [row[0] for row in await connection.execute(text(statement))]


async def quarantined(engine: AsyncEngine) -> list[object]:
    """The reasons of what is in quarantine, in order."""
    return await column(engine, "select reason from quarantine order by source")


# --- Documents -------------------------------------------------------------------------------------------------------


async def test_a_document_is_journalled_in_the_clear_under_its_place(engine: AsyncEngine) -> None:
    """What the journal seals is what the adapter read, so that a rebuild asks no key service."""
    keys, journal = Keys(), FakeJournal()
    await taker(engine, journal, keys).take(batch(published(keys, claimant("c-1"))))
    (entry,) = journal.entries
    assert (entry.sender, entry.agency, entry.media_type) == ("dwp", "dwp", "application/json")
    assert b"Quennell" in entry.body
    assert b"encryptedEncryptionKey" not in entry.body


async def test_the_same_record_again_has_one_effect(engine: AsyncEngine) -> None:
    """Its place is its message id; the same document at another place is another message."""
    keys, journal = Keys(), FakeJournal()
    value = published(keys, claimant("c-1"))
    for _ in range(2):
        await taker(engine, journal, keys).take(batch(value))
    await taker(engine, journal, keys).take([Published(value, 7)])
    assert len(journal.entries) == 2


async def test_what_cannot_be_read_is_kept_and_its_neighbours_flow(engine: AsyncEngine) -> None:
    """Each with its reason, its owner and its bytes, once however often it comes."""
    keys, journal = Keys(), FakeJournal()
    good = published(keys, claimant("c-1"))
    sealed = published(Keys(), claimant("c-2"))
    broken = published(keys, claimant("c-3"))
    for name in keys.known:
        last = name
    keys.known[last] = bytes(16)
    records = batch(good, b"no json", sealed, None, broken, b"x" * (LONGEST + 1), published(keys, claimant("c-4")))
    for _ in range(2):
        await taker(engine, journal, keys).take(records)
    assert await quarantined(engine) == ["undecodable", "key_refused", "undecodable", "undecryptable", "too_large"]
    assert set(await column(engine, "select owner from quarantine")) == {"operations"}
    assert await column(engine, "select count(*) from bodies b join quarantine q on q.id = b.record_id") == [5]
    assert len(journal.entries) == 2


async def test_what_was_in_quarantine_is_taken_after_a_fix(engine: AsyncEngine) -> None:
    """Its key is known at last, and somebody set the offset back: it is taken, and waits for nobody any more."""
    keys, journal = Keys(), FakeJournal()
    records = batch(published(keys, claimant("c-1")), b"no json")
    known, keys.known = keys.known, {}
    await taker(engine, journal, keys).take(records)
    assert await quarantined(engine) == ["key_refused", "undecodable"]
    keys.known = known
    await taker(engine, journal, keys).take(records)
    assert len(journal.entries) == 1
    assert await column(engine, "select reason from quarantine where released is null") == ["undecodable"]


async def test_a_refused_document_is_kept_as_a_refusal(engine: AsyncEngine) -> None:
    """As at the door: nobody is there to be told, but what came can be shown."""
    keys, journal = Keys(), FakeJournal()
    await taker(engine, journal, keys).take(batch(published(keys, claimant("c-1", createdDateTime="yesterday"))))
    assert journal.entries == []
    assert await column(engine, "select findings -> 0 ->> 'rule' from refusals") == ["DW-023"]


@pytest.mark.parametrize("fault", [ZeroDivisionError(), Unwritable("this one never")], ids=["reader", "journal"])
async def test_a_document_that_breaks_something_stops_nobody(engine: AsyncEngine, fault: Exception) -> None:
    """A fault of ours is kept as poison, and is not tried without end."""

    class Breaking(FakeJournal):
        async def take(self, entry: Entry) -> Taken | Clash:
            if b"c-2" in entry.body:
                raise fault
            return await super().take(entry)

    keys, journal = Keys(), Breaking()
    values = [published(keys, claimant(citizen)) for citizen in ("c-1", "c-2", "c-3")]
    await taker(engine, journal, keys).take(batch(*values))
    assert await quarantined(engine) == ["poison"]
    assert len(journal.entries) == 2


async def test_documents_wait_while_the_key_service_or_the_journal_is_away(engine: AsyncEngine) -> None:
    """Nothing goes into quarantine for that, and what was taken meanwhile is not taken again."""

    class Away(FakeJournal):
        tries = 0

        async def take(self, entry: Entry) -> Taken | Clash:
            self.tries += 1
            if self.tries == 2:
                raise JournalUnavailable("just now")
            return await super().take(entry)

    keys, journal = Keys(), Away()
    values = [published(keys, claimant(f"c-{number}")) for number in range(3)]
    keys.away = 1
    await taker(engine, journal, keys).take(batch(*values))
    assert len(journal.entries) == 3
    assert journal.tries == 4
    assert await quarantined(engine) == []


# --- Topics ----------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def topics(kafka: str, names: Sequence[str]) -> AsyncIterator[Callable[..., Awaitable[None]]]:
    """Topics of theirs, and a way to publish on them."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic(name, 1, 1) for name in names])
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all")
    await producer.start()

    async def publish(topic: str, *values: bytes) -> None:
        for value in values:
            await producer.send_and_wait(topic, value, key=b"k")

    try:
        yield publish
    finally:
        await producer.stop()


@asynccontextmanager
async def reading(settings: UniversalCredit, documents: DocumentTaker) -> AsyncIterator[None]:
    """Every topic is read meanwhile."""
    tasks = [asyncio.create_task(reader.run()) for reader in topic_readers(settings, documents)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(condition: Callable[[], object]) -> None:
    """Wait until this holds."""
    async with asyncio.timeout(WITHIN):
        while True:
            told = condition()
            if await told if asyncio.iscoroutine(told) else told:
                return
            await asyncio.sleep(0.05)


async def committed(settings: UniversalCredit, topic: str) -> int | None:
    """The offset the topic's group has committed."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.bootstrap, group_id=f"{settings.group}.{topic}", enable_auto_commit=False
    )
    partition = TopicPartition(topic, 0)
    consumer.assign([partition])
    await consumer.start()
    try:
        offset: int | None = await consumer.committed(partition)
        return offset
    finally:
        await consumer.stop()


def their(kafka: str, *names: str) -> UniversalCredit:
    """Settings for topics nobody else has."""
    run = uuid.uuid4().hex[:8]
    return UniversalCredit(bootstrap=kafka, topics=tuple(f"{run}.{name}" for name in names), group=run)


@pytest.mark.parametrize(("point", "offset"), [("I6", None), ("F3", None), ("F4", None), ("F5", 1)])
async def test_a_process_killed_around_its_offset_has_one_effect(
    kafka: str, engine: AsyncEngine, point: str, offset: int | None
) -> None:
    """It dies between the journal's commit and the offset's: the record comes again, and is known. Or just after."""
    settings, keys = their(kafka, "db.core.claimant"), Keys()
    (topic,) = settings.topics
    async with topics(kafka, settings.topics) as publish:
        await publish(topic, published(keys, claimant("c-1")))
        with suppress(failpoints.Crashed):
            async with real_journal(engine) as journal:
                failpoints.arm(f"{point}:1:raise")
                async with reading(settings, taker(engine, journal, keys)):
                    await until(lambda: not failpoints.armed(point))
                    await until(lambda: _records(engine, 1))
        failpoints.arm(None)
        assert await committed(settings, topic) == offset
        async with real_journal(engine) as journal, reading(settings, taker(engine, journal, keys)):
            await publish(topic, published(keys, claimant("c-2")))
            await until(lambda: _records(engine, 2))
            await until(lambda: _committed(settings, topic, 2))
    assert await column(engine, "select count(*) from events") == [2]


async def _records(engine: AsyncEngine, count: int) -> bool:
    return await column(engine, "select count(*) from records") == [count]


async def _committed(settings: UniversalCredit, topic: str, offset: int) -> bool:
    return await committed(settings, topic) == offset


async def test_a_poisoned_topic_does_not_stop_the_others(kafka: str, engine: AsyncEngine) -> None:
    """One topic holds nothing that can be read, another's keys never come; the third flows on."""

    class OneAway(Keys):
        async def data_key(self, key_id: str, sealed: str) -> bytes:
            if key_id == "away":
                self.away = 1
            return await super().data_key(key_id, sealed)

    settings, keys = their(kafka, "claimant", "contract", "statement"), OneAway()
    poisoned, away, flowing = settings.topics
    message = published(keys, claimant("c-9")).replace(b"cloudhsm:7,14", b"away")
    async with topics(kafka, settings.topics) as publish:
        await publish(poisoned, *[b"\xff poison"] * 5)
        await publish(away, message)
        async with real_journal(engine) as journal, reading(settings, taker(engine, journal, keys)):
            await publish(flowing, *(published(keys, claimant(f"c-{number}")) for number in range(5)))
            await until(lambda: _records(engine, 5))
            await until(lambda: _committed(settings, flowing, 5))
            await until(lambda: _committed(settings, poisoned, 5))
            assert await committed(settings, away) is None
    assert await quarantined(engine) == ["undecodable"] * 5


# --- Settings --------------------------------------------------------------------------------------------------------


def test_documents_are_taken_for_a_party_of_the_department() -> None:
    """Another party, or none, stops the start."""
    parties = Parties((Party(id="dwp", name="DWP", agency="dwp"), Party(id="hmpps", name="HMPPS", agency="prison")))
    assert checked_party(UniversalCredit(), parties) == "dwp"
    for party in ("hmpps", "nobody"):
        with pytest.raises(ConfigurationError, match="agency dwp"):
            checked_party(UniversalCredit(party=party), parties)


def test_one_thing_opens_data_keys() -> None:
    """None, or two, stop the start; a certificate that is not there does too."""
    with pytest.raises(ConfigurationError, match="one thing"):
        open_keys(UniversalCredit())
    with pytest.raises(ConfigurationError, match="certificates"):
        open_keys(UniversalCredit(key_service="https://dks.test", ca="nowhere.pem"))
    for address in ("http://dks.test", "dks.test", "https://dks.test:port"):
        with pytest.raises(ConfigurationError, match="over https"):
            open_keys(UniversalCredit(key_service=address))
