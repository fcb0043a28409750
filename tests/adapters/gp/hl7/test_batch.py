"""Files of HL7 v2 messages: each message a row, and batches that count what they hold."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.base import Accepted, FileRefused, Message, Refused, Row
from adapters.gp import build
from adapters.gp.hl7.batch import rows
from adapters.gp.hl7.er7 import LONGEST
from tests.adapters.gp.hl7.messages import MOVED, RECEIVED

ADAPTER = build({})
FHS, BHS = b"FHS|^~\\&|PAS\r", b"BHS|^~\\&|PAS\r"


def cut(file: bytes) -> list[Row]:
    return list(rows(io.BytesIO(file)))


def refused(file: bytes) -> str:
    """The rule by which a file is refused whole."""
    with pytest.raises(FileRefused) as raised:
        cut(file)
    return raised.value.finding.rule.id


@pytest.mark.parametrize(
    "file",
    [
        MOVED * 3,
        MOVED.replace(b"\r", b"\r\n") * 3,
        (b"\x0b" + MOVED + b"\x1c\r") * 3,
        b"\xef\xbb\xbf" + MOVED * 3,
        BHS + MOVED * 3 + b"BTS|3\r",
        BHS + MOVED * 3 + b"BTS\r",
        FHS + BHS + MOVED * 2 + b"BTS|2\r" + BHS + MOVED + b"BTS|1\r" + b"FTS|2\r",
    ],
)
def test_a_file_has_a_row_for_each_message(file: bytes) -> None:
    """With or without batches, in whatever line ends, with MLLP's framing left in or without."""
    found = cut(file)
    assert [row.number for row in found] == [1, 2, 3]
    for row in found:
        assert isinstance(ADAPTER.read(Message(row.body, row.media_type, RECEIVED)), Accepted)


@pytest.mark.parametrize(
    ("rule", "file"),
    [
        ("GP-207", BHS + MOVED + b"BTS|2\r"),
        ("GP-207", BHS + MOVED + b"BTS|many\r"),
        ("GP-207", FHS + BHS + MOVED + b"BTS|1\rFTS|2\r"),
        ("GP-208", BHS + MOVED),
        ("GP-208", FHS + BHS + MOVED + b"BTS|1\r"),
        ("GP-208", FHS + MOVED + b"FTS|1\r"),
        ("GP-208", BHS + BHS + MOVED + b"BTS|1\r"),
        ("GP-208", b"BTS|0\r"),
        ("GP-208", FHS + BHS + MOVED + b"BTS|1\rFTS|1\r" + MOVED),
        ("GP-208", b"PID|1\r" + MOVED),
        ("GP-208", MOVED + BHS + MOVED + b"BTS|1\r"),
    ],
)
def test_a_batch_that_is_broken_or_counts_wrongly_is_refused_whole(rule: str, file: bytes) -> None:
    """A count that does not hold, a missing trailer, and what stands where it cannot."""
    assert refused(file) == rule


def test_a_message_that_is_too_long_is_a_row_that_is_refused() -> None:
    """One monstrous message does not sink its file, and its end is not read as another message."""
    monster = MOVED + b"OBX|1|ED|" + b"A" * (3 * LONGEST) + b"\r"
    short, long, last = cut(MOVED + monster + MOVED)
    assert len(long.body) < 2 * LONGEST
    outcome = ADAPTER.read(Message(long.body, long.media_type, RECEIVED))
    assert isinstance(outcome, Refused)
    assert [one.rule.id for one in outcome.findings] == ["GP-209"]
    assert short.body == last.body


@given(
    st.lists(st.sampled_from([FHS, BHS, b"BTS|1\r", b"FTS|1\r", b"PID|1\r", MOVED, b"\n", b"\x0b\x1c"]), max_size=12)
)
def test_whatever_stands_in_a_file_it_is_cut_or_refused(parts: list[bytes]) -> None:
    """Every order of headers, messages and trailers has one of two ends, and no message is lost in the first."""
    try:
        found = cut(b"".join(parts))
    except FileRefused as fault:
        assert fault.finding.rule.id in {"GP-207", "GP-208"}  # noqa: PT017 - being refused is one right answer
    else:
        assert len(found) == parts.count(MOVED)
