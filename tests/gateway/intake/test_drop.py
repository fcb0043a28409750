"""A folder as a channel, with the journal on a real PostgreSQL and the folder on a real disk."""

import asyncio
import errno
import json
import os
from collections.abc import AsyncIterator, Iterator, MutableMapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs
from watchfiles import awatch

from adapters.base import Adapter, Answered, Message, Reply, Row
from gateway import failpoints
from gateway.errors import Unwritable
from gateway.failpoints import Crashed
from gateway.intake.batch import FileTaker
from gateway.intake.drop import DropWatch, Patience, media_type_of
from gateway.intake.entry import Clash, Entry, Taken
from gateway.intake.folder import LONGEST_NAME, Folder, Lying
from gateway.intake.journal import Journal
from gateway.intake.parcel import ParcelTaker
from gateway.intake.record import Commits, RecordTaker
from gateway.intake.refusals import Refusals
from gateway.parties import Drop, Party
from gateway.sealing import BlindIndex, Sealer
from gateway.settings import Drop as Settings
from gateway.settings import Store
from gateway.store.ledger import open_engine
from gateway.store.turns import Turns, open_turns
from tests.gateway.intake.test_files import Failing, batch, rows
from tests.gateway.intake.test_take import BAD, GOOD
from tests.support.bombs import bombs
from tests.support.doors import ADAPTERS, EXAMPLES, NOW, SECRETS, real_journal

pytestmark = pytest.mark.services

Heard = list[MutableMapping[str, Any]]

CUSTODY = ADAPTERS["police_custody"]
SENDER = "met-police"


@dataclass
class Street:
    """A folder, and the watches of the processes that look at it. seconds: a clock that is moved by hand."""

    folder: Path
    engine: AsyncEngine
    journal: Commits
    turns: Turns
    adapter: Adapter = CUSTODY
    seconds: float = 0.0
    max_file: int = 1 << 30
    now: datetime = NOW

    def watch(self) -> DropWatch:
        """A process's watch on it, which waits for nothing."""
        index, refusals = BlindIndex(SECRETS.pepper), Refusals(self.engine, Sealer(SECRETS.kek))
        records = RecordTaker(self.journal, refusals, index, SECRETS.namespace)
        files = FileTaker(self.journal, refusals, self.engine, index, SECRETS.namespace, 1 << 20, lambda: NOW)
        return DropWatch(
            Party(id=SENDER, name=SENDER, agency="police_custody", drop=Drop(folder=self.folder)),
            self.adapter,
            ParcelTaker(records, files, 1 << 20, self.max_file, lambda: NOW),
            self.engine,
            self.turns,
            Settings(quiet=timedelta(0), look=timedelta(milliseconds=100)),
            lambda: self.now,
            now=lambda: self.seconds,
        )

    def put(self, name: str, content: bytes) -> None:
        """Lay a file as the convention says: written under another name, and renamed."""
        part = self.folder / f"{name}.part"
        part.write_bytes(content)
        part.rename(self.folder / name)

    def names(self, place: str = "") -> set[str]:
        """What lies in one of the folders."""
        return {one.name for one in (self.folder / place).iterdir() if one.is_file() or one.is_symlink()}

    def read(self, place: str, name: str) -> Any:
        """A JSON document that was laid down."""
        return json.loads((self.folder / place / name).read_bytes())


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
def heard() -> Iterator[Heard]:
    """What is logged."""
    with capture_logs() as lines:
        yield lines


@pytest.fixture
async def street(tmp_path: Path, engine: AsyncEngine, journal: Journal) -> AsyncIterator[Street]:
    """An empty folder."""
    folder = tmp_path / "drop"
    folder.mkdir()
    async with open_turns(engine) as turns:
        yield Street(folder, engine, journal, turns)


async def test_a_file_is_taken_and_told_of_beside_it(street: Street) -> None:
    """The file moves to done; receipt, report, table and sentences lie beside it, and none holds a value of a row."""
    street.put("week-10.csv", batch(20, frozenset({4})))
    assert await street.watch().look()
    assert street.names() == set()
    assert street.names("taking") == set()
    ends = ("", ".receipt.json", ".receipt.txt", ".report.json", ".report.csv")
    assert street.names("done") == {f"week-10.csv{end}" for end in ends}
    receipt = street.read("done", "week-10.csv.receipt.json")
    assert (receipt["state"], receipt["rows"], receipt["accepted"], receipt["refused"]) == ("taken", 20, 19, 1)
    report = street.read("done", "week-10.csv.report.json")
    assert (report["file"], [told["row"] for told in report["told"]]) == (receipt["file"], [4])
    slip = (street.folder / "done/week-10.csv.receipt.txt").read_text()
    assert "Rows: 20. Accepted: 19." in slip
    assert report["causes"][0]["fix"] in slip
    table = (street.folder / "done/week-10.csv.report.csv").read_text()
    assert table.splitlines()[1].startswith("4,refused,")
    for told in (slip, table, str(report), str(receipt)):
        assert "Inventedson" not in told
        assert "30/11/88" not in told
    assert await rows(street.engine, "select count(*), count(distinct file_id) from records") == [(19, 1)]


async def test_the_same_bytes_again_have_the_first_receipt(street: Street) -> None:
    """Under the same name or another: nothing is taken twice."""
    content = batch(5)
    for name in ("a.csv", "a.csv", "b.csv"):
        street.put(name, content)
        await street.watch().look()
    assert street.read("done", "a.csv.receipt.json") == street.read("done", "b.csv.receipt.json")
    assert "a.csv~2" not in street.names("done")
    assert await rows(street.engine, "select (select count(*) from records), (select count(*) from files)") == [(5, 1)]


async def test_other_bytes_under_the_same_name_are_another_file(street: Street) -> None:
    """A sender that always writes export.csv loses nothing, and no receipt is written over."""
    for count in (3, 4):
        street.put("export.csv", batch(count))
        await street.watch().look()
    assert street.read("done", "export.csv.receipt.json")["rows"] == 3
    assert street.read("done", "export.csv~2.receipt.json")["rows"] == 4
    assert (street.folder / "done/export.csv~2").read_bytes() == batch(4)


async def test_a_file_that_is_wrong_as_a_whole_is_refused(street: Street) -> None:
    """It moves to refused, with the rule and what to do; no row of it is taken."""
    street.put("short.csv", batch(3, counted=4))
    await street.watch().look()
    assert street.names("refused") == {"short.csv", "short.csv.receipt.json", "short.csv.receipt.txt"}
    receipt = street.read("refused", "short.csv.receipt.json")
    assert (receipt["type"], len(receipt["errors"])) == ("/problems/file-refused", 1)
    assert receipt["errors"][0]["rule"] in (street.folder / "refused/short.csv.receipt.txt").read_text()
    assert await rows(street.engine, "select count(*) from records") == [(0,)]


async def test_a_single_record_may_be_laid_down(street: Street) -> None:
    """What is no batch is taken as one record, by the end of its name."""
    street.put("one.xml", GOOD)
    street.put("two.xml", BAD)
    await street.watch().look()
    assert street.read("done", "one.xml.receipt.json")["state"] == "validated"
    assert street.read("refused", "two.xml.receipt.json")["type"] == "/problems/record-refused"
    assert "Its receipt is" in (street.folder / "done/one.xml.receipt.txt").read_text()


async def test_what_is_too_large_or_of_another_kind_is_refused_by_name(street: Street) -> None:
    """The largest size and what is taken are told."""
    street.max_file = 1000
    street.put("large.csv", batch(100))
    street.put("odd.json", b"{}")
    await street.watch().look()
    assert street.read("refused", "large.csv.receipt.json")["type"] == "/problems/too-large"
    odd = street.read("refused", "odd.json.receipt.json")
    assert (odd["type"], "text/csv" in odd["detail"]) == ("/problems/media-type-not-taken", True)


async def test_what_is_refused_for_the_same_reason_lies_side_by_side(street: Street) -> None:
    """Two receipts may be alike to the letter; the files they are of are not, and neither is put over the other."""
    for content in (b"{}", b"[]"):
        street.put("odd.json", content)
        await street.watch().look()
    assert [(street.folder / "refused" / name).read_bytes() for name in ("odd.json", "odd.json~2")] == [b"{}", b"[]"]


async def test_a_file_named_as_a_receipt_is_not_put_over_one(street: Street) -> None:
    """Whatever a sender calls its files, what it was told of another stays."""
    for name in ("odd.json", "odd.json.receipt.json"):
        street.put(name, b"{}")
        await street.watch().look()
    assert street.read("refused", "odd.json.receipt.json")["type"] == "/problems/media-type-not-taken"
    assert (street.folder / "refused/odd.json.receipt.json~2").read_bytes() == b"{}"


async def test_what_is_still_being_written_is_left_alone(street: Street) -> None:
    """Names that say so, and names that begin with a dot."""
    for name in ("a.csv.part", "b.csv.tmp", "c.csv.filepart", ".d.csv"):
        (street.folder / name).write_bytes(batch(1))
    await street.watch().look()
    assert street.names() == {"a.csv.part", "b.csv.tmp", "c.csv.filepart", ".d.csv"}


async def test_links_pipes_and_long_names_are_left_lying(street: Street, tmp_path: Path, heard: Heard) -> None:
    """Nothing leads out of the folder; that something was left is said once, without its name."""
    (tmp_path / "secret.csv").write_bytes(batch(1))
    (street.folder / "link.csv").symlink_to(tmp_path / "secret.csv")
    os.mkfifo(street.folder / "pipe.csv")
    long = "x" * (LONGEST_NAME - 3) + ".csv"
    (street.folder / long).write_bytes(batch(1))
    watch = street.watch()
    await watch.look()
    await watch.look()
    assert street.names() >= {"link.csv", long}
    assert await rows(street.engine, "select count(*) from files") == [(0,)]
    (said,) = [line for line in heard if line["event"] == "drop.left_lying"]
    assert (said["sender"], said["count"]) == (SENDER, 3)
    assert "link.csv" not in str(heard)


async def test_a_link_in_place_of_a_folder_of_ours_is_not_followed(street: Street, tmp_path: Path) -> None:
    """Nothing is laid where a link leads to."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (street.folder / "done").symlink_to(outside)
    street.put("a.csv", batch(1))
    assert not await street.watch().look()
    assert list(outside.iterdir()) == []
    assert street.names() >= {"a.csv"}


async def test_a_folder_that_goes_away_is_waited_for(street: Street, heard: Heard) -> None:
    """It is said once; what lies there when it is back is taken."""
    watch = street.watch()
    away = street.folder.rename(street.folder.with_name("away"))
    assert not await watch.look()
    assert not await watch.look()
    assert [line["event"] for line in heard] == ["drop.folder_unusable"]
    away.rename(street.folder)
    street.put("a.csv", batch(1))
    assert await watch.look()
    assert "a.csv" in street.names("done")


async def test_a_file_that_cannot_be_read_stops_no_other(
    street: Street, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stays where it is, is said, and is taken once it can be read."""
    street.put("a.csv", batch(1))
    street.put("b.csv", batch(2))
    real = Folder.open

    def fails(self: Folder, name: str) -> Any:
        if name == "a.csv":
            raise OSError(errno.EIO, "no")
        return real(self, name)

    watch = street.watch()
    with monkeypatch.context() as broken:
        broken.setattr(Folder, "open", fails)
        await watch.look()
    assert "b.csv" in street.names("done")
    assert street.names("taking") == {"a.csv"}
    assert "drop.not_read" in [line["event"] for line in heard]
    await watch.look()
    assert street.names("taking") == {"a.csv"}
    street.seconds += 60
    await watch.look()
    assert {"a.csv", "b.csv"} <= street.names("done")


async def test_a_fault_of_ours_that_a_file_meets_stops_no_other(street: Street, heard: Heard) -> None:
    """An adapter that fails on one file: it stays claimed and is said, and is taken once the fault is mended."""

    def fails(file: BinaryIO) -> Iterator[Row]:
        if len(file.read()) == len(batch(1)):
            raise KeyError("ours")
        file.seek(0)
        return CUSTODY.files["text/csv"](file)

    street.adapter = replace(CUSTODY, files={"text/csv": fails})
    street.put("a.csv", batch(1))
    street.put("b.csv", batch(2))
    await street.watch().look()
    assert (street.names("taking"), "b.csv" in street.names("done")) == ({"a.csv"}, True)
    assert [line["error"] for line in heard if line["event"] == "drop.failed"] == ["KeyError"]
    street.put("a.csv", batch(3))
    await street.watch().look()
    assert (street.folder / "taking/a.csv").read_bytes() == batch(1), "another of its name was put over it"
    street.adapter = CUSTODY
    watch = street.watch()
    await watch.look()
    await watch.look()
    assert {"a.csv", "b.csv", "a.csv~2"} <= street.names("done")


async def test_a_record_that_no_journal_can_write_stops_no_other(
    street: Street, journal: Journal, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waiting for the journal to come back would be waiting for ever, with everybody behind it."""

    async def take(entry: Entry) -> Taken | Clash:
        if entry.body == GOOD:
            raise Unwritable("this one never")
        return await Journal.take(journal, entry)

    monkeypatch.setattr(journal, "take", take)
    street.put("a.xml", GOOD)
    street.put("b.csv", batch(2))
    await street.watch().look()
    assert (street.names("taking"), "b.csv" in street.names("done")) == ({"a.xml"}, True)
    assert [line["error"] for line in heard if line["event"] == "drop.failed"] == ["Unwritable"]


async def test_a_full_disk_delays_and_loses_nothing(
    street: Street, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While no receipt can be written the file stays claimed and no other is begun; then both are told of."""
    street.put("a.csv", batch(1))
    street.put("b.csv", batch(2))

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "full")

    watch = street.watch()
    with monkeypatch.context() as broken:
        broken.setattr(Folder, "lay", full)
        await watch.look()
    assert (street.names("taking"), street.names()) == ({"a.csv"}, {"b.csv"})
    assert "drop.not_taken" in [line["event"] for line in heard]
    await watch.look()
    assert {"a.csv", "b.csv", "a.csv.receipt.json"} <= street.names("done")
    assert await rows(street.engine, "select count(*) from records") == [(3,)]


async def test_a_journal_that_fails_is_waited_for(street: Street, journal: Journal) -> None:
    """The file stays claimed; once the journal commits it goes on where it stood."""
    failing = Failing(journal, 400)
    street.journal = failing
    street.put("a.csv", batch(600))
    watch = street.watch()
    await watch.look()
    assert street.names("taking") == {"a.csv"}
    failing.left = 10_000
    await watch.look()
    assert street.read("done", "a.csv.receipt.json")["accepted"] == 600
    assert await rows(street.engine, 'select count(*), count(distinct "row") from records') == [(600, 600)]


@pytest.mark.parametrize("crash", ["F1:1:raise", "F2:20:raise", "F3:1:raise", "F4:1:raise", "F5:1:raise"])
async def test_a_crash_loses_and_repeats_nothing(street: Street, crash: str) -> None:
    """Wherever it died, the next process ends as if nothing had happened."""
    street.put("a.csv", batch(40, frozenset({7})))
    failpoints.arm(crash)
    try:
        with pytest.raises(Crashed):
            await street.watch().look()
    finally:
        failpoints.arm(None)
    assert street.names("taking") == {"a.csv"}
    await street.watch().look()
    assert street.names("taking") == set()
    receipt = street.read("done", "a.csv.receipt.json")
    assert (receipt["accepted"], receipt["refused"]) == (39, 1)
    assert "a.csv~2" not in street.names("done")
    assert await rows(street.engine, 'select count(*), count(distinct "row") from records') == [(39, 39)]


async def test_one_process_at_a_time_works_on_a_folder(street: Street) -> None:
    """A second process stands by while the first has the turn, and takes over when its session ends."""
    street.put("a.csv", batch(1))
    async with open_turns(street.engine) as first, first.turn(f"drop|{SENDER}") as mine:
        assert mine
        await street.watch().look()
        assert street.names() == {"a.csv"}
        await first.close()
        await street.watch().look()
        assert "a.csv" in street.names("done")


async def test_a_thousand_files_are_taken_in_their_order(street: Street) -> None:
    """The oldest first, each once, however many lie there."""
    for number in range(1000):
        name = f"{number * 7919 % 1000:03}.xml"
        street.put(name, GOOD.replace(b"</", f"<!--{number}--></".encode(), 1))
        os.utime(street.folder / name, ns=(number * 1000, number * 1000))
    await street.watch().look()
    assert len(street.names("done")) == 3000
    settled = [(street.folder / f"done/{number * 7919 % 1000:03}.xml").stat().st_ctime_ns for number in range(1000)]
    assert settled == sorted(settled)
    assert await rows(street.engine, "select count(*) from records") == [(1000,)]


async def test_what_has_had_its_time_is_removed(street: Street) -> None:
    """Files and receipts lie there for as long as the setting says, and no longer."""
    street.put("a.csv", batch(1))
    watch = street.watch()
    await watch.look()
    assert "a.csv" in street.names("done")
    (street.folder / "done/kept by somebody").mkdir()
    street.now = datetime.now(UTC) + timedelta(days=6)
    street.seconds += 3601
    await watch.look()
    assert "a.csv" in street.names("done")
    street.now += timedelta(days=2)
    street.seconds += 3601
    await watch.look()
    assert street.names("done") == set()


async def test_the_answer_of_the_protocol_lies_beside_the_file(street: Street) -> None:
    """Where the agency's protocol defines one, it tells what became of the file, refused rows included."""
    seen: list[Answered] = []

    def answer(message: Message, answered: Answered) -> tuple[Reply, ...]:
        seen.append(answered)
        return (Reply(b"ANSWER", message.media_type),)

    street.adapter = replace(CUSTODY, answers={"text/csv": answer})
    street.put("a.csv", batch(5, frozenset({2})))
    await street.watch().look()
    assert (street.folder / "done/a.csv.answer").read_bytes() == b"ANSWER"
    (told,) = seen
    assert (told.fate.value, told.refused_rows) == ("committed", frozenset({2}))


async def test_an_interchange_is_answered_by_a_recep(street: Street) -> None:
    """EDIFACT registrations that are laid down are answered as their sender's systems expect, beside the file."""
    street.adapter = ADAPTERS["gp"]
    (example,) = sorted((EXAMPLES / "gp/examples/accepted").glob("*.edi"))[:1]
    street.put("registrations.edi", example.read_bytes())
    await street.watch().look()
    answer = (street.folder / "done/registrations.edi.answer").read_bytes()
    assert b"UNH+" in answer
    assert b"RECEP" in answer


async def test_bombs_are_told_of_and_stop_nothing(street: Street) -> None:
    """Each ends in done or refused with its receipt, and the file behind them all is taken."""
    laid = [f"{number:02}.csv" for number, _ in enumerate(bombs())]
    for name, (_, body) in zip(laid, bombs(), strict=True):
        street.put(name, body)
    street.put("zz.csv", batch(2))
    await street.watch().look()
    assert street.names("taking") == street.names() == set()
    told = street.names("done") | street.names("refused")
    assert {f"{name}.receipt.json" for name in laid} <= told
    assert street.read("done", "zz.csv.receipt.json")["accepted"] == 2


async def test_the_watch_wakes_by_itself(street: Street) -> None:
    """Run as it is in a process: a file that is laid down is taken without anybody calling."""
    running = asyncio.create_task(street.watch().run())
    try:
        street.put("a.csv", batch(1))
        async with asyncio.timeout(20):
            async for _ in awatch(street.folder, recursive=True):
                if (street.folder / "done/a.csv").exists():
                    break
    finally:
        running.cancel()
        await asyncio.wait([running])


async def test_where_nobody_tells_of_changes_the_folder_is_looked_at_all_the_same(
    street: Street, monkeypatch: pytest.MonkeyPatch, heard: Heard
) -> None:
    """A system that has no watch left to give, or whose watch breaks, delays files and ends nothing."""

    async def broken(*_: object, **__: object) -> AsyncIterator[set[object]]:
        raise ExceptionGroup("", [RuntimeError("OS file watch limit reached")])
        yield set()

    monkeypatch.setattr("gateway.intake.drop.awatch", broken)
    street.put("a.csv", batch(1))
    running = asyncio.create_task(street.watch().run())
    try:
        async with asyncio.timeout(20):
            async for _ in awatch(street.folder, recursive=True):
                if (street.folder / "done/a.csv").exists():
                    break
        assert not running.done()
    finally:
        running.cancel()
        await asyncio.wait([running])
    assert "drop.not_watched" in {line["event"] for line in heard}


def test_a_file_must_lie_unchanged_for_a_while() -> None:
    """One that grows, or is replaced by another of its name, begins anew."""
    now = 0.0
    patience = Patience(timedelta(seconds=2), lambda: now)
    a, b = Lying("a", (1, 1, 1)), Lying("b", (1, 1, 2))
    assert list(patience.ready([a, b])) == []
    now = 1.0
    grown = Lying("a", (2, 2, 1))
    assert list(patience.ready([grown, b])) == []
    now = 2.0
    assert list(patience.ready([grown, b])) == ["b"]
    now = 3.0
    assert list(patience.ready([grown])) == ["a"]


@pytest.mark.parametrize(
    ("name", "told", "expected"),
    [
        ("a.csv", {}, "text/csv"),
        ("A.CSV", {}, "text/csv"),
        ("a.xml", {}, "application/xml"),
        ("a.dat", {}, "text/csv"),
        ("a", {}, "text/csv"),
        ("a.json", {}, None),
        ("a.dat", {"dat": "application/xml"}, "application/xml"),
    ],
)
def test_the_end_of_a_name_says_what_a_file_is(name: str, told: dict[str, str], expected: str | None) -> None:
    """What its party says of such names goes first; a feed with one kind of file takes what no name tells apart."""
    assert media_type_of(name, told, CUSTODY) == expected
