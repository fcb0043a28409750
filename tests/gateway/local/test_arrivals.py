from pathlib import Path

import orjson

from gateway.local.arrivals import Writings
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
        book.write(orjson.dumps({"what": "answered", "id": "d1", "result": "accepted", "status": 200}) + b"\n")
        book.flush()
    assert written.unanswered() == 0
    assert [one.delivery for one in written.applied()] == ["d1"]


def test_repeats_are_no_acceptances(tmp_path: Path) -> None:
    """A 200 is the first receipt again; of a file those rows count that were not refused."""
    own = prepare(tmp_path, lambda _: 1)
    line = {"what": "accepted", "door": "files", "receipt": "f", "rows": 500, "refused": 7}
    own.outbox("met-police").write_bytes(
        b"".join(orjson.dumps({**line, "status": status}) + b"\n" for status in (202, 200))
    )
    (one,) = Writings(own).accepted()
    assert (one.agency, one.receipt, one.rows) == ("met-police", "f", 493)
