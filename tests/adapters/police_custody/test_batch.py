"""A CSV file is cut into rows that can each be read alone, in the memory of one row."""

import csv
import io
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.base import FileRefused, Finding, Row
from adapters.police_custody.batch import MAX_ROW, read_row, rows
from adapters.police_custody.wire import REQUIRED_COLUMNS

HEADER = ",".join(REQUIRED_COLUMNS)
GOOD = ",".join(f"v{number}" for number in range(len(REQUIRED_COLUMNS)))


def cut(text: str | bytes) -> list[Row]:
    """The rows of a file."""
    return list(rows(io.BytesIO(text.encode() if isinstance(text, str) else text)))


def refusal(text: str | bytes) -> str:
    """The rule a file is refused whole by."""
    with pytest.raises(FileRefused) as refused:
        cut(text)
    return refused.value.finding.rule.id


def fields(row: Row) -> dict[str, str]:
    """What a row reads as when it stands alone."""
    read = read_row(row.body)
    assert not isinstance(read, Finding)
    return read.fields


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False])
def test_rows_are_counted_as_the_sender_counts(mark: str, end: str, last: bool) -> None:
    """The first row after the header is 1, blank lines are none, and a last line without an end is a row."""
    text = mark + end.join([HEADER, GOOD, "", GOOD]) + (end if last else "")
    found = cut(text)
    assert [row.number for row in found] == [1, 2]
    assert fields(found[0]) == fields(found[1]) == dict(zip(REQUIRED_COLUMNS, GOOD.split(","), strict=True))


cells = st.lists(
    st.text(st.characters(exclude_categories=("Cs",)), max_size=12),
    min_size=len(REQUIRED_COLUMNS),
    max_size=len(REQUIRED_COLUMNS),
)


@given(
    st.lists(cells.filter(lambda row: any(cell.strip() for cell in row) and not row[0].startswith("#END")), max_size=8)
)
def test_whatever_is_in_a_value_stays_in_it(table: list[list[str]]) -> None:
    """Line breaks, commas and quotation marks inside a value never become a row or a column; an empty one is none."""
    written = io.StringIO(newline="")
    csv.writer(written, quoting=csv.QUOTE_ALL).writerows([REQUIRED_COLUMNS, *table])
    told = [{name: cell for name, cell in zip(REQUIRED_COLUMNS, row, strict=True) if cell.strip()} for row in table]
    assert [fields(row) for row in cut(written.getvalue())] == told


def test_a_mark_inside_a_value_is_a_character() -> None:
    """A height in inches does not swallow the rows after it."""
    inches = GOOD.replace("v0", '12" rule')
    found = cut(f"{HEADER}\n{inches}\n{GOOD}\n")
    assert len(found) == 2
    assert fields(found[0])["form_type"] == '12" rule'


@pytest.mark.parametrize(
    "header",
    ["", "form_type", f"{HEADER},surname", HEADER.replace(",", ";"), '"' + HEADER],
)
def test_another_header_refuses_the_file(header: str) -> None:
    """A file whose columns are not ours is not guessed at."""
    assert refusal(f"{header}\n{GOOD}\n") in {"CU-080", "CU-083"}


def test_a_column_of_theirs_is_left_out_and_told() -> None:
    """A column that is not in the contract refuses nothing; each row says where it stands, and never its name."""
    (row,) = cut(f"Thistlewood,{HEADER}\nsomething,{GOOD}\n")
    read = read_row(row.body)
    assert not isinstance(read, Finding)
    assert read.fields == fields(cut(f"{HEADER}\n{GOOD}\n")[0])
    assert [(finding.rule.id, finding.field) for finding in read.findings] == [("FD-001", "column 1")]


def test_columns_stand_in_any_order() -> None:
    """The header says which value is which."""
    turned = ",".join(reversed(REQUIRED_COLUMNS))
    assert fields(cut(f"{turned}\n{GOOD}\n")[0])["form_id"] == GOOD.split(",")[REQUIRED_COLUMNS[::-1].index("form_id")]


@pytest.mark.parametrize("text", [b"\xff\xfe" + HEADER.encode("utf-16-le"), HEADER.encode() + b",\xe9\n"])
def test_a_header_that_is_not_utf_8_refuses_the_file(text: bytes) -> None:
    """UTF-16 and Latin-1 are not read as if they were UTF-8."""
    assert refusal(text) == "CU-080"


def test_the_last_line_holds_the_file_to_its_count() -> None:
    """A counted file that lost a row, gained one or goes on after its end is refused whole."""
    assert len(cut(f"{HEADER}\n{GOOD}\n{GOOD}\n#END,2\n")) == 2
    assert refusal(f"{HEADER}\n{GOOD}\n#END,2\n") == "CU-084"
    assert refusal(f"{HEADER}\n{GOOD}\n#END,1\n{GOOD}\n") == "CU-084"
    assert refusal(f"{HEADER}\n{GOOD}\n#END,many\n") == "CU-084"
    assert refusal(f"{HEADER}\n{GOOD}\n#END\n") == "CU-084"


@pytest.mark.parametrize("rest", ['"never closed\nand so on\n', '"' + "x" * MAX_ROW, "x" * (MAX_ROW + 1)])
def test_a_row_without_end_refuses_the_file(rest: str) -> None:
    """What comes after a mark that never closes cannot be told apart, and is not read without bound."""
    assert refusal(f"{HEADER}\n{rest}") == "CU-083"


@pytest.mark.parametrize(
    ("row", "rule"),
    [(b"a,b\n", "CU-081"), (b'"a"b,' + GOOD.encode(), "CU-081"), (b"\xe9," + GOOD.encode(), "CU-082"), (b"", "CU-081")],
)
def test_one_bad_row_is_refused_alone(row: bytes, rule: str) -> None:
    """A row that cannot be cut is told by its rule, when it is read."""
    read = read_row(HEADER.encode() + b"\n" + row)
    assert isinstance(read, Finding)
    assert read.rule.id == rule


def test_a_record_is_one_row() -> None:
    """Two rows sent as a record are refused: a file has its own door."""
    read = read_row(f"{HEADER}\n{GOOD}\n{GOOD}\n".encode())
    assert isinstance(read, Finding)
    assert read.rule.id == "CU-081"


class Endless(io.RawIOBase):
    """A file of so many rows that is never whole in memory."""

    def __init__(self, count: int) -> None:
        self._lines: Iterator[bytes] = (f"{line}\n".encode() for line in [HEADER, *[GOOD] * count])
        self._rest = b""

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        """As much of the next line as fits."""
        self._rest = self._rest or next(self._lines, b"")
        part, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


def test_memory_is_that_of_a_row() -> None:
    """A file a hundred times as long takes no more memory to cut."""

    def peak(count: int) -> int:
        tracemalloc.start()
        for _ in rows(io.BufferedReader(Endless(count))):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(10)
    assert peak(20_000) < peak(200) + 512 * 1024
