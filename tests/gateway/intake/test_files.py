"""Batch files at the door, and the report on them, with the journal on a real PostgreSQL."""

import csv
import io
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any, BinaryIO

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.base import Adapter, Answered, Ignored, Message, Reply, Row
from gateway import failpoints
from gateway.errors import JournalUnavailable
from gateway.failpoints import Crashed
from gateway.intake.entry import Clash, Entry, Taken
from gateway.intake.journal import Journal
from gateway.settings import Store
from gateway.store.data_keys import open_body
from gateway.store.ledger import open_engine
from tests.support.doors import (
    ADAPTERS,
    OTHER_FORCE,
    SECRETS,
    STOCKPORT,
    application,
    bearer,
    knocking,
    real_journal,
)
from tests.support.facts import SEALER

pytestmark = pytest.mark.services

FILES = "/v1/feeds/police_custody/files"
HEADER = (
    "form_type,force_code,station_code,custody_number,trigger_offence,surname,forenames,date_of_birth,form_id,"
    "test_reason,tested_at,result_cocaine,result_opiates\r\n"
)


def row(number: int, born: str = "1988-11-30") -> str:
    """One drug test of an invented person."""
    return (
        f"DT1,06,SK,SK/{number:04}/26,Y,Inventedson{number},Ada,{born},DT-{number},CHARGE,2026-03-01T10:00,POS,NEG\r\n"
    )


def batch(rows: int, bad: frozenset[int] = frozenset(), counted: int | None = None) -> bytes:
    """A file of this many rows, of which the bad ones have a birth date that is none."""
    lines = [row(number, "30/11/88" if number in bad else "1988-11-30") for number in range(1, rows + 1)]
    return (HEADER + "".join(lines) + f"#END,{rows if counted is None else counted}\r\n").encode()


class Failing:
    """A journal that cannot commit after so many records."""

    def __init__(self, journal: Journal, after: int) -> None:
        self.journal = journal
        self.left = after

    @property
    def waiting(self) -> int:
        return self.journal.waiting

    async def take(self, entry: Entry) -> Taken | Clash:
        """As the journal does, until it cannot."""
        self.left -= 1
        if self.left < 0:
            raise JournalUnavailable("no")
        return await self.journal.take(entry)


@pytest.fixture
async def engine(postgres: str) -> AsyncIterator[AsyncEngine]:
    """An engine on an empty, migrated database."""
    engine = open_engine(Store(dsn=postgres))
    yield engine
    await engine.dispose()


@pytest.fixture
async def journal(engine: AsyncEngine) -> AsyncIterator[Journal]:
    """The journal, committing."""
    async with real_journal(engine) as journal:
        yield journal


@pytest.fixture
async def client(engine: AsyncEngine, journal: Journal) -> AsyncIterator[httpx.AsyncClient]:
    """The force, signed in."""
    async with knocking(application(engine, journal)) as client:
        client.headers.update(bearer() | {"content-type": "text/csv"})
        yield client


async def rows(engine: AsyncEngine, statement: str) -> list[tuple[Any, ...]]:
    """What a statement gives."""
    async with engine.connect() as connection:
        return [tuple(found) for found in await connection.execute(text(statement))]


async def test_one_bad_row_never_sinks_its_file(client: httpx.AsyncClient, engine: AsyncEngine) -> None:
    """500 rows with 7 bad ones: 493 accepted, 7 refused by rule and row, with a report a person can act on."""
    bad = frozenset({3, 77, 150, 151, 300, 499, 500})
    answer = await client.post(FILES, content=batch(500, bad))
    assert answer.status_code == 202
    told = answer.json()
    assert told | {"file": "", "links": {}} == {
        "file": "",
        "state": "taken",
        "rows": 500,
        "accepted": 493,
        "held": 0,
        "ignored": 0,
        "refused": 7,
        "links": {},
    }
    report = (await client.get(told["links"]["report"], params={"limit": 1000})).json()
    assert (report["state"], report["rows"], report["accepted"], report["refused"]) == ("taken", 500, 493, 7)
    (cause,) = report["causes"]
    assert (cause["rows"], cause["first"], cause["fields"]) == (7, [3, 77, 150, 151, 300], ["date_of_birth"])
    assert cause["sentence"]
    assert cause["fix"]
    assert {told["row"] for told in report["told"]} == bad
    for told_row in report["told"]:
        assert told_row["state"] == "refused"
        assert [finding["rule"] for finding in told_row["findings"]] == [cause["rule"]]
    assert "30/11/88" not in str(report)
    assert "Inventedson" not in str(report)
    assert await rows(engine, "select count(*), count(distinct file_id) from records") == [(493, 1)]


async def test_rows_are_journalled_in_the_order_of_their_file(client: httpx.AsyncClient, engine: AsyncEngine) -> None:
    """Events come out in the order in which the file tells them."""
    await client.post(FILES, content=batch(600))
    told = await rows(engine, 'select r."row" from events e join records r on r.id = e.record_id order by e.seq')
    assert [number for (number,) in told] == list(range(1, 601))


async def test_a_refused_row_is_kept_sealed(client: httpx.AsyncClient, engine: AsyncEngine) -> None:
    """The bytes of a refused row can be read again with its own key, and stand nowhere in the clear."""
    await client.post(FILES, content=batch(2, frozenset({2})))
    ((refusal,),) = await rows(engine, "select id from refusals")
    assert await rows(engine, "select count(*) from bodies where position('Inventedson' in sealed) > 0") == [(0,)]
    sealer = type(SEALER)(SECRETS.kek)
    async with engine.connect() as connection:
        opened = await open_body(connection, sealer, refusal)
    assert opened is not None
    assert b"Inventedson2" in opened[0]


@pytest.mark.parametrize("headers", [{}, {"idempotency-key": "week-10"}])
async def test_the_same_file_again_has_the_first_receipt(
    client: httpx.AsyncClient, engine: AsyncEngine, headers: dict[str, str]
) -> None:
    """200 and the same counts, and nothing is taken twice."""
    content = batch(20, frozenset({4}))
    first = await client.post(FILES, content=content, headers=headers)
    again = await client.post(FILES, content=content, headers=headers)
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json() == first.json()
    assert await rows(engine, "select (select count(*) from records), (select count(*) from refusals)") == [(19, 1)]


async def test_the_same_id_with_another_file_is_a_conflict(client: httpx.AsyncClient, engine: AsyncEngine) -> None:
    """409 names the first file, and no row of the second is taken."""
    first = await client.post(FILES, content=batch(2), headers={"idempotency-key": "week-10"})
    clash = await client.post(FILES, content=batch(3), headers={"idempotency-key": "week-10"})
    assert (clash.status_code, clash.json()["type"]) == (409, "/problems/message-id-reused")
    assert clash.json()["file"] == first.json()["file"]
    assert await rows(engine, "select count(*) from records") == [(2,)]


@pytest.mark.parametrize(
    "content",
    [batch(600, counted=601), batch(2)[:-2] + b"0\r\n", b"", b"not,our,header\r\n", HEADER.encode() + b'DT1,"06\r\n'],
    ids=["one row short", "count too large", "empty", "header not ours", "a mark never closed"],
)
async def test_a_file_that_is_wrong_as_a_whole_is_refused_whole(
    client: httpx.AsyncClient, engine: AsyncEngine, content: bytes
) -> None:
    """422 names the rule and no row is taken; mended, it may be sent under the same id."""
    answer = await client.post(FILES, content=content, headers={"idempotency-key": "week-10"})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/file-refused")
    assert len(answer.json()["errors"]) == 1
    assert await rows(engine, "select count(*) from records") == [(0,)]
    assert await rows(engine, 'select count(*) from refusals where "row" is null') == [(1,)]
    report = (await client.get(answer.json()["links"]["report"])).json()
    assert (report["state"], report["rows"]) == ("refused", 0)
    assert [finding["rule"] for finding in report["findings"]] == [answer.json()["errors"][0]["rule"]]
    mended = await client.post(FILES, content=batch(2), headers={"idempotency-key": "week-10"})
    assert (mended.status_code, mended.json()["rows"]) == (202, 2)
    assert (await client.get(mended.json()["links"]["report"])).json()["state"] == "taken"


@pytest.mark.parametrize("crash", ["F2:1:raise", "F2:300:raise", "F2:593:raise", "F3:1:raise"])
async def test_a_file_cut_off_by_a_crash_goes_on_where_it_stood(
    client: httpx.AsyncClient, engine: AsyncEngine, crash: str
) -> None:
    """However many rows were journalled, the same file sent again ends as if nothing had happened."""
    content = batch(600, frozenset({10, 20, 30, 40, 50, 60, 70}))
    failpoints.arm(crash)
    try:
        with pytest.raises(Crashed):
            await client.post(FILES, content=content)
    finally:
        failpoints.arm(None)
    assert await rows(engine, "select state from files") == [("open",)]
    again = await client.post(FILES, content=content)
    assert again.status_code == 202
    assert (again.json()["accepted"], again.json()["refused"]) == (593, 7)
    assert await rows(engine, 'select count(*), count(distinct "row"), sum(events) from records') == [(593, 593, 593)]
    assert await rows(engine, "select count(*) from events") == [(593,)]


async def test_a_journal_that_fails_in_the_middle_is_told(engine: AsyncEngine, journal: Journal) -> None:
    """503, never 202, while any row is not committed; sent again, the file is completed."""
    failing = Failing(journal, 400)
    async with knocking(application(engine, failing)) as client:
        headers = bearer() | {"content-type": "text/csv"}
        answer = await client.post(FILES, content=batch(600), headers=headers)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        failing.left = 10_000
        again = await client.post(FILES, content=batch(600), headers=headers)
    assert (again.status_code, again.json()["accepted"]) == (202, 600)


async def test_a_report_is_its_senders_own(client: httpx.AsyncClient) -> None:
    """Another force, a recipient, and an id that is none get the same answer, byte for byte."""
    report = (await client.post(FILES, content=batch(1))).json()["links"]["report"]
    answers = [
        await client.get(report, headers=bearer(OTHER_FORCE)),
        await client.get(report, headers=bearer(STOCKPORT)),
        await client.get("/v1/files/019a2f04-6c3e-7d10-9b52-4f8a1c2e7d33"),
        await client.get("/v1/files/none"),
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert (await client.get(report, headers={"authorization": ""})).status_code == 401


async def test_a_report_can_be_read_page_by_page(client: httpx.AsyncClient) -> None:
    """The links lead through every row that is told of, once and in order."""
    bad = frozenset(range(5, 36))
    link: str | None = (await client.post(FILES, content=batch(40, bad))).json()["links"]["report"] + "?limit=7"
    seen: list[int] = []
    while link is not None:
        report = (await client.get(link)).json()
        seen += [told["row"] for told in report["told"]]
        link = report["links"].get("next")
    assert seen == sorted(bad)
    wrong = await client.get("/v1/files/none?limit=0")
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "query.limit")


async def test_a_report_opens_in_a_spreadsheet(client: httpx.AsyncClient) -> None:
    """As CSV: one line a finding, the sentence with it."""
    report = (await client.post(FILES, content=batch(3, frozenset({2})))).json()["links"]["report"]
    answer = await client.get(report, headers={"accept": "text/csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    (line,) = csv.DictReader(io.StringIO(answer.text))
    assert (line["row"], line["state"], line["field"]) == ("2", "refused", "date_of_birth")
    assert line["text"]


async def test_a_large_file_needs_little_memory(engine: AsyncEngine, journal: Journal) -> None:
    """A file is written down as it comes and cut as it is read; what is held of it does not grow with it."""

    def cut(file: BinaryIO) -> Iterator[Row]:
        number = 0
        while line := file.read(1 << 16):
            number += 1
            yield Row(number, line, "text/csv")

    async def sent() -> AsyncIterator[bytes]:
        for _ in range(1024):
            yield b"x" * (1 << 16)

    adapter = Adapter("police_custody", lambda _: Ignored("large"), {}, frozenset(), {"text/csv": cut})
    app = application(engine, journal, adapters={"police_custody": adapter})
    async with knocking(app) as client:
        tracemalloc.start()
        try:
            answer = await client.post(FILES, content=sent(), headers=bearer() | {"content-type": "text/csv"})
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert (answer.status_code, answer.json()["ignored"]) == (202, 1024)
    assert peak < 32 << 20, f"{peak} bytes for a file of 64 MiB"


async def test_a_file_over_the_limit_is_not_taken(engine: AsyncEngine, journal: Journal) -> None:
    """413, and nothing of it is kept."""
    async with knocking(application(engine, journal, max_file=1024)) as client:
        answer = await client.post(FILES, content=batch(100), headers=bearer() | {"content-type": "text/csv"})
    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/too-large")
    assert await rows(engine, "select count(*) from files") == [(0,)]


async def test_a_file_is_answered_in_the_protocol_of_its_agency(engine: AsyncEngine, journal: Journal) -> None:
    """Where it has one: under the same status, taken, taken before, and refused whole; refused rows are told."""

    def answer(message: Message, told: Answered) -> tuple[Reply, ...]:
        return (Reply(f"{told.fate} {sorted(told.refused_rows)}".encode(), message.media_type),)

    adapter = replace(ADAPTERS["police_custody"], answers={"text/csv": answer})
    app = application(engine, journal, adapters={"police_custody": adapter})
    async with knocking(app) as client:
        client.headers.update(bearer() | {"content-type": "text/csv"})
        contents = (batch(5, frozenset({2})), batch(5, frozenset({2})), batch(3, counted=4))
        answers = [await client.post(FILES, content=content) for content in contents]
    assert [answer.status_code for answer in answers] == [202, 200, 422]
    assert [answer.text for answer in answers] == ["committed [2]", "repeated [2]", "refused []"]
    assert {answer.headers["content-type"].partition(";")[0] for answer in answers} == {"text/csv"}


async def test_a_file_of_another_media_type_is_not_taken(client: httpx.AsyncClient) -> None:
    """415 names what this feed takes as a file."""
    answer = await client.post(FILES, content=b"<x/>", headers={"content-type": "application/xml"})
    assert (answer.status_code, answer.headers["accept"]) == (415, "text/csv")
