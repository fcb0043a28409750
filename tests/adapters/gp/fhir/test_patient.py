"""Whom a referral is about: claims as the message makes them, and nobody guessed."""

from datetime import date
from typing import Any

import pytest

from adapters.base import Accepted, Held
from schemas.base import AddressKind, Name
from schemas.care import Organisation
from tests.adapters.gp.fhir.bars import Json, fact, of, part, read, referral, told
from tests.adapters.prison.outcomes import faults, rule_ids

NHS = "https://fhir.nhs.uk/Id/nhs-number"
STATUS = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus"


def number(value: str, status: str | None = "number-present-and-verified", system: str = NHS) -> Json:
    """An NHS number as FHIR UK Core writes one."""
    coding = {"system": "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatus", "code": status}
    extension = [{"url": STATUS, "valueCodeableConcept": {"coding": [coding]}}] if status else []
    return {"system": system, "value": value, "extension": extension}


def patient(**changed: Any) -> Json:
    """A referral of a patient of whom something is told otherwise."""
    return referral(of("Patient", **changed))


def address(**changed: Any) -> Json:
    """A referral of a patient whose address is told otherwise."""
    bundle = referral()
    part(bundle, "Patient")["address"] = [changed]
    return bundle


@pytest.mark.parametrize(
    ("value", "system"),
    [
        ("9990548609", NHS),
        ("999 054 8609", "http://fhir.nhs.uk/Id/nhs-number"),
        ("999-054-8609", "https://fhir.nhs.uk/id/nhs-number"),
    ],
)
def test_an_nhs_number_is_one_however_it_is_written(value: str, system: str) -> None:
    """Spaces, hyphens, http or https, Id or id: one number, one lane."""
    assert fact(read(patient(identifier=[number(value, system=system)]))).lane == "NHS:9990548609"


def test_an_nhs_number_that_fails_its_check_is_kept_and_matched_on_by_nobody() -> None:
    """The referral is taken, on name and birth date; its lane is its own."""
    outcome = read(patient(identifier=[number("9990548608")]))
    (identifier,) = told(outcome).person.identifiers
    assert (identifier.raw, identifier.value) == ("9990548608", None)
    assert rule_ids(outcome) == ["ID-001"]
    assert fact(outcome).lane.startswith("REFERRAL:P88026/")


@pytest.mark.parametrize("value", ["0000000000", "1111111111", "9999999999"])
def test_a_repeated_digit_is_no_nhs_number(value: str) -> None:
    """It passes the check, and joins strangers."""
    outcome = read(patient(identifier=[number(value)]))
    assert told(outcome).person.identifiers[0].value is None
    assert rule_ids(outcome) == ["ID-013"]


@pytest.mark.parametrize("status", ["number-present-but-not-traced", "trace-required", "something new", None])
def test_a_number_that_was_not_verified_is_used_with_a_finding(status: str | None) -> None:
    """Traced and untraced numbers are told apart; whatever is not said to be verified is not."""
    outcome = read(patient(identifier=[number("9990548609", status)]))
    assert fact(outcome).lane == "NHS:9990548609"
    assert rule_ids(outcome) == ["GP-032"]


def test_other_identifiers_are_nobodys() -> None:
    """A hospital number is matched on by nobody, and not told."""
    outcome = read(
        patient(identifier=[{"system": "https://hospital.example/number", "value": "T1"}, number("9990548609")])
    )
    assert len(told(outcome).person.identifiers) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"identifier": None, "birthDate": None},
        {"identifier": [number("9990548608")], "name": None},
        {"identifier": None, "birthDate": "1970-01-01"},
        {"identifier": None, "name": [{"text": "Tamsin Ellerby"}]},
    ],
)
def test_whom_nobody_could_find_is_refused(changed: Json) -> None:
    """A valid NHS number, or a name with a birth date: without either a referral names nobody."""
    assert faults(read(patient(**changed))) == {("GP-013", "Patient")}


def test_a_name_and_a_birth_date_are_enough() -> None:
    """Many people are referred before anybody knows their number."""
    assert isinstance(read(patient(identifier=None)), Accepted)


def test_names_are_told_exactly() -> None:
    """The official one first; former ones, nicknames and further ones as aliases; any script, any case."""
    names = [
        {"use": "nickname", "family": "Elly", "given": ["T"]},
        {"use": "maiden", "family": "O’Néill-McDonagh", "given": ["Tamsin"]},
        {"use": "official", "family": "Żółć", "given": ["Тамара", "de"]},
        {"family": "ELLERBY"},
        {"text": "Tam"},
    ]
    outcome = read(patient(name=names))
    person = told(outcome).person
    assert person.name == Name(forenames="Тамара de", surname="Żółć")
    assert set(person.aliases) == {
        Name(forenames="T", surname="Elly"),
        Name(forenames="Tamsin", surname="O’Néill-McDonagh"),
        Name(surname="ELLERBY"),
    }
    assert rule_ids(outcome) == ["GP-037"]


@pytest.mark.parametrize(
    ("written", "born", "rules"),
    [
        ("1991-06-23", date(1991, 6, 23), []),
        ("1992-02-29", date(1992, 2, 29), []),
        ("1991-06", None, ["GP-033"]),
        ("1991", None, ["GP-033"]),
        ("1900-01-01", None, ["ID-020"]),
        (None, None, []),
    ],
)
def test_a_birth_date_is_a_day_or_not_known(written: str | None, born: date | None, rules: list[str]) -> None:
    """A month is not a day, and a placeholder is no date."""
    outcome = read(patient(birthDate=written))
    assert told(outcome).person.date_of_birth == born
    assert rule_ids(outcome) == rules


@pytest.mark.parametrize(
    ("written", "rule"),
    [("1991-02-29", "GP-011"), ("23/06/1991", "GP-011"), ("1991-13", "GP-011"), ("2026-01-16", "GP-015")],
)
def test_an_impossible_birth_date_is_refused(written: str, rule: str) -> None:
    """No such day, no such form, or not yet."""
    assert faults(read(patient(birthDate=written))) == {(rule, "Patient.birthDate")}


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ({"use": "home"}, AddressKind.DECLARED),
        ({}, AddressKind.DECLARED),
        ({"use": "home", "type": "both"}, AddressKind.DECLARED),
        ({"use": "home", "type": "postal"}, AddressKind.OTHER),
        ({"use": "temp"}, AddressKind.OTHER),
        ({"use": "work"}, AddressKind.OTHER),
        ({"use": "billing"}, AddressKind.OTHER),
        ({"use": "old"}, AddressKind.PREVIOUS),
    ],
)
def test_what_an_address_is_follows_from_its_use(written: Json, kind: AddressKind) -> None:
    """Where letters go, where somebody works or stays a while is not where they live."""
    (claim,) = told(read(address(**written, postalCode="sk42hd"))).person.addresses
    assert (claim.kind, claim.postcode) == (kind, "SK4 2HD")


def test_an_address_keeps_its_lines_and_its_dates() -> None:
    """Lines, town and district in order; a limit known only to the year bounds nothing."""
    (claim,) = told(
        read(
            address(
                line=["Flat 2", "61 Cowley Road"],
                city="Oxford",
                district="Oxfordshire",
                period={"start": "2024", "end": "2025-11-01T09:00:00Z"},
            )
        )
    ).person.addresses
    assert claim.lines == ("Flat 2", "61 Cowley Road", "Oxford", "Oxfordshire")
    assert (claim.start, claim.end) == (None, date(2025, 11, 1))


@pytest.mark.parametrize(
    ("code", "homeless", "rule"),
    [
        ("ZZ99 3VZ", True, "ID-034"),
        ("ZZ99 3WZ", False, "ID-032"),
        ("ZZ99 3CZ", False, "ID-033"),
        ("SK4", False, "ID-030"),
    ],
)
def test_a_pseudo_postcode_says_what_it_says(code: str, homeless: bool, rule: str) -> None:
    """No fixed abode is an answer; not known, a country, and what is no postcode are none."""
    outcome = read(address(use="home", line=["x"], postalCode=code))
    (claim,) = told(outcome).person.addresses
    assert (claim.postcode, claim.no_fixed_abode) == (None, homeless)
    assert rule_ids(outcome) == [rule]


def test_an_address_that_ends_before_it_starts_is_left_out() -> None:
    """It says nothing anybody could use; a limit that is no day is a fault."""
    outcome = read(address(postalCode="SK4 2HD", period={"start": "2025-06-01", "end": "2025-01-01"}))
    assert told(outcome).person.addresses == ()
    assert rule_ids(outcome) == ["GP-034"]
    assert faults(read(address(period={"end": "soon"}))) == {("GP-011", "Patient.address.0.period.end")}


def test_blank_lines_and_names_are_none() -> None:
    """Systems with five lines to an address send five, and blank ones are no reason to refuse a referral."""
    (claim,) = told(read(address(line=["", "12 Long Lane", " "], city="Stockport"))).person.addresses
    assert claim.lines == ("12 Long Lane", "Stockport")
    named = told(read(patient(name=[{"family": "Ellerby", "given": ["", "Tamsin"]}]))).person.name
    assert named == Name(forenames="Tamsin", surname="Ellerby")


@pytest.mark.parametrize(("code", "marks"), [("R", {"health", "lao"}), ("V", {"health", "lao"}), ("U", {"health"})])
def test_protected_whereabouts_are_marked(code: str, marks: set[str]) -> None:
    """A patient the demographics service protects is told without an area, in the home LASARS's own agreement."""
    security = [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": code}]
    assert told(read(patient(meta={"security": security}))).sensitivity == marks


@pytest.mark.parametrize("code", ["REDACTED", None])
def test_a_confidentiality_nobody_knows_is_held(code: str | None) -> None:
    """Who must not be found is never guessed: an unknown mark is not read as none."""
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": code}
    outcome = read(patient(meta={"security": [label]}))
    assert isinstance(outcome, Held)
    assert [finding.field for finding in outcome.findings][-1] == "gp.Patient.meta.security"


def test_a_label_of_another_vocabulary_says_nothing_of_whereabouts() -> None:
    """How a record is to be handled is another thing; a mark that protects counts in whatever vocabulary it stands."""
    handling = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "CPLYPOL"}
    assert told(read(patient(meta={"security": [handling]}))).sensitivity == {"health"}
    by_oid = {"system": "urn:oid:2.16.840.1.113883.5.25", "code": "V"}
    assert told(read(patient(meta={"security": [by_oid]}))).sensitivity == {"health", "lao"}


def test_an_organisation_code_that_is_none_is_left_out() -> None:
    """The name stands alone, with a finding."""
    bundle = referral(of("Patient", generalPractitioner=[{"reference": "urn:uuid:practice"}]))
    practice = {
        "resourceType": "Organization",
        "identifier": [{"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "the surgery"}],
        "name": "The Surgery",
    }
    bundle["entry"].append({"fullUrl": "urn:uuid:practice", "resource": practice})
    outcome = read(bundle)
    assert told(outcome).practice == Organisation(name="The Surgery")
    assert rule_ids(outcome) == ["GP-036"]
