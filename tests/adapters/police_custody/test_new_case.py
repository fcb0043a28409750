"""The police NewCaseMessage: what real ones are read as, and what faulty ones are told."""

from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from adapters.base import Accepted, Held, Ignored, Message, Outcome, Refused
from adapters.police_custody.adapter import read
from schemas.base import Precision
from schemas.custody import Charged
from schemas.identifiers import Scheme
from tests.adapters.police_custody.forms import rules
from tests.support.samples import sample

EXAMPLES = Path(__file__).parents[3] / "contracts" / "inbound" / "police_custody" / "examples"
RECEIVED = datetime(2026, 1, 15, tzinfo=UTC)
GOOD = (EXAMPLES / "accepted" / "charged-with-a-company.xml").read_bytes()


def told(body: bytes) -> Outcome:
    """What a message becomes."""
    return read(Message(body, "application/xml", RECEIVED))


def test_everybody_charged_is_told_and_companies_are_left_out() -> None:
    """Two people and a company are two facts and a remark."""
    outcome = told(GOOD)
    assert isinstance(outcome, Accepted)
    assert rules(outcome) == [("CU-090", "Defendant[3]/PoliceCorporateDefendant")]
    assert [fact.lane for fact in outcome.facts] == ["ASN:1201YE0100000120431L", "ASN:1206SK0100000077120L"]
    assert len({fact.key for fact in outcome.facts}) == 2


def test_a_charge_is_told_by_its_day() -> None:
    """A charge has a day and no time, a hearing has both, and no offence is told."""
    outcome = told(GOOD)
    assert isinstance(outcome, Accepted)
    charge = outcome.facts[0].event
    assert isinstance(charge, Charged)
    assert not charge.opens_case
    assert (charge.occurred.precision, charge.occurred.zone_assumed) == (Precision.DAY, True)
    assert charge.hearing.at == datetime(2012, 5, 21, 9, tzinfo=UTC)
    assert charge.person.date_of_birth == date(1981, 3, 17)
    assert [identifier.scheme for identifier in charge.person.identifiers] == [Scheme.ASN]
    assert "offence" not in set(Charged.model_fields)


def test_one_arrest_charged_in_two_cases_is_two_facts() -> None:
    """The case is part of what a charge is about."""
    other = told(GOOD.replace(b"01YE1204512", b"01YE1204513"))
    first = told(GOOD)
    assert isinstance(other, Accepted)
    assert isinstance(first, Accepted)
    assert {fact.key for fact in first.facts}.isdisjoint(fact.key for fact in other.facts)


@pytest.mark.parametrize(
    ("code", "name"),
    [(b"S", "libra.new-case.summons"), (b"Q", "libra.new-case.requisition"), (b"J", "libra.new-case.single-justice")],
)
def test_a_case_that_did_not_begin_with_a_charge_is_ignored(code: bytes, name: str) -> None:
    """A summons or a requisition comes by post: it has nothing to do with custody."""
    body = GOOD.replace(b"<CaseInitiation>C<", b"<CaseInitiation>" + code + b"<")
    assert told(body) == Ignored(name)


@pytest.mark.parametrize(
    ("space", "root", "name"),
    [
        ("http://www.dca.gov.uk/xmlschemas/libra", "ResultedCaseMessage", "libra.resulted-case"),
        ("http://schemas.cjse.gov.uk/messages/deliver/2006-05", "DeliverRequest", "cjse.deliver-request"),
        ("http://schemas.cjse.gov.uk/common/operations", "RouteData", "cjse.route-data"),
    ],
)
def test_what_police_systems_also_send_is_ignored_by_name(space: str, root: str, name: str) -> None:
    """Results of court cases and their wrappers are known, and not subscribed; only what nobody knows is refused."""
    assert told(f'<{root} xmlns="{space}"><anything/></{root}>'.encode()) == Ignored(name)
    assert isinstance(told(f'<{root} xmlns="http://elsewhere"/>'.encode()), Refused)


def test_every_result_of_a_case_that_police_are_sent_is_ignored() -> None:
    """None of the messages about a case that ended says anything that is subscribed."""
    folder = sample("police-court/bichard-resulted-case-to-police")
    named = Counter(str(told(path.read_bytes())) for path in sorted(folder.rglob("*.xml")))
    assert named == {"Ignored(name='cjse.deliver-request')": 64, "Ignored(name='cjse.route-data')": 7}


def test_a_way_to_begin_that_nobody_knows_is_held() -> None:
    """A case begun by a code on no list is neither taken for a charge nor ignored."""
    outcome = told(GOOD.replace(b"<CaseInitiation>C<", b"<CaseInitiation>R<"))
    assert isinstance(outcome, Held)
    assert outcome.lane == "ASN:1201YE0100000120431L"


@pytest.mark.parametrize(
    ("written", "instead", "expected"),
    [
        (b"2012-05-05", b"2027-05-05", ("CU-019", "Defendant[1]/ChargeDate")),
        (b"<PTIURN>01YE1204512</PTIURN>", b"", ("CU-010", "PTIURN")),
        (b"10:00:00", b"ten", ("CU-016", "TimeOfHearing")),
        (b"1981-03-17", b"1881-03-17", ("CU-015", "Defendant[1]/Birthdate")),
        (b"2012-05-21", b"21/05/2012", ("CU-014", "DateOfHearing")),
        (b"<PersonFamilyName>Oakenfold-Rees<", b"<PersonFamilyName><", ("CU-010", "Defendant[1]/PersonFamilyName")),
        (b"Case>", b"Lawsuit>", ("CU-010", "Case")),
    ],
)
def test_what_is_missing_or_cannot_be_is_refused(written: bytes, instead: bytes, expected: tuple[str, str]) -> None:
    """A message of which something needed is missing or impossible is the force's to mend."""
    outcome = told(GOOD.replace(written, instead))
    assert isinstance(outcome, Refused)
    assert expected in rules(outcome)


def test_every_real_message_is_accepted() -> None:
    """All 98 messages that police systems are known to send are charges we can tell, each without a remark."""
    folder = sample("police-court/bichard-new-case-from-police")
    outcomes = {path.parent.name: told(path.read_bytes()) for path in sorted(folder.rglob("*.xml"))}
    assert Counter(type(outcome).__name__ for outcome in outcomes.values()) == {"Accepted": 98}
    assert {name: rules(outcome) for name, outcome in outcomes.items() if rules(outcome)} == {}
    facts = [fact for outcome in outcomes.values() if isinstance(outcome, Accepted) for fact in outcome.facts]
    assert Counter(fact.kind for fact in facts) == {"custody.charged": 98}
    assert all(fact.lane.startswith("ASN:") for fact in facts)
