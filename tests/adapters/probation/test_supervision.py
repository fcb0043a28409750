"""What probation events become, with the case attached."""

import pytest

from adapters.base import Held, Ignored
from schemas.base import Sensitivity, facts_of
from schemas.supervision import Breached, Ended, ManagerChanged, Recalled, RequirementStarted, Stage, Started
from tests.adapters.probation.records import (
    DELIUS,
    OTHER_CRN,
    address,
    case,
    conviction,
    event,
    facts,
    filled,
    held,
    message,
    notification,
    read,
    refused,
    requirement,
    warned,
)

CREATED = event(f"{DELIUS}requirement.created", requirementId="2500412207")


@pytest.mark.parametrize(("code", "opens"), [("DRR", True), ("ATR", True), ("W", False), ("7", False)])
def test_a_treatment_a_court_ordered_is_a_referral(code: str, opens: bool) -> None:
    """A drug rehabilitation or alcohol treatment requirement opens a case; every other one only informs."""
    told = facts(read(filled(CREATED, case(requirements=[requirement(code)]))))["requirement-started"].event
    assert isinstance(told, RequirementStarted)
    assert told.opens_case is opens
    assert (Sensitivity.HEALTH in told.sensitivity) is opens


def test_a_code_nobody_has_mapped_is_held_by_its_name() -> None:
    """A requirement we do not know is taken neither for a referral nor for none, until operations say which."""
    record = filled(CREATED, case(requirements=[requirement("RM38")]))
    outcome = read(record)
    assert held(outcome) == ("code_not_mapped", {"PB-020"})
    assert isinstance(outcome, Held)
    assert [finding.detail for finding in outcome.findings] == ["RM38"]
    told = facts(read(record, requirement__RM38="drug_rehabilitation"))["requirement-started"].event
    assert told is not None
    assert told.opens_case


def test_a_requirement_in_either_spelling_beside_or_inside_its_conviction() -> None:
    """The category stands in one of two fields, and the requirement in one of two places: it is the same fact."""
    told = requirement()
    old = {name: value for name, value in told.items() if name != "requirementTypeMainCategory"}
    old["adRequirementTypeMainCategory"] = told["requirementTypeMainCategory"]
    beside = facts(read(filled(CREATED, case(requirements=[told]))))
    inside = facts(read(filled(CREATED, case(convictions=[conviction() | {"requirements": [old]}]))))
    assert beside == inside


@pytest.mark.parametrize(
    "told",
    [
        event("enforcement.breach.raised"),
        event("enforcement.recall.concluded"),
        event("create-and-vary-a-licence.licence.activated", licenceId="48213"),
        event(f"{DELIUS}sentence.created", eventNumber="2"),
        event(f"{DELIUS}address.updated"),
        event("person.community.manager.allocated"),
        CREATED,
    ],
    ids=lambda told: told["eventType"],
)
def test_nothing_is_told_of_a_case_before_it_is_known_who_may_look(told: dict[str, object]) -> None:
    """Only the case says whether access is limited, so every event waits for it, whatever it says by itself."""
    assert held(read(told)) == ("pointer_not_filled", {"PB-021"})
    assert held(read(notification(told))) == ("pointer_not_filled", {"PB-021"})


@pytest.mark.parametrize("gone", ["currentRestriction", "currentExclusion"])
def test_a_case_that_does_not_say_who_may_look_at_it_waits(gone: str) -> None:
    """A mark that is missing, or has another name, is never read as no mark."""
    without = {name: value for name, value in case().items() if name != gone} | {f"{gone}Renamed": True}
    outcome = read(filled(event("enforcement.breach.raised"), without))
    assert held(outcome) == ("pointer_not_filled", {"PB-021"})


@pytest.mark.parametrize("mark", ["currentRestriction", "currentExclusion"])
def test_limited_access_is_marked(mark: str) -> None:
    """A case that somebody may not see says so on everything told of it; a message beside a flag not set does not."""
    breach = event("enforcement.breach.raised")
    for fact in facts(read(filled(breach, case(**{mark: True})))).values():
        assert fact.event is not None
        assert Sensitivity.LAO in fact.event.sensitivity
    for fact in facts(read(filled(breach, case(restrictionMessage="This case is restricted")))).values():
        assert fact.event is not None
        assert Sensitivity.LAO not in fact.event.sensitivity


def test_a_sentence_is_found_by_its_number() -> None:
    """The event number chooses the sentence; it begins and ends on the days the case gives."""
    old = conviction("1", active=False, terminationDate="2023-05-01")
    begun = facts(
        read(filled(event(f"{DELIUS}sentence.created", eventNumber="02"), case(convictions=[old, conviction()])))
    )
    told = begun["started"].event
    assert isinstance(told, Started)
    assert (told.event_number, told.order, told.region) == ("2", "Community Order", "N51")
    assert told.occurred.at.isoformat() == "2025-01-12T00:00:00+00:00"
    over = facts(
        read(filled(event(f"{DELIUS}sentence.terminated", eventNumber=1), case(convictions=[old, conviction()])))
    )
    ended = over["ended"].event
    assert isinstance(ended, Ended)
    assert ended.event_number == "1"


def test_several_active_sentences_are_nothing_to_guess_about() -> None:
    """Without a number, one sentence under way is the one meant; of several, none is."""
    told = event(f"{DELIUS}sentence.created")
    assert "started" in facts(read(filled(told, case(convictions=[conviction("1", active=False), conviction()]))))
    both = case(convictions=[conviction("1"), conviction("2")])
    assert held(read(filled(told, both))) == ("event_ambiguous", {"PB-022"})
    assert held(read(event(f"{DELIUS}sentence.deleted"))) == ("event_ambiguous", {"PB-022"})


@pytest.mark.parametrize(
    ("told", "snapshot"),
    [
        (event(f"{DELIUS}sentence.created", eventNumber="3"), case(convictions=[conviction("2")])),
        (event(f"{DELIUS}sentence.terminated", eventNumber="2"), case(convictions=[conviction("2")])),
        (CREATED, case(requirements=[])),
        (event(f"{DELIUS}requirement.terminated", requirementId="2500412207"), case(requirements=[requirement()])),
        (event("person.community.manager.transferred"), case(offenderManagers=[{"active": False}])),
        (event("person.community.manager.allocated"), case(offenderManagers=[{"active": True, "softDeleted": True}])),
        (event(f"{DELIUS}address.created"), {name: one for name, one in case().items() if name != "contactDetails"}),
    ],
)
def test_a_case_that_does_not_tell_it_fills_nothing(told: dict[str, object], snapshot: dict[str, object]) -> None:
    """What the case attached does not say waits for one that does."""
    assert held(read(filled(told, snapshot))) == ("pointer_not_filled", {"PB-021"})


@pytest.mark.parametrize(
    ("name", "kind", "reason", "said"),
    [
        ("sentence.deleted", "started", "deleted", {"eventNumber": "2"}),
        ("sentence.unterminated", "ended", "reversed", {"eventNumber": "2"}),
        ("requirement.deleted", "requirement-started", "deleted", {"requirementId": "2500412207"}),
        ("requirement.unterminated", "requirement-ended", "reversed", {"requirementId": "2500412207"}),
    ],
)
def test_what_is_undone_takes_back_the_same_fact(name: str, kind: str, reason: str, said: dict[str, str]) -> None:
    """A deletion or a reversal has the key of what it takes back, a later version, and tells nothing of the person."""
    opposite = {"deleted": "created", "unterminated": "terminated"}[name.rpartition(".")[2]]
    was = event(f"{DELIUS}{name.partition('.')[0]}.{opposite}", **said)
    ended = case(
        convictions=[conviction(terminationDate="2025-02-01")], requirements=[requirement(terminationDate="2025-02-01")]
    )
    before = facts(read(filled(was, ended)))[kind]
    after = facts(read(event(f"{DELIUS}{name}", "2025-03-05T09:00:00+00:00", **said)))[kind]
    assert (after.key, after.lane, after.event, after.withdrawn) == (before.key, before.lane, None, reason)
    assert (after.version or 0) > (before.version or 0)


def test_breach_and_recall_say_how_far_they_got() -> None:
    """Raised and concluded are two facts, of the time each happened."""
    told = [
        facts(read(filled(event(f"enforcement.{what}.{stage}"), case())))
        for what in ("breach", "recall")
        for stage in ("raised", "concluded")
    ]
    events = [one[kind].event for one, kind in zip(told, ("breached", "breached", "recalled", "recalled"), strict=True)]
    assert [type(one) for one in events] == [Breached, Breached, Recalled, Recalled]
    assert [one.stage for one in events if isinstance(one, Breached | Recalled)] == [Stage.RAISED, Stage.CONCLUDED] * 2
    assert len({fact.key for one in told for fact in one.values() if fact.kind != "supervision.address-changed"}) == 4


def test_what_stands_as_it_stood_is_no_news() -> None:
    """The same practitioner and the same addresses, brought by an event months later, correct nothing."""
    undated = case(address(**{"from": None}))
    first, again = (
        facts(read(filled(event("person.community.manager.allocated", f"2025-0{month}-03T11:20:00+00:00"), undated)))
        for month in (2, 5)
    )
    assert {kind: (fact.key, facts_of(fact)) for kind, fact in first.items()} == {
        kind: (fact.key, facts_of(fact)) for kind, fact in again.items()
    }


def test_a_manager_is_told_by_team_and_region_and_never_by_name() -> None:
    """The name of a practitioner is not read."""
    manager = {"active": True, "probationArea": {"code": "N07"}, "team": {"description": "Enfield team 2 "}}
    named = manager | {"staff": {"forenames": "Ottoline", "surname": "Prendergast"}}
    told = facts(read(filled(event("person.community.manager.allocated"), case(offenderManagers=[named]))))
    assert isinstance(told["manager-changed"].event, ManagerChanged)
    assert (told["manager-changed"].event.region, told["manager-changed"].event.team) == ("N07", "Enfield team 2")
    assert "Prendergast" not in told["manager-changed"].event.model_dump_json()


def test_an_event_of_a_case_that_was_merged_away() -> None:
    """A CRN that is gone is told of the case it went into, with both numbers; another case is refused."""
    gone = event("enforcement.breach.raised", crn=OTHER_CRN)
    merged = case(additionalIdentifiers=[{"type": {"code": "MFCRN"}, "value": OTHER_CRN}])
    outcome = read(filled(gone, merged))
    breach = facts(outcome)["breached"]
    assert breach.event is not None
    assert breach.lane == "CRN:X482713"
    assert [(one.scheme, one.value) for one in breach.event.person.identifiers] == [
        ("crn", "X482713"),
        ("former_crn", OTHER_CRN),  # found by it, and told to nobody as theirs
    ]
    assert warned(outcome) == {("PB-034", "snapshot.otherIds.crn")}
    assert refused(read(filled(gone, case()))) == {("PB-014", "snapshot.otherIds.crn")}


def test_merge_and_unmerge_need_no_case() -> None:
    """Both CRNs stand in the event; the person is the one whose number goes on."""
    merged = facts(read(event(f"{DELIUS}merge.completed", sourceCRN=OTHER_CRN, targetCRN="X482713")))["merged"]
    parted = facts(read(event(f"{DELIUS}unmerge.completed", reactivatedCRN=OTHER_CRN, unmergedCRN="X482713")))[
        "unmerged"
    ]
    assert merged.event is not None
    assert parted.event is not None
    assert (
        merged.event.model_dump()["removed"]["value"] == parted.event.model_dump()["reactivated"]["value"] == OTHER_CRN
    )
    other = event(f"{DELIUS}merge.completed", sourceCRN="X482713", targetCRN=OTHER_CRN)
    assert refused(read(other)) == {("PB-013", "additionalInformation.targetCRN")}
    assert refused(read(event(f"{DELIUS}unmerge.completed", reactivatedCRN="nobody"))) == {
        ("PB-010", "additionalInformation.unmergedCRN"),
        ("PB-012", "additionalInformation.reactivatedCRN"),
    }


def test_envelopes_are_read_as_hmpps_sends_them() -> None:
    """A Message that is no JSON (PB-002), a name that is none (PB-004): refused; of two names the body's counts."""
    assert refused(read({"Type": "Notification", "Message": "{"})) == {("PB-002", "Message")}
    assert refused(read(event("Maren Thistlewood"))) == {("PB-004", "eventType")}
    differ = notification(event(f"{DELIUS}sentence.deleted", eventNumber="2"), "enforcement.breach.raised")
    assert warned(read(differ)) == {("PB-005", "eventType")}
    assert refused(read(b" " * (1024 * 1024 + 1))) == {("PB-007", "")}
    assert read({"Type": "SubscriptionConfirmation"}) == Ignored("sns.SubscriptionConfirmation")
    assert message(differ).media_type == "application/json"


def test_a_time_without_a_zone_in_the_hour_that_comes_twice() -> None:
    """It is read as summer time, and says so (PB-031)."""
    deleted = event(f"{DELIUS}sentence.deleted", "2025-10-26T01:30:00", eventNumber="2")
    assert warned(read(deleted)) == {("PB-030", "occurredAt"), ("PB-031", "occurredAt")}


@pytest.mark.parametrize(
    "option", [{"case_api": "https://cases.example"}, {"requirement__X": "juggling"}, {"colour": "red"}]
)
def test_an_option_that_is_none_stops_the_start(option: dict[str, str]) -> None:
    """An unknown option, an unknown meaning, or half of what fetching needs is an error at start."""
    with pytest.raises(ValueError, match=r".+"):
        read(CREATED, **option)
