from collections.abc import Iterable, Mapping
from pathlib import Path

import orjson

from gateway.local.arrivals import Writings
from gateway.local.cast import ENFIELD_DESK
from gateway.local.installation import prepare

APPLIED = {
    "what": "applied",
    "id": "d1",
    "event": "e1",
    "kind": "k",
    "change": "fact",
    "role": "home",
    "person": "P-A",
    "at": 1.0,
}


def test_books_are_read_while_they_are_written(tmp_path: Path) -> None:
    """A line counts once it is whole, and what was read before is not forgotten."""
    own = prepare(tmp_path, lambda _: 1)
    written = Writings(own)
    assert written.applied() == []
    line = orjson.dumps(APPLIED)
    with own.book("lasars-kent").open("ab") as book:
        book.write(line[:30])
        book.flush()
        assert written.applied() == []
        book.write(line[30:] + b"\n")
        book.flush()
        assert [one.delivery for one in written.applied()] == ["d1"]
        assert written.unanswered() == 1
        told = {"what": "answered", "id": "d1", "result": "accepted", "status": 200}
        refused = {"what": "answered", "id": "d1", "result": "closed", "status": 409}
        book.writelines(orjson.dumps(line) + b"\n" for line in (told, refused))
        book.flush()
    assert written.unanswered() == 0
    assert written.results("lasars-kent") == {"accepted"}
    assert [one.delivery for one in written.applied()] == ["d1"]


def test_repeats_are_no_acceptances(tmp_path: Path) -> None:
    """The same receipt again counts once, however it was answered; of a file those rows count that were not refused."""
    own = prepare(tmp_path, lambda _: 1)
    line = {"what": "accepted", "door": "files", "receipt": "f", "rows": 500, "refused": 7}
    _write(own.outbox("met-police"), [{**line, "status": status} for status in (202, 200)])
    (one,) = Writings(own).accepted()
    assert (one.agency, one.receipt, one.rows) == ("met-police", "f", 493)


def test_a_lasars_that_sends_has_two_books(tmp_path: Path) -> None:
    """What it was told is taken stands apart from what arrived at it."""
    own = prepare(tmp_path, lambda _: 1)
    _write(own.book(ENFIELD_DESK.id), [APPLIED])
    accepted = {"what": "accepted", "door": "records", "receipt": "r", "rows": None, "refused": None, "status": 202}
    _write(own.outbox(ENFIELD_DESK.id), [accepted])
    written = Writings(own)
    assert [one.recipient for one in written.applied()] == [ENFIELD_DESK.id]
    assert [(one.agency, one.receipt) for one in written.accepted()] == [(ENFIELD_DESK.id, "r")]


def test_a_case_counts_when_it_was_told(tmp_path: Path) -> None:
    """Parts of a case, and what was not answered, are no case that was told."""
    own = prepare(tmp_path, lambda _: 1)
    told = [("case", 503), ("case", 200), ("part", 200), ("case", 404)]
    _write(own.case_log, [{"what": "asked", "about": about, "status": status} for about, status in told])
    assert Writings(own).cases_told() == 1


def _write(file: Path, lines: Iterable[Mapping[str, object]]) -> None:
    file.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
