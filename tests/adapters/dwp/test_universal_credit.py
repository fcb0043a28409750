"""Universal Credit's documents: who a claimant is, and what became of a claim."""

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from adapters.base import Accepted, Ignored, Message, Outcome, Refused
from adapters.dwp import build
from schemas.base import Fact
from schemas.benefits import AwardAssessed, AwardEnded, AwardStarted, ClaimantRecorded
from schemas.identifiers import Scheme
from tests.adapters.dwp.extract import RECEIVED
from tests.adapters.test_conformance import ROOT, examples

SCHEMA = Draft202012Validator(json.loads((ROOT / "contracts/inbound/dwp/universal-credit.schema.json").read_text()))
CITIZEN, PARTNER = "38f2c8b4-0a55-4d35-9a3f-07c2b2a55a01", "9b8a7c66-1f0e-4f5a-8b55-5d4c3b2a1f02"
CLAIMANT: dict[str, Any] = {
    "_id": {"citizenId": CITIZEN},
    "firstName": "Piers",
    "lastName": "Grenfell-Rowe",
    "nino": "JK904412A",
    "claimantProvidedNino": None,
    "createdDateTime": {"$date": "2025-11-03T09:00:00.000000Z"},
    "_lastModifiedDateTime": {"$date": "2026-01-10T09:00:00.000000Z"},
    "_version": 4,
}
CONTRACT: dict[str, Any] = {
    "_id": {"contractId": "c-1"},
    "people": [CITIZEN],
    "startDate": 20251103,
    "closedDate": None,
    "claimClosureReason": None,
    "_version": 2,
}
STATEMENT: dict[str, Any] = {
    "_id": {"statementId": "s-1"},
    "people": [{"citizenId": CITIZEN, "contractId": "c-1"}],
    "assessmentPeriod": {"startDate": 20251103, "endDate": 20251202},
    "totalPayment": "317.82",
    "_version": 1,
}


def message(collection: str, document: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """A document as its topic carries it, decrypted."""
    told = {"@type": "MONGO_UPDATE", "_id": document.get("_id", {"x": 1}), "collection": collection, "db": "core"}
    return {"message": {**told, "dbObject": document, **changed}, "timestamp": "2026-01-10T09:00:01.000+0000"}


def read(collection: str, document: dict[str, Any], **changed: Any) -> Outcome:
    """What becomes of a document."""
    body = json.dumps(message(collection, document, **changed)).encode()
    return build({}).read(Message(body, "application/json", RECEIVED))


def facts(outcome: Outcome) -> tuple[Fact, ...]:
    """What an accepted document tells."""
    assert isinstance(outcome, Accepted), outcome
    return outcome.facts


def test_a_claimant_is_known_by_the_account_and_by_number_and_name() -> None:
    """No birth date and no address is told."""
    (fact,) = facts(read("claimant", CLAIMANT))
    assert isinstance(fact.event, ClaimantRecorded)
    person = fact.event.person
    assert {(one.scheme, one.value) for one in person.identifiers} == {
        (Scheme.CITIZEN, CITIZEN),
        (Scheme.NINO, "JK904412"),
    }
    assert (person.date_of_birth, person.addresses) == (None, ())
    assert (fact.lane, fact.version) == (f"CITIZEN:{CITIZEN}", 4)


def test_a_change_of_anything_else_is_no_event() -> None:
    """A new work coach, journey or time of change tells the same facts, with a later version."""
    changed = CLAIMANT | {
        "_version": 5,
        "_lastModifiedDateTime": None,
        "workCoach": {"type": "ASSIGNED"},
        "bookAppointmentStatus": "NONE",
    }
    (before,), (after,) = facts(read("claimant", CLAIMANT)), facts(read("claimant", changed))
    assert (before.key, before.event) == (after.key, after.event)
    assert after.version == 5


def test_the_verified_number_is_asked_before_the_one_the_claimant_gave() -> None:
    """One number at most is claimed."""
    both = CLAIMANT | {"claimantProvidedNino": "LE221907B"}
    (fact,) = facts(read("claimant", both))
    (given_only,) = facts(read("claimant", both | {"nino": ""}))
    assert fact.event is not None
    assert given_only.event is not None
    assert fact.event.person.identifiers[1].value == "JK904412"
    assert given_only.event.person.identifiers[1].value == "LE221907"


def test_a_claimant_without_number_or_name_is_still_somebody() -> None:
    """The account alone joins what is told later."""
    bare = {"_id": {"citizenId": CITIZEN}, "nino": "", "createdDateTime": "2025-12-12T10:37:45.000"}
    (fact,) = facts(read("claimant", bare))
    assert fact.event is not None
    assert [one.scheme for one in fact.event.person.identifiers] == [Scheme.CITIZEN]


@pytest.mark.parametrize(
    "written",
    [
        {"$date": "2025-11-03T09:00:00.000000Z"},
        "2025-11-03T09:00:00.000+0000",
        "2025-11-03T10:00:00+01:00",
        "2025-11-03T09:00:00.000",
    ],
)
def test_an_instant_is_read_however_it_is_written(written: object) -> None:
    """With a colon in its offset or without, wrapped or bare, with a zone or in London's time."""
    (usual,), (fact,) = (
        facts(read("claimant", CLAIMANT)),
        facts(read("claimant", CLAIMANT | {"createdDateTime": written})),
    )
    assert usual.event is not None
    assert fact.event is not None
    assert fact.event.occurred.at == usual.event.occurred.at


def test_a_claim_is_one_fact_open_closed_or_open_again() -> None:
    """So whoever was told that it ended is told when it did not."""
    (opened,) = facts(read("contract", CONTRACT))
    (closed,) = facts(read("contract", CONTRACT | {"closedDate": 20260105, "_version": 3}))
    (again,) = facts(read("contract", CONTRACT | {"_version": 4}))
    assert opened.key == closed.key == again.key
    assert isinstance(opened.event, AwardStarted)
    assert isinstance(closed.event, AwardEnded)
    assert (closed.event.started, closed.event.effective) == (date(2025, 11, 3), date(2026, 1, 5))
    assert again.event == opened.event


def test_a_couples_claim_is_a_fact_of_each_of_them() -> None:
    """Each is in a lane of their own."""
    told = facts(read("contract", CONTRACT | {"people": [CITIZEN, PARTNER]}))
    assert [fact.lane for fact in told] == [f"CITIZEN:{CITIZEN}", f"CITIZEN:{PARTNER}"]
    assert len({fact.key for fact in told}) == 2


def test_a_claim_that_has_not_begun_is_ignored_by_name() -> None:
    """Declared is not begun."""
    declared = CONTRACT | {"startDate": None, "declaredDate": 20251101}
    assert read("contract", declared) == Ignored("universal-credit.contract:not-started")


def test_a_statement_tells_its_days_and_no_amount() -> None:
    """It has no National Insurance number; the account joins it."""
    (fact,) = facts(read("statement", STATEMENT))
    assert isinstance(fact.event, AwardAssessed)
    assert (fact.event.period_start, fact.event.period_end) == (date(2025, 11, 3), date(2025, 12, 2))
    assert [one.scheme for one in fact.event.person.identifiers] == [Scheme.CITIZEN]
    assert "317" not in fact.event.model_dump_json()


@pytest.mark.parametrize(
    ("collection", "document"), [("claimant", CLAIMANT), ("contract", CONTRACT), ("statement", STATEMENT)]
)
def test_a_deleted_document_takes_back_what_it_told(collection: str, document: dict[str, Any]) -> None:
    """The same facts, withdrawn."""
    told, gone = facts(read(collection, document)), facts(read(collection, document, **{"@type": "MONGO_DELETE"}))
    assert [fact.key for fact in gone] == [fact.key for fact in told]
    assert {fact.withdrawn for fact in gone} == {"deleted"}
    assert all(fact.event is None for fact in gone)


def test_what_is_left_of_a_deleted_claim_need_not_say_when_it_began() -> None:
    """It takes back what was told, and is not passed over as a claim that has not begun."""
    told = facts(read("contract", CONTRACT))
    left = {name: value for name, value in CONTRACT.items() if name not in ("startDate", "closedDate")}
    gone = facts(read("contract", left, **{"@type": "MONGO_DELETE"}))
    assert [(fact.key, fact.withdrawn) for fact in gone] == [(fact.key, "deleted") for fact in told]


@pytest.mark.parametrize(
    ("collection", "document", "fault"),
    [
        ("claimant", {"_id": {}}, ("DW-022", "message._id")),
        ("claimant", {"_id": {"personId": "x"}}, ("DW-022", "message.dbObject._id.citizenId")),
        ("claimant", {"_id": {"citizenId": CITIZEN}}, ("DW-022", "message.dbObject.createdDateTime")),
        ("claimant", CLAIMANT | {"createdDateTime": "yesterday"}, ("DW-023", "message.dbObject.createdDateTime")),
        ("claimant", CLAIMANT | {"_id": {"citizenId": "x" * 99}}, ("DW-023", "message.dbObject.citizenId")),
        ("contract", CONTRACT | {"people": []}, ("DW-023", "message.dbObject.people")),
        ("contract", CONTRACT | {"startDate": 20250229}, ("DW-023", "message.dbObject.startDate")),
        ("contract", CONTRACT | {"startDate": "3 May"}, ("DW-023", "message.dbObject.startDate")),
        ("contract", CONTRACT | {"closedDate": 20250101}, ("DW-028", "message.dbObject.closedDate")),
        (
            "statement",
            STATEMENT | {"assessmentPeriod": {"startDate": 20251103, "endDate": 20251102}},
            ("DW-028", "message.dbObject.assessmentPeriod.endDate"),
        ),
        ("statement", STATEMENT | {"people": None}, ("DW-023", "message.dbObject.people")),
    ],
)
def test_each_fault_has_its_rule_and_its_field(
    collection: str, document: dict[str, Any], fault: tuple[str, str]
) -> None:
    """None is told by its value."""
    outcome = read(collection, document)
    assert isinstance(outcome, Refused)
    assert [(finding.rule.id, finding.field) for finding in outcome.findings] == [fault]


def test_another_collection_is_ignored_by_its_name() -> None:
    """And a name that is none is refused, not repeated."""
    assert read("addresses", {"_id": {"declarationId": 1}}) == Ignored("universal-credit.addresses")
    outcome = read("Grenfell Rowe", {"_id": {"declarationId": 1}})
    assert isinstance(outcome, Refused)
    assert [finding.field for finding in outcome.findings] == ["message.collection"]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "_id",
                        "citizenId",
                        "contractId",
                        "statementId",
                        "people",
                        "startDate",
                        "endDate",
                        "closedDate",
                        "assessmentPeriod",
                        "createdDateTime",
                        "$date",
                        "nino",
                        "_version",
                        "lastName",
                    ]
                ),
                inner,
                max_size=5,
            )
        ),
        max_leaves=20,
    ),
    st.sampled_from(["claimant", "contract", "statement"]),
)
def test_whatever_stands_in_a_document_is_answered(value: object, collection: str) -> None:
    """No shape raises."""
    document = value if isinstance(value, dict) else {"_id": value}
    assert isinstance(read(collection, document), Accepted | Ignored | Refused)


@pytest.mark.parametrize("folder", ["accepted", "ignored"])
def test_the_schema_takes_what_the_reader_takes(folder: str) -> None:
    """Every example of Universal Credit that is taken is valid."""
    told = [json.loads(path.read_text()) for path in examples("dwp", folder) if path.suffix == ".json"]
    documents = [one for one in told if "message" in one]
    assert documents
    for document in documents:
        assert list(SCHEMA.iter_errors(document)) == []
