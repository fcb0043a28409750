"""Real messages of HMPPS services, read in place.

A file is a message of this agency if it stands in one of FOLDERS. Everything else under probation/ is a specification
(domain-events), an answer of an API (court-case-service, hmpps-integration-api, community-api,
prison-to-probation-update), or a court's list (court-case).
"""

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from adapters.base import Accepted, Held, Ignored, Message, Outcome, Refused
from adapters.probation import build
from adapters.probation.adapter import SUBSCRIBED
from schemas.base import AddressKind
from tests.adapters.probation.records import event, facts, filled
from tests.support.samples import sample

FOLDERS = (
    "probation/domain-events-derived-instances",
    "probation/probation-integration-sns",
    "probation/sqs",
    "prison/domain-events-derived-instances/auto/create-and-vary-a-licence",
    "prison/domain-events-derived-instances/schemas/create-and-vary-a-licence",
)
RECEIVED_AT = datetime(2026, 6, 1, tzinfo=UTC)

POINTERS = {
    "auto/person/community-manager-allocated.json",
    "schemas/workforce/person_allocation.json",
    "new-person-allocation-message.json",
    "auto/create-and-vary-a-licence/licence-activated.json",
    "schemas/create-and-vary-a-licence/licence-activated.json",
}
"""They carry no case and the case API is not there to be asked: each waits for its case."""

TEMPLATES = {"tier-domain-calculation-event.json"}
"""Not a message but the template of one: its occurredAt is `{createdDate}`, which is no time (PB-011)."""

ADAPTER = build({})


def messages() -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for folder in FOLDERS:
        files = sorted(sample(folder).rglob("*.json"))
        assert files, folder
        below = sample(folder) if folder.startswith("probation") else sample("prison/domain-events-derived-instances")
        found.extend((str(file.relative_to(below)), file.read_bytes()) for file in files)
    return found


def type_of(body: bytes) -> str:
    """The eventType, found without the adapter: in the body or in the Message."""
    outer: dict[str, Any] = json.loads(body)
    name = (json.loads(outer["Message"]) if "Message" in outer else outer)["eventType"]
    assert isinstance(name, str)
    return name


def read(body: bytes) -> Outcome:
    return ADAPTER.read(Message(body, "application/json", RECEIVED_AT))


def test_every_message_ends_as_expected() -> None:
    """A pointer waits, a merge is told, a template is refused, and the rest is ignored by its own name."""
    counts: Counter[str] = Counter()
    for name, body in messages():
        outcome = read(body)
        counts[type(outcome).__name__] += 1
        if type_of(body) not in SUBSCRIBED:
            assert outcome == Ignored(type_of(body)), name
        elif name in POINTERS:
            assert isinstance(outcome, Held), name
            assert (outcome.reason, outcome.lane is None) == ("pointer_not_filled", False), name
        elif name in TEMPLATES:
            assert isinstance(outcome, Refused), name
            assert {(one.rule.id, one.field) for one in outcome.findings} == {("PB-011", "occurredAt")}
        else:
            assert isinstance(outcome, Accepted), name
    assert counts == {"Accepted": 1, "Held": 5, "Ignored": 36, "Refused": 1}


def cases() -> list[tuple[str, dict[str, Any]]]:
    """Every case that the samples have an answer of the case API for."""
    answers = sorted(sample("probation/court-case-service/mocks/__files").glob("GET_offender_*.json"))
    found = [(file.name, json.loads(file.read_text())) for file in answers]
    for name in (
        "ndelius/fixtures/GetOffenderResponseLao.json",
        "ndelius/fixtures/GetOffenderResponseStatusActive.json",
        "probationoffendersearch/fixtures/GetOffendersResponse.json",
    ):
        answer = json.loads(sample(f"probation/hmpps-integration-api/{name}").read_text())
        found.extend((name, one) for one in (answer if isinstance(answer, list) else [answer]))
    return found


def test_every_real_case_fills_a_pointer() -> None:
    """Whatever the case API answers, a breach is told with it; it is limited exactly where a flag is set."""
    limited = 0
    for name, case in cases():
        breach = event("enforcement.breach.raised", crn=case["otherIds"]["crn"])
        outcome = read(json.dumps(filled(breach, case)).encode())
        assert isinstance(outcome, Accepted), name
        told = facts(outcome)["breached"].event
        assert told is not None
        flagged = bool(case.get("currentRestriction") or case.get("currentExclusion"))
        assert ("lao" in told.sensitivity) is flagged
        limited += flagged
    assert len(cases()) >= 5
    assert limited == 1


def test_real_convictions_requirements_and_addresses_are_read() -> None:
    """A case with its convictions and requirements as three services answer tells all there is to tell."""
    answers = sample("probation/court-case-service/mocks/__files")
    case = json.loads((answers / "GET_offender_all_X320741.json").read_text())
    conviction = json.loads((answers / "offender-convictions/GET_conviction_X320741_2500295399.json").read_text())
    asked = json.loads((answers / "offender-requirements/GET_requirements_X320741.json").read_text())
    case |= {"convictions": [conviction], "requirements": asked["requirements"]}
    told = {}
    for name, said in (
        ("probation-case.sentence.created", {"eventNumber": "1"}),
        ("probation-case.sentence.terminated", {"eventNumber": "1"}),
        ("probation-case.requirement.created", {"requirementId": "2500007925"}),
        ("probation-case.requirement.terminated", {"requirementId": "2500083652"}),
        ("person.community.manager.allocated", {}),
    ):
        told |= facts(read(json.dumps(filled(event(name, crn="X320741", **said), case)).encode()))
    assert set(told) == {
        *("address-changed", "started", "ended", "requirement-started", "requirement-ended", "manager-changed"),
    }
    where = told["address-changed"].event
    assert where is not None
    assert [claim.kind for claim in where.person.addresses] == [AddressKind.OTHER, AddressKind.MAIN]
