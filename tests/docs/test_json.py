"""What commands answer with --json has the names the page gives, so that programs can be written by it."""

import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.base import Finding, Held, Ignored, Level, Refused, Rule
from gateway.connecting.case import Case, Result
from gateway.connecting.logbook import Answer, Logbook, Plan
from gateway.connecting.parcel import Door, Parcel
from gateway.connecting.report_page import Report
from gateway.connecting.statement import statement
from gateway.offline.check import as_object
from gateway.offline.records import Examined
from gateway.operations.queue import Stopped
from gateway.operations.reconcile import Ledgers
from gateway.operations.status import Status
from gateway.operations.trace import Journey
from gateway.operations.trace_file import FileTraced
from gateway.operations.trace_message import RefusalTraced

PAGE = (Path(__file__).parents[2] / "docs" / "5-reference" / "json.md").read_text(encoding="utf-8")
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
FINDING = Finding(Rule("XX-001", Level.REFUSE, "Wrong", "Mend it"), "field")
CASE = Case(1, "good", "It is taken.", Result.PASSED)
STOPPED = Stopped(uuid.UUID(int=1), "event", "held", "no_lasars", "operations", NOW, None, "custody.charged for home")


def documented(command: str, what: str) -> set[str]:
    """The names the page gives, without those that stand in brackets and belong to something within."""
    rows = [[part.strip() for part in row.split("|")[1:4]] for row in PAGE.splitlines() if row.startswith("| ")]
    last = ""
    for named, thing, names in rows:
        last = named or last
        if command in last and thing == what:
            return set(re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)", "", names)))
    raise AssertionError(f"{command}, {what}: not on the page")


def sent(folder: Path) -> Mapping[str, object]:
    """A statement of two records and a batch file, one of which is not sent yet."""
    doors: tuple[Door, ...] = ("records", "files", "records")
    parcels = tuple(
        Parcel(folder / f"{number}.csv", door, "text/csv", "0" * 64, 1, f"B-1-{number}")
        for number, door in enumerate(doors)
    )
    logbook = Logbook.begin(folder / "x.sending", Plan("B-1", "http://h", "c", "police_custody", NOW, parcels))
    logbook.answered(Answer(0, 202, "r", "validated", accepted=1))
    logbook.answered(Answer(1, 202, "f", "taken", rows=1, accepted=1))
    logbook.close(done=False)
    return statement(logbook, NOW)


@pytest.mark.parametrize("outcome", [Held("code_not_mapped", ()), Ignored("x.y"), Refused((FINDING,))], ids=str)
def test_a_record_that_was_checked(outcome: Held | Ignored | Refused) -> None:
    """Whatever became of it."""
    assert set(as_object(Examined("a.csv", 1, outcome))) <= documented("lgw check", "each record")


def test_a_statement(tmp_path: Path) -> None:
    """And each of what was sent, by either door."""
    told = sent(tmp_path)
    parcels = told["parcels"]
    assert isinstance(parcels, list)
    assert set(told) == documented("lgw send", "the statement")
    assert set(parcels[1]) == documented("lgw send", "each of `parcels`")
    assert set(parcels[2]) == {"file", "sha256", "bytes", "message_id", "state"}


def test_a_report_of_a_kit() -> None:
    """And each of its cases."""
    assert set(Report("Kit", {}, NOW, [CASE]).as_json()) == documented("lgw conform", "the report")
    assert set(CASE.as_json()) == documented("lgw conform", "each of `cases`")


def test_what_is_traced() -> None:
    """A record, a file, and what was refused."""
    one = uuid.UUID(int=1)
    assert set(Journey(one, NOW, ()).as_json()) == documented("lgw trace", "a record")
    file = FileTraced(one, "s", "a", NOW, None, "taken", (), {}, ())
    assert set(file.as_json()) == documented("lgw trace", "a file")
    assert set(RefusalTraced(one, "s", "a", NOW, ()).as_json()) == documented("lgw trace", "what was refused")


def test_what_operations_are_told() -> None:
    """The whole, and each thing that has stopped."""
    status = Status(NOW, Ledgers({}, {}, {}, {}), None, (), (), (), ())
    assert set(status.as_json()) == documented("lgw status", "the whole")
    assert set(STOPPED.as_json()) == documented("lgw queue", "each thing that has stopped")
