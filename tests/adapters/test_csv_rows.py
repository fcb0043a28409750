"""A CSV file is cut into rows that can each be read alone, in the memory of one row."""

import csv
import io
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.base import FileRefused, Level, Row, Rule
from adapters.csv_rows import NoRow, Uneven, read_row, rows

HEADER_WRONG = Rule("XX-080", Level.REFUSE, "Header", "Mend it.")
NO_END = Rule("XX-081", Level.REFUSE, "No end", "Mend it.")
LONGEST = 400
NAMES = st.lists(st.text(string.ascii_lowercase, min_size=1, max_size=6), min_size=1, max_size=5, unique=True)
VALUE = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), max_size=12)


def cut(body: bytes, required: frozenset[str] = frozenset()) -> list[Row]:
    """All rows of a file."""
    return list(rows(required, LONGEST, header_wrong=HEADER_WRONG, no_end=NO_END)(io.BytesIO(body)))


@given(data=st.data(), names=NAMES, bom=st.booleans(), end=st.sampled_from(["\r\n", "\n"]))
def test_what_was_written_is_read(data: st.DataObject, names: list[str], bom: bool, end: str) -> None:
    """Commas, quotation marks, line breaks and any script come back as they were, row by row."""
    row = st.lists(VALUE, min_size=len(names), max_size=len(names)).filter(
        lambda values: any(values) or len(values) > 1
    )
    written = data.draw(st.lists(row, max_size=5))
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end).writerows([names, *written])
    body = (b"\xef\xbb\xbf" if bom else b"") + text.getvalue().encode()
    found = cut(body, frozenset(names))
    assert [row.number for row in found] == list(range(1, len(written) + 1))
    assert [list(read_row(row.body).values()) for row in found] == written


@given(st.binary(max_size=600))
def test_no_bytes_raise_but_a_refusal(body: bytes) -> None:
    """Whatever comes is rows or refused whole, and each row is read or said to be none."""
    try:
        found = cut(body)
    except FileRefused as refused:
        assert refused.finding.rule in (HEADER_WRONG, NO_END)  # noqa: PT017 - being refused is one right answer
        return
    for row in found:
        assert len(row.body) <= 2 * LONGEST + 2
        try:
            read_row(row.body)
        except (NoRow, Uneven, UnicodeDecodeError):
            continue


@pytest.mark.parametrize(
    "body",
    [
        b'a,b\n1,"2\n' + b"x\n" * 500,
        b"a,b\n" + b"1" * 1000,
        b"a" * 1000,
        b'a,b\n1,"2"3\n',
    ],
)
def test_a_row_without_an_end_is_refused_and_not_gathered(body: bytes) -> None:
    """A quotation mark that is not closed does not read the rest of the file into memory."""
    with pytest.raises(FileRefused) as refused:
        cut(body)
    assert refused.value.finding.rule is NO_END


@pytest.mark.parametrize(
    ("header", "detail"), [(b"a,c", "without b"), (b"a,b,a", "a column stands in it twice"), (b"", "without a, b")]
)
def test_a_header_that_is_none_is_refused(header: bytes, detail: str) -> None:
    """What it lacks is named; what it has is not, since it may be a row."""
    with pytest.raises(FileRefused) as refused:
        cut(header + b"\n1,2\n", frozenset({"a", "b"}))
    assert (refused.value.finding.rule, refused.value.finding.detail) == (HEADER_WRONG, detail)


def test_a_header_in_another_encoding_is_refused_by_that_name() -> None:
    """And one in UTF-8 is read in any script."""
    needed = frozenset({"Prénom"})
    for encoding in ("cp1252", "utf-16"):
        with pytest.raises(FileRefused) as refused:
            cut("Prénom,b\n1,2\n".encode(encoding), needed)
        assert (refused.value.finding.rule, refused.value.finding.detail) == (HEADER_WRONG, "not in UTF-8")
    assert [row.number for row in cut("Prénom,b\n1,2\n".encode(), needed)] == [1]


def test_a_quotation_mark_inside_a_value_is_a_character() -> None:
    """Only one at the beginning of a value opens it, so an inch or a nickname stops no file."""
    (row,) = cut(b'a,b\n65 "Tanner Lane,2\n')
    assert read_row(row.body) == {"a": '65 "Tanner Lane', "b": "2"}


def test_blank_lines_are_no_records() -> None:
    """Wherever they stand."""
    assert [row.number for row in cut(b"a,b\n\n1,2\n\n\n3,4\n\n")] == [1, 2]
