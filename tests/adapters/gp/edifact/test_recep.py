"""The receipt report: every interchange that says whom to answer is answered, message by message."""

import io
from datetime import UTC, datetime

import pytest

from adapters.base import Answered, Fate, Finding, Message
from adapters.gp import build
from adapters.gp.edifact.fhsreg import MEDIA_TYPE
from adapters.gp.edifact.interchange import EdiMessage, Interchange
from adapters.gp.edifact.recep import recep
from adapters.gp.edifact.rules import MISSING, NUMBER_AMENDED
from tests.adapters.gp.edifact.interchanges import AMENDED, DEDUCTED, GOOD, RECEIVED, changed, interchange, message

AT = datetime(2026, 7, 1, 9, 5, tzinfo=UTC)


def answer(body: bytes, answered: Answered) -> bytes:
    (reply,) = recep(Message(body, MEDIA_TYPE, RECEIVED), answered)
    assert reply.media_type == MEDIA_TYPE
    return reply.body


def report(body: bytes, answered: Answered) -> EdiMessage:
    """The one message of the answer, which must be an interchange that we would take ourselves."""
    (one,) = Interchange(io.BytesIO(answer(body, answered))).messages()
    return one


def codes(body: bytes, answered: Answered) -> list[str]:
    """What is said of each message, and of the interchange."""
    return [segment.value(0, 1) for segment in report(body, answered).body if segment.tag == "RFF"]


def test_what_was_taken_is_reported_message_by_message() -> None:
    """CP for each message, OK for the interchange with how many it held."""
    one = report(GOOD, Answered(Fate.COMMITTED, AT))
    assert (one.kind, one.version) == ("RECEP", "0:2:FH")
    assert [segment.elements for segment in one.body] == [
        (("",), ("600",), ("243", "202607011005", "306"), ("3",)),
        (("XX1", "819", "201"), ("4826940", "814", "202")),
        (("815", "202607011005", "306"),),
        (("MIS", "00000006 CP"),),
        (("MIS", "00000007 CP"),),
        (("MIS", "00000008 CP"),),
        (("RIS", "00000003 OK", "3"),),
    ]


def test_the_report_goes_back_to_who_sent_the_interchange() -> None:
    """Sender and recipient change places; the report has the number of what it answers, and London's time."""
    header = Interchange(io.BytesIO(answer(GOOD, Answered(Fate.REPEATED, AT)))).header
    assert (header.sender, header.recipient, header.reference) == ("TES5", "XX11", "00000003")
    assert (header.day, header.clock) == ("260701", "1005")
    assert header.segment.value(6) == "RECEP"


def test_a_file_with_refused_rows_is_reported_in_error() -> None:
    """CA for the message a refused row stood in, CP for the others, ER for the interchange."""
    body = interchange(message(AMENDED, AMENDED), message(DEDUCTED, kind="F2", reference=7))
    assert codes(body, Answered(Fate.COMMITTED, AT, refused_rows=frozenset({3}))) == [
        "00000006 CP",
        "00000007 CA",
        "00000003 ER",
    ]


def test_a_refused_record_says_which_message_was_at_fault() -> None:
    """CA where the fault is, CI where nothing was wrong but nothing was taken, NA for the interchange."""
    found = (Finding(MISSING, "message[2]/S01[1]/GIS"), Finding(NUMBER_AMENDED, "message[1]/S01[1]/PNA+PER"))
    assert codes(GOOD, Answered(Fate.REFUSED, AT, findings=found)) == [
        "00000006 CI",
        "00000007 CA",
        "00000008 CI",
        "00000003 NA",
    ]


def test_an_interchange_that_breaks_off_is_answered_as_far_as_it_goes() -> None:
    """What could be read is told as not completed: nothing was taken."""
    cut = GOOD[: GOOD.index(b"UNH+00000008")]
    outcome = build({}).read(Message(cut, MEDIA_TYPE, RECEIVED))
    findings = getattr(outcome, "findings", ())
    assert codes(cut, Answered(Fate.REFUSED, AT, findings=findings)) == ["00000006 CI", "00000007 CI", "00000003 NA"]


def test_a_clash_takes_nothing() -> None:
    """An id that was used before takes nothing of what came under it now."""
    assert codes(GOOD, Answered(Fate.CLASHED, AT))[-1] == "00000003 NA"


@pytest.mark.parametrize(
    ("body", "fate"), [(GOOD, Fate.NOT_NOW), (b"garbage", Fate.REFUSED), (b"UNB+UNOA:2+A+B'", Fate.REFUSED)]
)
def test_there_is_no_report_where_nothing_was_decided_or_nobody_is_named(body: bytes, fate: Fate) -> None:
    """An interchange that must be sent again is not reported on; neither is one that does not say whose it is."""
    assert recep(Message(body, MEDIA_TYPE, RECEIVED), Answered(fate, AT)) == ()


def test_the_same_interchange_gets_the_same_report() -> None:
    """Sent again, it is told the same in the same words."""
    assert answer(GOOD, Answered(Fate.COMMITTED, AT)) == answer(GOOD, Answered(Fate.REPEATED, AT))


def test_names_of_partners_are_released() -> None:
    """A partner's code with a separator in it does not break the report."""
    body = changed(GOOD, "+XX11+", "+X?+1+")
    assert Interchange(io.BytesIO(answer(body, Answered(Fate.COMMITTED, AT)))).header.recipient == "X+1"
