"""The published schema of the XML record and what is read agree."""

from pathlib import Path

import pytest
from lxml import etree

from adapters.base import Accepted, Held, Message, Refused
from adapters.police_custody.adapter import read
from adapters.police_custody.document import MAX_BYTES, MAX_ELEMENTS
from adapters.police_custody.wire import COLUMNS
from tests.adapters.police_custody.forms import FORMS, RECEIVED, as_xml, form, rules

ROOT = Path(__file__).parents[3]
APPLIED = ROOT / "adapters" / "police_custody" / "custody-record.xsd"
PUBLISHED = ROOT / "contracts" / "inbound" / "police_custody" / "custody-record.xsd"


def test_the_schema_we_publish_is_the_one_we_apply() -> None:
    """Whoever validates with the published schema finds what we would find."""
    assert PUBLISHED.read_bytes() == APPLIED.read_bytes()


def test_the_schema_and_the_columns_have_the_same_fields() -> None:
    """Every element is a column and every column an element."""
    names = {
        element.get("name") for element in etree.parse(APPLIED).iterfind(".//{http://www.w3.org/2001/XMLSchema}all/*")
    }
    assert names == set(COLUMNS)


@pytest.mark.parametrize("form_type", FORMS)
def test_what_the_schema_takes_is_taken(form_type: str) -> None:
    """A good form of every type is valid by the published schema."""
    schema = etree.XMLSchema(etree.parse(PUBLISHED))
    assert schema.validate(etree.fromstring(as_xml(form(form_type))))


@pytest.mark.parametrize(
    ("written", "instead", "field"),
    [
        (b"</detainee>", b"<form_id>9</form_id></detainee>", "form_id"),
        (b"<surname>", b"<surname>Again</surname><surname>", "surname"),
        (b"Hyacinth</forenames>", b"Hyacinth<b>Thistlewood</b></forenames>", "forenames"),
        (b"</custody_record>", b"<detention/></custody_record>", "detention"),
    ],
)
def test_what_the_schema_does_not_know_is_refused(written: bytes, instead: bytes, field: str) -> None:
    """An element in a wrong place, or twice in its own, is refused where it stands and never quoted."""
    outcome = read(Message(as_xml(form("RA5")).replace(written, instead), "application/xml", RECEIVED))
    assert isinstance(outcome, Refused)
    assert ("CU-002", field) in rules(outcome)
    assert "Thistlewood" not in " ".join(finding.text for finding in outcome.findings)


@pytest.mark.parametrize(
    ("end", "more", "part"),
    [
        (b"</detainee>", b"<shoe_size>9</shoe_size>", "detainee"),
        (b"</detention>", b"<Thistlewood><of>here</of></Thistlewood>", "detention"),
        (b"</form>", b'<note xmlns="urn:other">Thistlewood</note>', "form"),
        (b"</custody_record>", b"<officer>Thistlewood</officer>", "custody_record"),
    ],
)
def test_what_a_force_says_besides_is_left_out_and_told(end: bytes, more: bytes, part: str) -> None:
    """A new element changes nothing that is told; the finding says in which part it stood, and never its name."""
    body = as_xml(form("RA5"))
    plain = read(Message(body, "application/xml", RECEIVED))
    outcome = read(Message(body.replace(end, more + end), "application/xml", RECEIVED))
    assert isinstance(plain, Accepted)
    assert isinstance(outcome, Accepted)
    assert outcome.facts == plain.facts
    assert rules(outcome) == [*rules(plain), ("FD-001", part)]
    assert "Thistlewood" not in " ".join(finding.text for finding in outcome.findings)


def test_a_fault_is_told_once() -> None:
    """Where a rule says what is wrong with a field, the schema does not say it again."""
    outcome = read(Message(as_xml(form("RA1", date_of_birth="30/11/88", due_at="soon")), "application/xml", RECEIVED))
    assert sorted(rules(outcome)) == [("CU-014", "date_of_birth"), ("CU-016", "due_at")]


def test_a_code_nobody_knows_is_not_the_schemas_business() -> None:
    """The schema leaves lists of codes open: a new code is held until it is mapped, never refused."""
    assert isinstance(read(Message(as_xml(form("RA3", attendance="LATE")), "application/xml", RECEIVED)), Held)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not XML",
        b"<custody_record",
        b'<!DOCTYPE a SYSTEM "file:///etc/hostname"><a/>',
        b'<?xml version="1.0" encoding="UTF-7"?><a/>',
        b'<?xml version="1.0"' + b" " * 300 + b'encoding="UTF-7"?><a/>',
        "<a/>".encode("utf-16"),
        b"<a>&nothing;</a>",
        b"<a>" * 300 + b"</a>" * 300,
        b"<a>" + b" " * MAX_BYTES + b"</a>",
        b"<a>" + b"<b/>" * MAX_ELEMENTS + b"</a>",
    ],
    ids=["empty", "text", "cut", "doctype", "utf-7", "utf-7 far in", "utf-16", "entity", "deep", "long", "many"],
)
def test_what_is_not_plain_xml_is_refused(body: bytes) -> None:
    """Document types, foreign encodings, depth and length are refused before anything is made of them."""
    assert rules(read(Message(body, "application/xml", RECEIVED))) == [("CU-001", "document")]


def test_more_forms_than_the_schema_allows_are_not_read() -> None:
    """One fault is told, and not those of a hundred thousand forms."""
    whole = as_xml(form("RA5"))
    begin, end = whole.index(b"<form>"), whole.index(b"</form>") + len(b"</form>")
    outcome = read(Message(whole[:begin] + b"<form/>" * 19_000 + whole[end:], "application/xml", RECEIVED))
    assert rules(outcome) == [("CU-002", "form")]


@pytest.mark.parametrize("name", ["علی\u200cاکبر", "ශ්\u200dරීමතී", "אברהם\u200f כהן"])
def test_a_name_may_need_characters_that_show_nothing(name: str) -> None:
    """Joiners and marks of direction belong to names of many scripts."""
    assert isinstance(read(Message(as_xml(form("RA5", surname=name)), "application/xml", RECEIVED)), Accepted)


@pytest.mark.parametrize("written", ["14 Invented\n      Row", " 14 Invented\tRow ", "14 Invented \r\n Row"])
def test_a_break_of_line_within_a_text_is_one_blank(written: str) -> None:
    """A text is one line, however its document was laid out."""
    outcome = read(Message(as_xml(form("RA5", address_1=written)), "application/xml", RECEIVED))
    assert isinstance(outcome, Accepted)
    event = outcome.facts[0].event
    assert event is not None
    assert event.person.addresses[0].lines[0] == "14 Invented Row"


@pytest.mark.parametrize("name", ["Oaks\u202e", "Oaks\u2066", "Oaks\ufeff", "Oaks\u00ad", "Oaks\u200b"])
def test_what_only_deceives_the_eye_is_no_text(name: str) -> None:
    """What turns the direction of all that follows, or hides within a word, is refused."""
    outcome = read(Message(as_xml(form("RA5", surname=name)), "application/xml", RECEIVED))
    assert rules(outcome) == [("CU-011", "surname")]
