import io
import json

from hypothesis import given
from hypothesis import strategies as st

from adapters import ndjson
from adapters.hmpps.envelope import LONGEST
from tests.adapters.prison.outcomes import faults
from tests.adapters.prison.records import read, received

rows = ndjson.rows(LONGEST)


def test_each_line_is_a_record_of_its_own() -> None:
    """Rows are numbered as an editor numbers lines; a bad one is refused alone."""
    good = json.dumps(received(code="I")).encode()
    cut = list(rows(io.BytesIO(good + b"\r\n\nnot json\n" + good)))
    assert [row.number for row in cut] == [1, 3, 4]
    assert cut[0].body == cut[2].body == good
    assert {row.media_type for row in cut} == {"application/json"}
    assert faults(read(cut[1].body)) == {("PR-001", "")}


def test_an_endless_line_costs_its_own_row_only() -> None:
    """A line longer than any record is refused by its length in bounded memory, and the next line is read."""
    file = io.BytesIO(b"[" * (3 * LONGEST) + b"\n" + b'{"eventType":"x"}\n')
    long, next_one = rows(file)
    assert LONGEST < len(long.body) <= LONGEST + 2
    assert faults(read(long.body)) == {("PR-007", "")}
    assert (next_one.number, next_one.body) == (2, b'{"eventType":"x"}')


def test_the_longest_record_is_still_one() -> None:
    """A record of exactly the limit is cut whole, whatever its line end."""
    body = b'{"eventType":"x"}'.ljust(LONGEST)
    for end in (b"\n", b"\r\n", b""):
        (row,) = rows(io.BytesIO(body + end))
        assert row.body == body


@given(st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=3), max_size=20))
def test_what_was_written_is_what_is_cut(records: list[dict[str, str]]) -> None:
    """Every record of a file comes out once, in order."""
    written = [json.dumps(record).encode() for record in records]
    assert [row.body for row in rows(io.BytesIO(b"\n".join(written)))] == written
