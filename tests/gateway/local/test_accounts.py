"""Every way in which the ledgers and what the stand-ins wrote can differ is seen, and counts once."""

import uuid
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.local.accounts import Accounts, make_up
from gateway.local.installation import Installation, prepare
from tests.support.deliveries import engine_of

pytestmark = pytest.mark.services

_INSERT = """
with r as (
    insert into records (id, sender, agency, transport, body_hash, received, state, media_type, events)
    values (:record, 'met-police', 'police_custody', :key, :key, now(), 'translated', 'text/xml', 1)
), e as (
    insert into events (id, record_id, sender, agency, kind, change, fact, lane, shard, occurred, recorded)
    values (:event, :record, 'met-police', 'police_custody', 'custody.drug-test.recorded', 'fact', :key, :key, 0,
            now(), now())
), d as (
    insert into decisions (record_id, event_id, number, state, deliveries, decided)
    values (:record, :event, 1, 'decided', 2, now())
)
insert into deliveries (id, recipient, position, person_id, event_id, record_id, decision, role, kind, change,
                        agreement, state, created, offered)
select id, recipient, :position, :event, :event, :record, 1, 'home', 'custody.drug-test.recorded', 'fact', 'a@1',
       'acknowledged', now(), now()
from unnest(cast(:deliveries as uuid[]), cast(:recipients as text[])) as x (id, recipient)
"""
_RECIPIENTS = ["lasars-kent", "lasars-wigan"]


@dataclass(frozen=True)
class Books:
    """A gateway's ledgers and the stand-ins' books, alike to begin with: two records of two deliveries each."""

    engine: AsyncEngine
    own: Installation
    records: list[uuid.UUID]
    deliveries: list[list[uuid.UUID]]

    async def made_up(self) -> Accounts:
        """The accounts."""
        async with self.engine.connect() as connection:
            return await make_up(connection, self.own)

    async def run(self, sql: str, **told: Any) -> None:
        """Change something behind the gateway's back."""
        async with self.engine.begin() as connection:
            await connection.execute(text(sql), told)

    def arrived(self, recipient: str, delivery: uuid.UUID, event: object, *, body: str = "b", effects: int = 1) -> None:
        """Write an arrival into a recipient's books."""
        seen = {"what": "arrived", "id": str(delivery), "hash": body, "answer": 204}
        effect = {
            "what": "applied",
            "id": str(delivery),
            "event": str(event),
            "kind": "custody.drug-test.recorded",
            "change": "fact",
            "role": "home",
            "person": "P-AAAAAAAAAAAA",
            "at": 1.0,
        }
        _write(self.own.book(recipient), [seen, *[effect] * effects])

    def accepted(self, receipt: uuid.UUID) -> None:
        """Write an acceptance into the log of the police."""
        line = {"what": "accepted", "door": "records", "status": 202, "receipt": str(receipt)}
        _write(self.own.outbox("met-police"), [{**line, "rows": None, "refused": None}])


def _write(file: Path, lines: Iterable[dict[str, Any]]) -> None:
    with file.open("ab") as out:
        out.writelines(orjson.dumps(line) + b"\n" for line in lines)


@pytest.fixture
async def books(postgres: str, tmp_path: Path) -> AsyncIterator[Books]:
    """Alike."""
    async with engine_of(postgres) as engine:
        made = Books(engine, prepare(tmp_path, lambda _: 1), [], [])
        for position in (1, 2):
            record, event, deliveries = uuid.uuid4(), uuid.uuid4(), [uuid.uuid4(), uuid.uuid4()]
            key = record.bytes
            await made.run(
                _INSERT,
                record=record,
                event=event,
                key=key,
                position=position,
                deliveries=deliveries,
                recipients=_RECIPIENTS,
            )
            made.accepted(record)
            for recipient, delivery in zip(_RECIPIENTS, deliveries, strict=True):
                made.arrived(recipient, delivery, event)
            made.records.append(record)
            made.deliveries.append(deliveries)
        yield made


async def test_books_that_agree_leave_nothing(books: Books) -> None:
    """Where everybody wrote the same, nothing is unaccounted for."""
    made_up = await books.made_up()
    assert (made_up.unaccounted, made_up.sentences()) == (0, [])


async def test_a_deleted_delivery_counts_once(books: Books) -> None:
    """Its decision misses it and its recipient has it; it is one thing that is missing."""
    await books.run("delete from deliveries where id = :id", id=books.deliveries[0][0])
    made_up = await books.made_up()
    assert made_up.sentences() == ["1 in the ledgers, deliveries of decisions"]
    assert made_up.unaccounted == 1


async def test_what_was_accepted_and_is_gone_is_seen(books: Books) -> None:
    """A receipt an agency holds without a record in the journal."""
    books.accepted(uuid.uuid4())
    assert (await books.made_up()).sentences() == ["1 accepted and not in the journal"]


async def test_a_record_nobody_was_told_of_is_seen(books: Books) -> None:
    """A record in the journal whose agency never got its receipt."""
    books.own.outbox("met-police").unlink()
    made_up = await books.made_up()
    assert made_up.sentences() == ["2 in the journal and never acknowledged to its agency"]


async def test_an_arrival_out_of_nowhere_is_seen(books: Books) -> None:
    """A delivery a recipient has, that the gateway never decided."""
    books.arrived("lasars-kent", uuid.uuid4(), uuid.uuid4())
    assert (await books.made_up()).sentences() == ["1 arrived and not in the ledger of deliveries"]


async def test_a_case_that_was_told_and_is_with_no_record_is_seen(books: Books) -> None:
    """What the case API told must have filled a pointer, and a pointer must have been filled by what it told."""
    line = {"what": "asked", "about": "case", "status": 200}
    _write(books.own.case_log, [line])
    assert (await books.made_up()).sentences() == ["1 told by the case API and with no record"]
    await books.run("update records set agency = 'probation'")
    fill = "insert into fillings (record_id, tries, next, tried, outcome) values (:record, 1, now(), now(), 'filled')"
    await books.run(fill, record=books.records[0])
    assert (await books.made_up()).sentences() == []
    await books.run(fill, record=books.records[1])
    assert (await books.made_up()).sentences() == ["1 filled and never told by the case API"]


async def test_what_went_elsewhere_is_seen_twice(books: Books) -> None:
    """A delivery that is one recipient's and arrived at another: it never arrived there, and has no place here."""
    [kent, _], _ = books.deliveries
    await books.run("update deliveries set recipient = 'lasars-enfield' where id = :id", id=kent)
    made_up = await books.made_up()
    assert made_up.sentences() == ["1 arrived and not in the ledger of deliveries", "1 offered and never arrived"]


async def test_an_effect_too_many_is_seen(books: Books) -> None:
    """The same delivery applied twice."""
    books.arrived("lasars-wigan", books.deliveries[1][1], uuid.uuid4())
    assert (await books.made_up()).sentences() == ["1 had more than one effect"]


async def test_a_body_that_changed_is_seen(books: Books) -> None:
    """The same delivery with other bytes."""
    books.arrived("lasars-wigan", books.deliveries[1][1], uuid.uuid4(), body="another", effects=0)
    assert (await books.made_up()).sentences() == ["1 arrived with different bodies"]
