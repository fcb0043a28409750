"""Between every two neighbouring side effects of every flow there is a failpoint (PROMISES.md section 13).

The real processes write down what they do while records, files and answers pass through them, and are read afterwards.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from itertools import chain, dropwhile
from pathlib import Path

import aiohttp
import pytest

from gateway.failpoints import POINTS
from gateway.local import custody_papers as papers
from gateway.local.agency import Sender
from gateway.settings import Kafka
from tests.checker.neighbours import gaps
from tests.checker.workload import SENDER, message, messages
from tests.journeys.trial import trial
from tests.support.system import PARTS
from tests.support.traced import Done, read
from tests.support.zygote import Zygote

pytestmark = [pytest.mark.services, pytest.mark.slow]

EFFECTS = frozenset(
    {
        *("commit records", "commit refusals", "commit files", "produce", "commit outbox", "answer"),
        *("folder claim", "folder lay", "folder settle"),
        *("commit persons", "commit offsets", "request", "commit queued", "commit deliveries", "commit receipts"),
    }
)
"""What the flows do to others, by the first table a transaction changes; named here so that none goes unseen."""

OTHERWISE = frozenset({"T2", "T6"})
"""Points ordinary traffic does not come past: after a run that died, and for what cannot be decoded."""


async def test_no_two_side_effects_are_neighbours(
    tmp_path: Path, postgres: str, kafka_settings: Kafka, zygote: Zygote
) -> None:
    """Records, a file at the door, a file in a folder, pushes, mailboxes, answers: a process can be killed anywhere."""
    async with trial(tmp_path, postgres, kafka_settings, zygote=zygote, started=False) as one:
        await one.system.start(traces=tmp_path)
        await one.send(messages(range(6), 3))
        async with aiohttp.ClientSession() as session:
            await _refused(Sender(session, one.system.url, SENDER, one.system.own.key(SENDER)))
        posted, dropped = (
            [sent for who in messages(people, 3) for sent in who] for people in (range(6, 9), range(9, 12))
        )
        await asyncio.gather(
            one.sources.send_file("file-1", posted),
            one.sources.drop_file("file-2.csv", dropped, one.system.own.drop(SENDER)),
        )
        await one.finish()
        await one.system.stop("intake")
        await one.system.stop("dispatch")
    done = {part: list(_of_flows(read(tmp_path / f"{part}.trace"))) for part in PARTS}
    seen = Counter(step.what for step in chain.from_iterable(done.values()))
    for what, times in sorted(seen.items()):
        print(f"{times:6} {what}")
    found = Counter(pair for part in PARTS for pair in gaps(done[part]))
    assert not found
    assert seen.keys() >= EFFECTS
    assert {step for step in seen if step in POINTS} == POINTS - OTHERWISE


async def _refused(sender: Sender) -> None:
    """A record that is refused, and a file with rows that are, many enough for two batches."""
    row = message(0, 1).row | {"date_of_birth": "unknown"}
    for door, body, media_type, status in (
        ("records", b"<a/>", papers.XML, 422),
        ("files", papers.table([row] * 300), papers.CSV, 202),
    ):
        told = await sender.send(f"/v1/feeds/police_custody/{door}", body, {"content-type": media_type})
        assert told[0] == status, told


def _of_flows(done: Iterator[Done]) -> Iterator[Done]:
    """What belongs to a flow: from the first point on, since what a process does before it takes anything is none.

    Nor is signing in: whoever gets no token after the assertion was used up signs in with another.
    """
    return (step for step in dropwhile(lambda step: not step.point, done) if step.what != "commit assertions")


@pytest.mark.parametrize("point", [True, False])
def test_a_gap_is_seen(point: bool) -> None:
    """Two effects of one task with nothing between, whatever another task did meanwhile; and none with a point."""
    steps = [Done("1", False, "commit records"), Done("2", point, "I4"), Done("1", False, "request")]
    assert list(gaps(steps)) == [("commit records", "request")]
    separated = [steps[0], Done("1", True, "D4"), steps[2]]
    assert list(gaps(separated)) == []
    assert list(gaps([Done("1", False, "produce")] * 3)) == []
