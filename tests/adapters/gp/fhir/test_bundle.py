"""A message taken apart: bounded, unambiguous, and the same from JSON and from XML."""

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.base import Accepted, Refused
from adapters.gp.fhir import rules
from adapters.gp.fhir.bundle import LONGEST
from tests.adapters.gp.fhir.bars import EXAMPLES, JSON, XML, Json, fact, part, read, referral, told, xml
from tests.adapters.prison.outcomes import faults

HEAD = b'<Bundle xmlns="http://hl7.org/fhir"><type value="message"/>'
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn")), min_size=1, max_size=40)
MESSAGES = sorted(path for path in (EXAMPLES / "accepted").glob("*.json") if path.suffix == ".json")


@pytest.mark.parametrize("path", MESSAGES, ids=lambda path: path.name)
def test_a_message_is_the_same_in_json_and_in_xml(path: Any) -> None:
    """One set of models reads both forms: the same facts, the same findings."""
    bundle = json.loads(path.read_bytes())
    assert read(bundle, JSON) == read(bundle, XML)


@settings(max_examples=150, deadline=None)
@given(family=TEXT, given_names=st.lists(TEXT, max_size=4), lines=st.lists(TEXT, max_size=4), city=TEXT)
def test_any_text_is_the_same_in_json_and_in_xml(
    family: str, given_names: list[str], lines: list[str], city: str
) -> None:
    """One value or many, any script: neither form changes what a name or an address says."""
    bundle = referral()
    part(bundle, "Patient").update(
        name=[{"family": family, "given": given_names}],
        address=[{"line": lines, "city": city, "postalCode": "SK4 2HD"}],
    )
    assert read(bundle, JSON) == read(bundle, XML)


@pytest.mark.parametrize("media", [JSON, XML])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"[]",
        b"null",
        b"<",
        b"<Bundle/>",
        b'<Bundle xmlns="http://hl7.org/fhir">',
        b"\xff\xfe",
        b"\x00",
    ],
)
def test_what_is_no_resource_is_refused(body: bytes, media: str) -> None:
    """Not JSON, not XML, no object, cut short, another namespace, another encoding: named, never raised."""
    (rule, _) = faults(read(body, media)).pop()
    assert rule in {rules.NOT_FHIR.id, rules.NOT_A_MESSAGE.id}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-7", "made-up"])
def test_an_encoding_is_no_way_around_a_rule(encoding: str) -> None:
    """A declaration that the parser would follow, and the search for declarations would not."""
    assert isinstance(read(f'<?xml version="1.0" encoding="{encoding}"?>'.encode() + xml(referral()), XML), Refused)
    document = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'
    if encoding != "made-up":
        assert isinstance(read(document.encode(encoding), XML), Refused)


def test_a_declaration_cannot_hide_in_another_encoding() -> None:
    """UTF-7 can write a document type without a single `<!`; what is declared is not what is read."""
    named = xml(referral()).replace(b'value="Ellerby"', b'value="&a;"')
    assert b"&a;" in named
    hidden = b'+ADwAIQ-DOCTYPE Bundle [+ADwAIQ-ENTITY a "Marrack">]>' + named
    for declared in (b'encoding="UTF-7"', b" " * 500 + b"encoding = 'utf-7'"):
        assert isinstance(read(b'<?xml version="1.0" ' + declared + b"?>" + hidden, XML), Refused)


def test_a_declaration_is_refused_unread() -> None:
    """Entities, external or nested, never reach a parser."""
    for declaration in (b"<!DOCTYPE Bundle>", b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'):
        assert faults(read(declaration + xml(referral()), XML)) == {(rules.HIDDEN_DECLARATION.id, "")}


def wide() -> bytes:
    """Very many elements."""
    return HEAD + b"<entry/>" * 120_000 + b"</Bundle>"


def deep() -> bytes:
    """Very deep elements: deeper than the models is not looked at, so they are no bundle's entries and no more."""
    return HEAD + b"<entry>" * 200 + b"</entry>" * 200 + b"</Bundle>"


def deep_json() -> bytes:
    """Very deep objects."""
    return b'{"resourceType":"Bundle","type":"message","entry":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


def long() -> bytes:
    """Longer than any message."""
    return json.dumps(referral(lambda bundle: bundle.update(note="x" * LONGEST))).encode()


def entries() -> bytes:
    """More resources than any message has."""
    return json.dumps(referral(lambda bundle: bundle["entry"].extend([{}] * 500))).encode()


@pytest.mark.parametrize(
    ("body", "media", "rule"),
    [
        (wide(), XML, rules.TOO_MUCH),
        (deep(), XML, rules.NOT_A_MESSAGE),
        (deep_json(), JSON, rules.NOT_FHIR),
        (long(), JSON, rules.TOO_MUCH),
        (entries(), JSON, rules.TOO_MUCH),
    ],
    ids=["wide", "deep", "deep JSON", "long", "entries"],
)
def test_a_bomb_is_refused_at_once(body: bytes, media: str, rule: Any) -> None:
    """More, deeper or longer than any referral: refused well within a second."""
    begun = time.perf_counter()
    outcome = read(body, media)
    assert time.perf_counter() - begun < 1
    assert {found for found, _ in faults(outcome)} == {rule.id}


def test_a_reference_that_could_mean_two_is_refused() -> None:
    """Two patients under one fullUrl, or one type and id: nobody guesses which was meant."""

    def again(bundle: Json, **changed: Any) -> Json:
        (entry,) = [entry for entry in bundle["entry"] if entry["resource"]["resourceType"] == "Patient"]
        return {**entry, "resource": {**entry["resource"], **changed}}

    bundle = referral()
    bundle["entry"].append(again(bundle, birthDate="1980-01-02"))
    assert faults(read(bundle)) == {(rules.AMBIGUOUS.id, "ServiceRequest.subject")}

    bundle = referral()
    part(bundle, "Patient")["id"] = "1"
    bundle["entry"].append({**again(bundle, birthDate="1980-01-02"), "fullUrl": "urn:uuid:2"})
    part(bundle, "ServiceRequest")["subject"] = {"reference": "Patient/1"}
    assert faults(read(bundle)) == {(rules.AMBIGUOUS.id, "ServiceRequest.subject")}


def test_a_reference_may_be_by_type_and_id() -> None:
    """As well as by fullUrl; what it points at must be of the type the field wants."""
    bundle = referral()
    part(bundle, "Patient")["id"] = "1"
    part(bundle, "ServiceRequest")["subject"] = {"reference": "Patient/1"}
    assert fact(read(bundle)) == fact(read(referral()))
    part(bundle, "ServiceRequest")["subject"] = dict(part(bundle, "MessageHeader")["sender"])
    assert faults(read(bundle)) == {(rules.DANGLING.id, "ServiceRequest.subject")}


@pytest.mark.parametrize(
    "entry", [None, {}, [], [{}], [{"resource": None}], [{"resource": {"resourceType": "Patient"}}]]
)
def test_a_bundle_without_a_header_first_is_no_message(entry: Any) -> None:
    """The standard's messages begin with their header."""
    (found,) = faults(read(referral(lambda bundle: bundle.update(entry=entry))))
    assert found[0] == rules.NOT_A_MESSAGE.id


def test_order_of_the_other_resources_means_nothing() -> None:
    """References hold a bundle together; nothing follows from where a resource stands."""
    bundle = referral()
    header, *others = bundle["entry"]
    turned = {**bundle, "entry": [header, *reversed(others)]}
    assert isinstance(read(bundle), Accepted)
    assert read(turned) == read(bundle)


def test_what_is_inside_a_resource_or_of_another_namespace_is_not_read() -> None:
    """Contained resources, narrative, and elements that are no FHIR's: a name in them is nobody's."""
    body = xml(referral()).replace(
        b"<Patient>",
        b"<Patient><contained><Patient><birthDate value='1901-02-03'/></Patient></contained>"
        b"<birthDate xmlns='urn:other' value='1902-03-04'/><text><div>Other</div></text>",
    )
    assert told(read(body, XML)) == told(read(referral()))
