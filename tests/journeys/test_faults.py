"""Faults in the middle of traffic: after each nothing is lost, nothing happens twice, and order is kept.

Each test prints its number, and ends with the checker and the ledgers.
"""

import asyncio
import itertools
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.app import open_redrive
from gateway.local import kafka as local_kafka
from gateway.local.kafka import EmbeddedKafka
from gateway.operations.rebuild import rebuild
from gateway.operations.redrive import Result
from gateway.settings import Kafka
from gateway.store import quarantine
from gateway.store.quarantine import Quarantined
from tests.checker.check import Anomaly
from tests.checker.history import Effect
from tests.checker.workload import message, messages
from tests.journeys.trial import Trial, trial
from tests.support.system import PARTS, Part
from tests.support.zygote import Zygote

pytestmark = [pytest.mark.services, pytest.mark.slow]

KILLS = 10
"""Of each process."""


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[EmbeddedKafka]:
    """A Kafka that may be killed and wiped."""
    with local_kafka.start(tmp_path / "kafka") as cluster:
        yield cluster


@pytest.fixture
def own_kafka_settings(own_kafka: EmbeddedKafka) -> Kafka:
    """Where that Kafka is."""
    return Kafka(bootstrap=own_kafka.bootstrap, partitions=3)


async def test_each_process_killed_ten_times_in_the_middle_of_5000_messages(
    tmp_path: Path, postgres: str, kafka_settings: Kafka, zygote: Zygote
) -> None:
    """Twenty kills -9 spread over 5,000 messages that flow all the while."""
    people, versions = 1250, 4
    total = people * versions
    async with trial(tmp_path, postgres, kafka_settings, zygote=zygote, connections=16) as one:
        sending = asyncio.create_task(one.send(messages(range(people), versions)))
        kills: dict[Part, list[int]] = {part: [] for part in PARTS}
        downtime = []
        for number, part in enumerate(itertools.islice(itertools.cycle(PARTS), KILLS * len(PARTS)), 1):
            await one.sources.reached(number * total // (KILLS * len(PARTS) + 2))
            assert await one.open() > 0, f"nothing was in flight at kill {number}"
            one.system.kill(part)
            one.note(f"{part} was killed")
            kills[part].append(one.sources.taken)
            began = time.monotonic()
            await one.system.start(part)
            downtime.append(time.monotonic() - began)
        assert not sending.done(), "the last kill came after the traffic"
        await sending
        began = time.monotonic()
        outcome = await one.finish()
    assert outcome.report.messages == total
    assert {part: len(at) for part, at in kills.items()} == dict.fromkeys(PARTS, KILLS)
    print(
        f"kills {sum(map(len, kills.values()))} of {total} messages, slowest start {max(downtime):.1f} s,"
        f" healed {time.monotonic() - began:.1f} s after the last message"
    )


async def test_kafka_killed_and_restarted_during_traffic(
    tmp_path: Path, postgres: str, own_kafka: EmbeddedKafka, own_kafka_settings: Kafka, zygote: Zygote
) -> None:
    """While Kafka is away intake goes on, and starts again if it ends; the backlog drains in order afterwards."""
    async with trial(tmp_path, postgres, own_kafka_settings, zygote=zygote) as one:
        sending = asyncio.create_task(one.send(messages(range(400), 3)))
        await one.sources.reached(200)
        own_kafka.kill()
        one.note("Kafka was killed")
        at_kill = one.sources.taken
        await one.sources.reached(at_kill + 150)
        one.system.kill("intake")
        one.note("intake was killed")
        await one.system.start("intake")
        await one.sources.reached(at_kill + 300)
        backlog = await one.open()
        await asyncio.to_thread(own_kafka.restart)
        one.note("Kafka is back")
        began = time.monotonic()
        await sending
        await one.finish()
    assert backlog >= 250
    print(f"taken while Kafka was away 300, drained {time.monotonic() - began:.1f} s after it was back")


async def test_kafka_wiped_and_rebuilt_during_traffic(
    tmp_path: Path, postgres: str, own_kafka: EmbeddedKafka, own_kafka_settings: Kafka, zygote: Zygote
) -> None:
    """Kafka loses everything it had, committed offsets included; the journal makes it good."""
    async with trial(tmp_path, postgres, own_kafka_settings, zygote=zygote) as one:
        sending = asyncio.create_task(one.send(messages(range(400), 3)))
        await one.sources.reached(500)
        await asyncio.to_thread(own_kafka.wipe)
        one.note("Kafka was wiped")
        again = await rebuild(one.engine, own_kafka_settings, one.system.parties, datetime.now(UTC), everything=False)
        one.note("Kafka was rebuilt")
        began = time.monotonic()
        await sending
        await one.finish()
    print(f"published again {again}, healed {time.monotonic() - began:.1f} s after the rebuild")


async def test_everything_published_again_has_no_second_effect(
    tmp_path: Path, postgres: str, own_kafka: EmbeddedKafka, own_kafka_settings: Kafka, zygote: Zygote
) -> None:
    """After a wipe the whole history may be put back on the topics: every event is known by its id."""
    async with trial(tmp_path, postgres, own_kafka_settings, zygote=zygote) as one:
        await one.send(messages(range(100), 3))
        await one.healed()
        await asyncio.to_thread(own_kafka.wipe)
        one.note("Kafka was wiped")
        again = await rebuild(one.engine, own_kafka_settings, one.system.parties, datetime.now(UTC), everything=True)
        await one.send(messages(range(100, 200), 3))
        await one.finish()
    assert again == 300
    print(f"published again {again}, effects of them 0")


async def test_a_recipient_dead_for_the_whole_run(
    tmp_path: Path, postgres: str, kafka_settings: Kafka, zygote: Zygote
) -> None:
    """Nobody else waits for it; what it is owed is queued, and comes in order once it is back."""
    dead = "lasars-wigan"
    async with trial(tmp_path, postgres, kafka_settings, zygote=zygote) as one:
        one.recipients.all[dead].answer = 0
        one.note(f"{dead} is dead")
        await one.send(messages(range(200), 3))
        began = time.monotonic()
        outcome = await one.finish(away={dead})
        others = time.monotonic() - began
        owed = {sent.id for person in messages(range(200), 3) for sent in person if dead in sent.owed}
        async with one.engine.connect() as connection:
            queued = text("select count(*) from deliveries where recipient = :dead and state = 'queued'")
            waiting = (await connection.execute(queued, {"dead": dead})).scalar_one()
        assert waiting == len(owed) > 75
        assert not [step for step in one.history.steps if isinstance(step, Effect) and step.recipient == dead]
        one.recipients.all[dead].answer = 204
        one.note(f"{dead} is back")
        await one.finish()
    print(f"{outcome.report.effects} effects elsewhere {others:.1f} s after the last message, {waiting} queued for it")


async def test_a_message_sent_twice_has_one_effect(
    tmp_path: Path, postgres: str, kafka_settings: Kafka, zygote: Zygote
) -> None:
    """One in twenty comes twice, half of these at the same instant: one receipt, one record, one effect."""
    async with trial(tmp_path, postgres, kafka_settings, zygote=zygote) as one:
        await one.send(messages(range(250), 4))
        await one.finish()
        async with one.engine.connect() as connection:
            records = (await connection.execute(text("select count(*) from records"))).scalar_one()
    assert one.sources.repeated >= 30
    assert records == 1000
    print(f"sent twice {one.sources.repeated} of 1000, records {records}")


async def test_a_record_that_cannot_be_addressed_is_parked_alone(
    tmp_path: Path, postgres: str, kafka_settings: Kafka, zygote: Zygote
) -> None:
    """Whatever it provokes, it is tried three times and kept; its neighbours flow, and after the repair it goes."""
    async with trial(tmp_path, postgres, kafka_settings, zygote=zygote, started=False) as one:
        await one.system.start("intake")
        receipt = await _sent_alone(one)
        await _break_addressing(one, receipt)
        others = asyncio.create_task(one.send(messages(range(8, 200), 2)))
        await one.sources.reached(100)
        await one.system.start("dispatch")
        await others
        await one.healed()
        (kept,) = await _quarantined(one)
        assert (kept.reason, kept.attempts) == ("poison", 3)
        outcome = await one.outcome()
        stuck = outcome.report.found[Anomaly.STUCK]
        assert outcome.report.anomalies == len(stuck) == 1 + (len(message(7, 1).owed) > 1)
        assert outcome.unaccounted == 0
        await _mend_addressing(one)
        async with open_redrive(one.system.settings) as redrive:
            assert await redrive.run([kept.id], datetime.now(UTC)) == {kept.id: Result.DONE}
        one.note("redriven")
        await one.finish()
    print(f"parked 1 after {kept.attempts} tries, neighbours {outcome.report.effects}, redriven 1")


async def test_a_record_that_cannot_be_opened_is_kept_and_driven_again(
    tmp_path: Path, postgres: str, kafka_settings: Kafka, zygote: Zygote
) -> None:
    """A sealed body that was damaged before it was published: kept with its reason; once restored it goes."""
    async with trial(tmp_path, postgres, kafka_settings, zygote=zygote, started=False) as one:
        async with one.engine.connect() as relay_locks:
            # While somebody else holds the shards no relay publishes, so there is time to damage a body.
            await relay_locks.execute(text("select pg_advisory_lock(7130003, s) from generate_series(0, 15) as s"))
            await one.system.start()
            receipt = await _sent_alone(one)
            event, sound = await _damage(one, receipt)
            await relay_locks.invalidate()
        await one.send(messages(range(8, 100), 2))
        await one.healed()
        (kept,) = await _quarantined(one)
        assert (kept.reason, kept.event_id) == ("unreadable", event)
        async with one.engine.begin() as connection:
            await _write(connection, event, sound)
        one.note("the body was restored")
        async with open_redrive(one.system.settings) as redrive:
            assert await redrive.run([kept.id], datetime.now(UTC)) == {kept.id: Result.DONE}
        outcome = await one.finish()
    print(f"quarantined 1, neighbours flowed, redriven 1; {outcome.report.effects} effects")


async def test_a_record_that_kills_the_process_is_parked_too(
    tmp_path: Path, postgres: str, kafka_settings: Kafka, zygote: Zygote
) -> None:
    """Its tries are counted before the work: after three deaths it is kept, and its neighbours flow."""
    deaths = 0
    async with trial(tmp_path, postgres, kafka_settings, zygote=zygote, started=False) as one:
        await one.system.start("intake")
        await _sent_alone(one)
        while not await _quarantined(one):
            await one.system.start("dispatch", crash="T3:1:kill")
            assert deaths < 4, "it goes on killing"
            ended = asyncio.create_task(one.system.died("dispatch"))
            parked = asyncio.create_task(_until_quarantined(one))
            await asyncio.wait([ended, parked], return_when=asyncio.FIRST_COMPLETED)
            deaths += ended.done()
            for task in (ended, parked):
                task.cancel()
        one.system.end_part("dispatch")
        await one.system.start("dispatch")
        await one.send(messages(range(8, 100), 2))
        await one.healed()
        (kept,) = await _quarantined(one)
        async with open_redrive(one.system.settings) as redrive:
            assert await redrive.run([kept.id], datetime.now(UTC)) == {kept.id: Result.DONE}
        await one.finish()
    assert kept.reason == "poison"
    assert deaths == 3
    print(f"deaths until it was parked {deaths}")


async def _sent_alone(one: Trial) -> uuid.UUID:
    """Send the one message of person 7; its receipt."""
    await one.send([[message(7, 1)]])
    async with one.engine.connect() as connection:
        receipt: uuid.UUID = (await connection.execute(text("select id from records"))).scalar_one()
    return receipt


async def _break_addressing(one: Trial, receipt: uuid.UUID) -> None:
    """Let every attempt to make deliveries of this record fail, as a fault in our own code would."""
    async with one.engine.begin() as connection:
        await connection.execute(
            text(
                f"""
                create function planted() returns trigger language plpgsql as $$
                begin
                    if new.record_id = '{receipt}' then raise exception 'planted'; end if;
                    return new;
                end $$
                """
            )
        )
        await connection.execute(
            text("create trigger planted before insert on deliveries for each row execute function planted()")
        )
    one.note("a fault was planted")


async def _mend_addressing(one: Trial) -> None:
    async with one.engine.begin() as connection:
        await connection.execute(text("drop trigger planted on deliveries"))
    one.note("the fault was mended")


async def _damage(one: Trial, receipt: uuid.UUID) -> tuple[uuid.UUID, bytes]:
    """Change a byte of the event's sealed body; the event, and the body as it was."""
    async with one.engine.begin() as connection:
        find = text("select b.id, b.sealed from bodies b join events e on e.id = b.id where e.record_id = :receipt")
        event, sound = (await connection.execute(find, {"receipt": receipt})).one()
        await _write(connection, event, sound[:40] + bytes([sound[40] ^ 1]) + sound[41:])
    one.note("a body was damaged")
    return event, sound


async def _write(connection: AsyncConnection, body: uuid.UUID, sealed: bytes) -> None:
    await connection.execute(text("update bodies set sealed = :sealed where id = :id"), {"sealed": sealed, "id": body})


async def _quarantined(one: Trial) -> list[Quarantined]:
    async with one.engine.connect() as connection:
        return await quarantine.waiting(connection, 10)


async def _until_quarantined(one: Trial) -> None:
    while not await _quarantined(one):
        await asyncio.sleep(0.05)
