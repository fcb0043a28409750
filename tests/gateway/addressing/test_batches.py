"""A batch decides as its events would one by one; and two batches at once as if one had come after the other."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.addressing.address import Arrived
from gateway.operations.reconcile import reconcile
from schemas.base import Event, Retraction
from tests.support.addressing import (
    NOW,
    POSTCODE,
    Feed,
    decide,
    deliveries,
    drug_test,
    event,
    journal,
    person,
    rows,
    send,
)
from tests.support.deliveries import engine_of

pytestmark = pytest.mark.services

TABLES = (
    *("decisions", "persons", "person_keys", "evidence", "placements", "responsibilities", "participants", "cases"),
    *("deliveries", "queued", "holds", "mailboxes", "bodies", "data_keys", "undecided", "events", "records"),
)
COMPARED = {
    "decisions": "select event_id, number, state, reason, person_id, case_id, deliveries, holds, why from decisions",
    "persons": "select id, provisional from persons",
    "keys": "select key, person_id, rule, event_id from person_keys",
    "evidence": "select id, person_id, kind, authority, flags, withdrawn from evidence",
    "placements": "select person_id, role, number, area, basis, confidence, event_id from placements",
    "cases": "select id, person_id, opened_by from cases",
    "participants": "select case_id, number, role, area, until is null as present from participants",
    "responsibilities": "select case_id, number, area, event_id from responsibilities",
    "holds": "select event_id, decision, role, person_id, reason, outcome from holds",
    "queued": "select recipient, position, person_id from queued",
    "deliveries": "select id, recipient, position, person_id, event_id, role, change, decision, reason from deliveries",
}
"""All that two ways of deciding must agree in: everything but times and ciphertext."""


@pytest.fixture
async def engine(postgres: str) -> AsyncIterator[AsyncEngine]:
    async with engine_of(postgres) as opened:
        yield opened


async def _outcome(engine: AsyncEngine) -> dict[str, list[str]]:
    found = {name: sorted(map(repr, await rows(engine, query))) for name, query in COMPARED.items()}
    documents = [repr((one.id, _timeless(one.document))) for one in await deliveries(engine)]
    return {**found, "documents": documents}


def _timeless(document: dict[str, Any]) -> dict[str, Any]:
    case = document["case"]
    return {**document, "case": {**case, "opened": None} if case else None}


async def _empty(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(f"truncate {', '.join(TABLES)}"))


# --- Histories: what can happen to three people whose identifiers get mixed up ---------------------------------------

_PEOPLE = st.integers(1, 3)
_WHERE = st.sampled_from([None, "enfield", "stockport", "wigan", "outside", "homeless"])


def _who(number: int, where: str | None, mixed: bool) -> dict[str, Any]:
    """A person; mixed up, one whose prison number is the next person's."""
    told = {"custody": f"c{number}", "noms": f"A{number % 3 + 1 if mixed else number}111AA"}
    if where == "homeless":
        return person(number, no_fixed_abode=True, **told)
    return person(number, postcode=POSTCODE[where] if where else None, **told)


_STEPS = st.one_of(
    st.tuples(st.just("test"), _PEOPLE, _WHERE, st.booleans(), st.sampled_from(["positive", "negative"])),
    st.tuples(st.just("prison"), _PEOPLE, _WHERE, st.booleans(), st.sampled_from(["LII", "HII", "LEI"])),
    st.tuples(st.just("release"), _PEOPLE, _WHERE, st.just(False), st.just("")),
    st.tuples(st.just("correct"), _PEOPLE, _WHERE, st.just(False), st.sampled_from(["positive", "negative"])),
    st.tuples(st.just("withdraw"), _PEOPLE, st.none(), st.just(False), st.just("")),
)


def _history(steps: Sequence[tuple[Any, ...]]) -> list[Arrived]:
    feed = Feed()
    for number, (what, who, where, mixed, more) in enumerate(steps):
        at = NOW + timedelta(minutes=number)
        told = _who(who, where, mixed)
        fact = f"test-{who}" if what in ("correct", "withdraw") else f"{what}-{number}"
        made: Event | Retraction
        match what:
            case "test" | "correct":
                made = drug_test(told, at, cocaine=more)
            case "prison":
                made = event("imprisonment.received", told, at, prison=more, reason="admission")
            case "release":
                made = event("imprisonment.released", told, at, prison="LII", reason="conditional")
            case _:
                if fact not in feed.heads:
                    continue
                made = Retraction(kind="custody.drug-test.recorded", reason="withdrawn")
        feed.tell(made, fact=fact, lane=f"{'prison' if 'pris' in made.kind else 'force'}-{who}", at=at)
    return feed.made


def _cut(made: list[Arrived], cuts: list[int]) -> list[list[Arrived]]:
    places = sorted({0, len(made), *(cut % (len(made) + 1) for cut in cuts)})
    return [made[start:end] for start, end in pairwise(places)]


_TOLD_AND_CORRECTED_TWICE: list[tuple[Any, ...]] = [
    ("test", 2, None, False, "positive"),
    ("test", 2, None, True, "positive"),
    ("test", 1, None, False, "positive"),
    ("test", 1, None, False, "positive"),
    ("correct", 3, "outside", False, "negative"),
    ("release", 1, "outside", False, ""),
    ("correct", 3, "outside", False, "negative"),
    ("test", 2, "wigan", False, "positive"),
    ("release", 3, "enfield", False, ""),
]
"""A fact and both its corrections in one batch: who was told the first must still be told to forget it."""

_CORRECTED_OF_A_STAND_IN: list[tuple[Any, ...]] = [
    ("release", 1, None, False, ""),
    ("test", 2, None, False, "positive"),
    ("withdraw", 1, None, False, ""),
    ("test", 1, None, True, "positive"),
    ("correct", 3, None, False, "positive"),
]
"""A record of one of two persons, and its correction: whoever stands in for them learns no number from it."""


@pytest.mark.slow
async def test_a_batch_decides_as_its_events_would_one_by_one(engine: AsyncEngine) -> None:
    """Same persons, placements, cases, decisions, deliveries in the same order, however a history is cut into batches.

    And doing it all again changes nothing, and the ledgers balance.
    """
    seen = {"deliveries": 0, "held": 0}

    @example(_TOLD_AND_CORRECTED_TWICE, [3, 8])
    @example(_CORRECTED_OF_A_STAND_IN, [])
    @given(st.lists(_STEPS, min_size=1, max_size=14), st.lists(st.integers(0, 14), max_size=3))
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    def histories(steps: list[tuple[Any, ...]], cuts: list[int]) -> None:
        made = _history(steps)
        if made:
            asyncio.run(_compare(engine.url.render_as_string(hide_password=False), made, _cut(made, cuts), seen))

    await asyncio.to_thread(histories)
    assert seen["deliveries"] > 30
    assert seen["held"] > 5


async def _compare(dsn: str, made: list[Arrived], batches: list[list[Arrived]], seen: dict[str, int]) -> None:
    async with engine_of(dsn, pool=3) as engine:
        await _empty(engine)
        for one in made:
            await send(engine, [one])
        alone = await _outcome(engine)
        await _empty(engine)
        for batch in batches:
            await send(engine, batch)
        assert await _outcome(engine) == alone
        for batch in batches:
            await decide(engine, batch)
        assert await _outcome(engine) == alone
        async with engine.connect() as connection:
            assert (await reconcile(connection)).differences == dict.fromkeys(
                (await reconcile(connection)).differences, 0
            )
        seen["deliveries"] += len(alone["deliveries"])
        seen["held"] += len(alone["holds"])


# --- At the same time ------------------------------------------------------------------------------------------------


def _shuffled_batches(count: int, size: int) -> list[list[Arrived]]:
    """Batches of tests of few people, each by lanes of its own, in an order of its own."""
    batches = []
    for number in range(count):
        feed = Feed(sender=f"force-{number:02}")
        for step in range(size):
            who = (step * (number + 1)) % 7
            told = person(who, custody=f"c{who}", noms=f"A{who}111AA", postcode=POSTCODE["wigan"])
            feed.tell(drug_test(told, NOW + timedelta(minutes=step)), lane=f"{number}-{who}")
        random.Random(number).shuffle(feed.made)
        batches.append(feed.made)
    return batches


async def test_batches_at_once_neither_deadlock_nor_make_a_person_twice(engine: AsyncEngine) -> None:
    """Eight transactions over the same seven strangers: seven persons, seven cases, and positions without a gap."""
    batches = _shuffled_batches(8, 20)
    async with engine.begin() as connection:
        for batch in batches:
            await journal(connection, batch)
    await asyncio.wait_for(asyncio.gather(*(decide(engine, batch) for batch in batches)), 60)
    assert len(await rows(engine, "select id from persons")) == 7
    assert len(await rows(engine, "select id from cases")) == 7
    for recipient in ("lasars-wigan", "lasars-enfield"):
        told = [one for one in await deliveries(engine) if one.recipient == recipient]
        assert [one.position for one in told] == list(range(1, 161))
        order = {one.event_id: one.position for one in told}
        for batch in batches:
            positions = [order[one.envelope.id] for one in batch]
            assert positions == sorted(positions)


async def test_the_same_batch_twice_at_once_has_one_effect(engine: AsyncEngine) -> None:
    """A consumer that lost its partition and does not know it yet does nothing a second time."""
    (batch,) = _shuffled_batches(1, 20)
    async with engine.begin() as connection:
        await journal(connection, batch)
    done = await asyncio.wait_for(asyncio.gather(*(decide(engine, batch) for _ in range(4))), 60)
    assert sorted(one.states.get("repeat", 0) for one in done) == [0, 20, 20, 20]
    assert len(await deliveries(engine)) == 40


async def test_a_reader_never_sees_a_position_before_an_earlier_one(postgres: str) -> None:
    """Whatever is visible of a mailbox has no gap, at any moment while batches commit."""
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(engine_of(postgres, pool=6))
        batches = _shuffled_batches(6, 10)
        async with engine.begin() as connection:
            for batch in batches:
                await journal(connection, batch)
        work = asyncio.gather(*(decide(engine, batch) for batch in batches))
        while not work.done():
            (seen,) = await rows(
                engine,
                "select count(*) as n, coalesce(max(position), 0) as last from deliveries "
                "where recipient = 'lasars-wigan'",
            )
            assert seen["n"] == seen["last"]
        await work
