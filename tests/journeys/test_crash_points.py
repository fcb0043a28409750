"""Every crash point of every flow: the process dies there, is started again, and nothing is amiss.

A point stands between every two neighbouring side effects (PROMISES.md section 13). Each is reached by real traffic in
a real process, which then dies of SIGKILL; the traffic goes on, the process is started without the failpoint, and the
checker looks at everything that was sent, delivered and kept.
"""

import asyncio
import itertools
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from sqlalchemy import text

from gateway.failpoints import POINTS
from gateway.local.errors import ChildDied
from gateway.settings import Kafka
from tests.checker.workload import SENDER, Message, messages
from tests.journeys.trial import Trial, trial
from tests.support.system import PARTS, Part
from tests.support.zygote import Zygote

pytestmark = [pytest.mark.services, pytest.mark.slow]

VERSIONS = 4
"""Messages of each person."""

IN_FILE, AFTERWARDS, MEANWHILE, MOST = 12, 12, 96, 10_000
"""People in a file; sent after a death; sent while one is stopped; the first of these, beyond all sent before."""

NTH: dict[Part, dict[str, int]] = {
    "intake": {
        **dict.fromkeys(("I1", "I2", "I4", "I5"), 20),
        **dict.fromkeys(("I3", "I6", "R1", "R2", "R3", "R4"), 3),
        "F2": IN_FILE * VERSIONS // 2,
        **dict.fromkeys(("F1", "F3", "F4", "F5"), 1),
        "M1": 2,  # a page may hold fifty notices, and its reader fetches one after the other
        **dict.fromkeys(("M2", "M3", "M4", "A1", "A2", "A3"), 5),
    },
    "dispatch": {
        **dict.fromkeys(("T1", "T2", "T3", "T4", "T5", "D1", "D2", "D7", "D8"), 3),
        **dict.fromkeys(("D3", "D4", "D5", "D6"), 10),
        "T6": 1,
    },
}
"""By process and point: which time it is reached, well into the traffic."""

CASES = [(part, point, nth) for part, points in NTH.items() for point, nth in points.items()]


def test_every_failpoint_is_tried() -> None:
    """No point is named in the gateway and left out here, nor the other way round."""
    assert {point for _, point, _ in CASES} == POINTS


@pytest.mark.parametrize(("part", "point", "nth"), CASES, ids=[point for _, point, _ in CASES])
async def test_a_process_killed_there_loses_and_repeats_nothing(
    part: Part, point: str, nth: int, tmp_path: Path, postgres: str, kafka_settings: Kafka, zygote: Zygote
) -> None:
    """Killed at this point and started again: no anomaly, and the ledgers balance."""
    async with trial(tmp_path, postgres, kafka_settings, zygote=zygote, started=False) as one:
        await _arrange(one, point)
        others = [other for other in PARTS if other != part]
        await asyncio.gather(one.system.start(*others), one.system.start(part, crash=f"{point}:{nth}:kill"))
        over = asyncio.Event()
        sending = asyncio.create_task(_send(one, point, over))
        how = await one.system.died(part)
        over.set()
        assert "SIGKILL" in how, f"{point}: {how}"
        one.note(f"{part} was killed at {point}")
        down = time.monotonic()
        await one.system.start(part)
        up = time.monotonic()
        await sending
        await one.finish()
        print(f"{point}: ready after {up - down:.1f} s, healed after {time.monotonic() - up:.1f} s")


@pytest.mark.parametrize("point", ["I3", "R2", "R3", "T1", "T3", "T4", "D5", "D7", "F2", "F4"])
async def test_a_process_killed_again_while_it_recovers_loses_and_repeats_nothing(
    point: str, tmp_path: Path, postgres: str, kafka_settings: Kafka, zygote: Zygote
) -> None:
    """Killed at this point, and at the same point the first time it comes there again; nobody is put aside for it."""
    part: Part = "intake" if point in NTH["intake"] else "dispatch"
    async with trial(tmp_path, postgres, kafka_settings, zygote=zygote, started=False) as one:
        others = [other for other in PARTS if other != part]
        crash = f"{point}:{NTH[part][point]}:kill"
        await asyncio.gather(one.system.start(*others), one.system.start(part, crash=crash))
        over = asyncio.Event()
        sending = asyncio.create_task(_send(one, point, over))
        for again in (f"{point}:1:kill", None):
            assert "SIGKILL" in await one.system.died(part)
            one.note(f"{part} was killed at {point}")
            with suppress(ChildDied):  # it may come there before it says that it is ready
                await one.system.start(part, crash=again)
        over.set()
        await sending
        await one.finish()


STOPPED = 8.0
"""Seconds a process is stopped for: longer than Kafka waits for a member of its group."""


@pytest.mark.parametrize("point", ["T1", "T3", "T4", "D5", "D7"])
async def test_a_process_stopped_there_and_thought_dead_does_nothing_twice(
    point: str, tmp_path: Path, postgres: str, kafka_settings: Kafka, zygote: Zygote
) -> None:
    """The zombie: stopped at this point while another takes over, and then going on as if nothing had been."""
    nth = NTH["dispatch"][point]
    async with trial(tmp_path, postgres, kafka_settings, zygote=zygote, started=False) as one:
        await asyncio.gather(
            one.system.start("intake", "dispatch-2"), one.system.start("dispatch", crash=f"{point}:{nth}:stop")
        )
        over = asyncio.Event()
        sending = asyncio.create_task(one.send(_people(over, MEANWHILE)))
        await one.system.stopped("dispatch")
        over.set()
        one.note(f"dispatch was stopped at {point}")
        await asyncio.sleep(STOPPED)
        meanwhile = one.effects
        one.system.signal("dispatch", signal.SIGCONT)
        one.note("dispatch goes on")
        await sending
        outcome = await one.finish()
        print(f"{point}: {meanwhile} of {outcome.report.effects} effects before it went on")


async def _arrange(one: Trial, point: str) -> None:
    """Make what a point needs that ordinary traffic does not bring about."""
    match point:
        case "T2":
            await _died_before(one)
        case "T6":
            await _undecodable(one)
        case _:
            pass


async def _died_before(one: Trial) -> None:
    """After a run that did not end cleanly every event is counted before it is worked on."""
    async with one.engine.begin() as connection:
        instance = one.system.settings.dispatch.instance
        row = text("insert into runs (instance, started, clean) values (:instance, now(), false)")
        await connection.execute(row, {"instance": instance})


async def _undecodable(one: Trial) -> None:
    """A record on a canonical topic that no relay of ours wrote."""
    kafka = one.system.settings.kafka
    await one.make_topics()
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap)
    await producer.start()
    try:
        await producer.send_and_wait(
            f"{kafka.prefix}custody.v1", b"not of ours", key=b"x", headers=[("ce_id", b"\xff")]
        )
    finally:
        await producer.stop()


async def _send(one: Trial, point: str, over: asyncio.Event) -> None:
    """Send until it is over, and some more; for the points of the file flow a file beside it."""
    if point.startswith("F"):
        file = [message for person in messages(range(IN_FILE), VERSIONS) for message in person]
        if point in ("F1", "F4", "F5"):
            sent = one.sources.drop_file("file-1.csv", file, one.system.own.drop(SENDER))
        else:
            sent = one.sources.send_file("file-1", file)
        await asyncio.gather(sent, one.send(_people(over)))
    else:
        await one.send(_people(over))


def _people(over: asyncio.Event, then: int = AFTERWARDS) -> Iterator[Sequence[Message]]:
    """People to send messages of: for as long as it is not over, and then so many."""
    before = itertools.takewhile(lambda _: not over.is_set(), itertools.count(IN_FILE))
    for number in before:
        yield from messages(range(number, number + 1), VERSIONS)
    yield from messages(range(MOST, MOST + then), VERSIONS)
