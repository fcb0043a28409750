"""Acknowledgements: what a sender asked for, in its own separators, and never a word of the message."""

import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.base import Answered, Fate, Finding, Message
from adapters.gp.hl7.ack import ack
from adapters.gp.hl7.er7 import Hl7Message, open_message
from adapters.gp.hl7.rules import ERROR_CODES, NOBODY, VALUE_NOT_MAPPED
from tests.adapters.gp.hl7.messages import MOVED, PID, RECEIVED, REFERRED, changed, message

AT = datetime(2026, 3, 3, 9, 0, 5, tzinfo=UTC)
RECEIPT = uuid.UUID("0190f5c8-0000-7000-8000-00000000002a")


def answers(body: bytes, fate: Fate, *findings: Finding) -> list[Hl7Message]:
    """The acknowledgements, each of which must be a message that we could read ourselves."""
    replies = ack(Message(body, "application/hl7-v2", RECEIVED), Answered(fate, AT, RECEIPT, findings))
    return [open_message(reply.body) for reply in replies]


def answer(body: bytes, fate: Fate, *findings: Finding) -> Hl7Message:
    (one,) = answers(body, fate, *findings)
    return one


def code(one: Hl7Message) -> str:
    msa = one.first("MSA")
    assert msa is not None
    return msa.get(1)


@pytest.mark.parametrize(
    ("fate", "expected"),
    [
        (Fate.COMMITTED, "AA"),
        (Fate.REPEATED, "AA"),
        (Fate.REFUSED, "AE"),
        (Fate.CLASHED, "AE"),
        (Fate.NOT_NOW, "AR"),
    ],
)
def test_in_original_mode_there_is_one_application_acknowledgement(fate: Fate, expected: str) -> None:
    """Accepted, in error, or rejected for a reason of ours; MSA names the message it answers."""
    one = answer(MOVED, fate)
    msa = one.first("MSA")
    assert msa is not None
    assert (msa.get(1), msa.get(2)) == (expected, "M-0001")


def test_a_file_of_one_message_that_was_refused_is_no_acceptance() -> None:
    """The file was taken, its only row was not: its sender must not think that the message arrived."""
    for fate in (Fate.COMMITTED, Fate.REPEATED):
        told = Answered(fate, AT, RECEIPT, refused_rows=frozenset({1}))
        (reply,) = ack(Message(MOVED, "application/hl7-v2", RECEIVED), told)
        one = open_message(reply.body)
        msa = one.first("MSA")
        assert msa is not None
        assert (msa.get(1), msa.get(2)) == ("AE", "M-0001")
        assert "report" in msa.get(3)


def test_the_header_goes_back_where_the_message_came_from() -> None:
    """Applications and facilities change places; event, purpose and version are the message's."""
    header = answer(REFERRED, Fate.COMMITTED).header
    assert [header.get(number) for number in (3, 4, 5, 6)] == ["LGW", "LASARS", "PAS", "P88026"]
    assert [header.get(9, part) for part in (1, 2, 3)] == ["ACK", "I12", "ACK"]
    assert (header.get(7), header.get(11), header.get(12)) == ("20260303090005+0000", "P", "2.5")
    assert len(header.get(10)) == 20


@pytest.mark.parametrize(
    ("commit", "application", "fate", "expected"),
    [
        ("AL", "AL", Fate.COMMITTED, ["CA", "AA"]),
        ("AL", "NE", Fate.COMMITTED, ["CA"]),
        ("NE", "AL", Fate.COMMITTED, ["AA"]),
        ("NE", "NE", Fate.COMMITTED, []),
        ("NE", "NE", Fate.NOT_NOW, []),
        ("ER", "ER", Fate.COMMITTED, []),
        ("ER", "ER", Fate.REFUSED, ["CE", "AE"]),
        ("SU", "ER", Fate.COMMITTED, ["CA"]),
        ("SU", "ER", Fate.CLASHED, ["AE"]),
        ("ER", "NE", Fate.NOT_NOW, ["CR"]),
        ("AL", "", Fate.REPEATED, ["CA"]),
    ],
)
def test_in_enhanced_mode_a_sender_gets_what_it_asks_for(
    commit: str, application: str, fate: Fate, expected: list[str]
) -> None:
    """The commit acknowledgement first, then the application's, each under the condition of the header (table 0155)."""
    body = message(PID, msh_15=commit, msh_16=application)
    assert [code(one) for one in answers(body, fate)] == expected


def test_every_fault_has_a_segment_of_its_own() -> None:
    """ERR says where, which error of table 0357, how severe, and the rule with its fix; never a value."""
    one = answer(MOVED, Fate.REFUSED, Finding(NOBODY, "PID-3"), Finding(VALUE_NOT_MAPPED, "PID-11.7", "HOME"))
    first, second = one.every("ERR")
    assert [first.get(2, part) for part in (1, 2, 3)] == ["PID", "1", "3"]
    assert (first.get(3), first.get(3, 3), first.get(4)) == ("204", "HL70357", "E")
    assert first.get(8).startswith("GP-214 ")
    assert (second.get(3), second.get(4)) == ("103", "W")


def test_an_old_version_gets_the_error_segment_it_knows() -> None:
    """Before 2.5 an ERR has one field, with place and code in it."""
    (err,) = answer(changed(MOVED, "|2.5", "|2.3.1"), Fate.REFUSED, Finding(NOBODY, "PID-3")).every("ERR")
    assert [err.get(1, part) for part in (1, 2, 3)] == ["PID", "1", "3"]
    assert (err.get(1, 4), err.get(1, 4, 3)) == ("204", "HL70357")


def test_a_message_id_that_was_used_before_is_named_as_such() -> None:
    """Table 0357 has a code for a duplicate key: 205, at MSH-10."""
    (err,) = answer(MOVED, Fate.CLASHED).every("ERR")
    assert (err.get(2), err.get(3)) == ("MSH", "205")


def test_an_answer_is_in_the_separators_of_what_it_answers() -> None:
    """A sender reads the answer as it writes its messages."""
    body = MOVED.replace(b"|", b"#").replace(b"^~\\&", b"*!/$").replace(b"^", b"*")
    one = answer(body, Fate.REFUSED, Finding(NOBODY, "PID-3"))
    assert one.separators.field == "#"
    assert code(one) == "AE"


def test_what_cannot_be_read_is_answered_all_the_same() -> None:
    """Bytes that are no message get a bare AE; a message in a strange character set gets one with its own id."""
    assert code(answer(b"garbage", Fate.REFUSED)) == "AE"
    strange = answer(message(PID, msh_18="UNICODE UTF-16"), Fate.REFUSED)
    msa = strange.first("MSA")
    assert msa is not None
    assert msa.get(2) == "M-0001"


def test_a_file_of_several_messages_that_was_taken_has_no_acknowledgement() -> None:
    """Its report says what became of each; one refused whole is answered by its first header."""
    assert answers(MOVED + MOVED, Fate.COMMITTED) == []
    assert code(answer(MOVED + MOVED, Fate.REFUSED)) == "AE"


def test_every_rule_has_an_error_code_of_the_standard() -> None:
    """No rule of HL7 messages is told by a code that table 0357 does not have."""
    assert set(ERROR_CODES.values()) <= {"100", "101", "102", "103", "200", "201", "203", "204"}


@settings(max_examples=200)
@given(st.binary(max_size=200), st.integers(0, 300), st.sampled_from(Fate))
def test_whatever_came_the_answer_can_be_read(noise: bytes, cut: int, fate: Fate) -> None:
    """However a message is damaged, every answer to it is a message with the code of what became of it."""
    body = MOVED[:cut] + noise + MOVED[cut:]
    for one in answers(body, fate, Finding(NOBODY, "PID-3")):
        assert code(one)[1:] in {"A", "E", "R"}
