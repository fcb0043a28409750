import pytest

from adapters.base import Accepted, Held
from adapters.prison import build
from adapters.prison.codes import ADMISSION_REASONS, RELEASE_REASONS
from schemas.base import Sensitivity
from schemas.imprisonment import (
    Absence,
    AtLarge,
    Died,
    LegalStatus,
    Received,
    ReceptionReason,
    Released,
    ReleaseReason,
    Returned,
    TemporarilyOut,
    Transferred,
)
from tests.adapters.prison.outcomes import fact, faults, held_for, ignored_as, rule_ids, told
from tests.adapters.prison.records import (
    DELAYED,
    IMMEDIATE,
    RECEIVED_AT,
    event,
    filled,
    message,
    read,
    read_immediate,
    received,
    released,
)


def test_a_pointer_tells_the_movement_and_no_more() -> None:
    """A movement without a snapshot is told from what it carries: who by number, where, when and why."""
    event = told(read(received(code="I")))
    assert isinstance(event, Received)
    assert (event.prison, event.reason, event.legal_status, event.dates) == ("LII", "admission", None, None)
    assert event.person.name is None
    assert [claim.value for claim in event.person.identifiers] == ["A4827KX"]
    assert event.sensitivity == {Sensitivity.OFFENCE}


def test_a_snapshot_adds_who_it_is_and_when_they_may_leave() -> None:
    """A movement with a snapshot carries the person, the right they are held in and their dates."""
    event = told(read(filled(received(code="I"))))
    assert isinstance(event, Received)
    assert event.legal_status is LegalStatus.SENTENCED
    assert event.dates is not None
    assert event.dates.conditional is not None
    assert event.person.name is not None
    assert (event.person.name.forenames, event.person.name.surname) == ("CORIN ELLIS", "ASHDALE")


def test_one_movement_is_one_fact_with_or_without_a_snapshot() -> None:
    """A pointer filled later corrects the movement it pointed at; it is no second one."""
    bare, full = fact(read(received(code="I"))), fact(read(filled(received(code="I"))))
    assert (bare.key, bare.lane, bare.kind) == (full.key, full.lane, full.kind)
    assert bare.key == "prison:A4827KX:received:2025-03-04T14:10:21+00:00"
    assert bare.lane == "NOMS:A4827KX"
    assert bare.version is None


def test_a_later_movement_is_another_fact() -> None:
    """A second stay never corrects the first."""
    first, second = received(code="I"), received(code="I") | {"occurredAt": "2025-03-04T14:10:22+00:00"}
    assert fact(read(first)).key != fact(read(second)).key


def test_one_instant_in_two_zones_is_one_fact() -> None:
    """The same movement written in summer time and in UTC is the same movement."""
    summer, utc = (
        released(code="CR") | {"occurredAt": at} for at in ("2025-08-19T09:40:02+01:00", "2025-08-19T08:40:02Z")
    )
    assert fact(read(summer)).key == fact(read(utc)).key


@pytest.mark.parametrize("reason", ["RELEASED", "UNKNOWN"])
def test_death_is_no_release(reason: str) -> None:
    """A death that arrives as an ordinary release is told as a death."""
    event = told(read(released(reason, code="DEC")))
    assert isinstance(event, Died)
    assert event.prison == "LII"


def test_death_never_settles() -> None:
    """A death is published at once in both families: everything must stop within minutes."""
    record = filled(
        released(family=IMMEDIATE), lastMovementTypeCode="REL", lastMovementReasonCode="DEC", prisonId="OUT"
    )
    dead = fact(read_immediate(record))
    assert isinstance(dead.event, Died)
    assert not dead.settles
    assert dead.reverses is None


def test_a_release_for_a_merge_is_no_release() -> None:
    """The release of a number that is about to be merged is counted by name; the merge itself tells it."""
    assert ignored_as(read(released(code="MRG"))) == f"{DELAYED}released:MRG"


@pytest.mark.parametrize(
    ("reason", "absence"),
    [
        ("SENT_TO_COURT", Absence.COURT),
        ("TEMPORARY_ABSENCE_RELEASE", Absence.TEMPORARY_ABSENCE),
        ("RELEASED_TO_HOSPITAL", Absence.HOSPITAL),
        ("TRANSFERRED", Absence.TRANSFER),
    ],
)
def test_who_leaves_the_building_is_not_released(reason: str, absence: Absence) -> None:
    """Court, leave, hospital and a move between prisons leave the person held."""
    event = told(read(released(reason)))
    assert isinstance(event, TemporarilyOut)
    assert (event.absence, event.prison) == (absence, "LII")


@pytest.mark.parametrize("code", ["HO", "HP", "HQ"])
def test_a_discharge_to_hospital_is_not_a_release_home(code: str) -> None:
    """A psychiatric discharge that says RELEASED is a stay in hospital, and special category data."""
    event = told(read(released(code=code)))
    assert isinstance(event, TemporarilyOut)
    assert event.absence is Absence.HOSPITAL
    assert Sensitivity.HEALTH in event.sensitivity


@pytest.mark.parametrize("code", ["ESCP", "UAL", "UAL_ECL"])
def test_an_escape_is_not_a_release(code: str) -> None:
    """Who escaped or absconded is no longer held and was not released."""
    assert isinstance(told(read(released(code=code))), AtLarge)


def test_a_release_says_why() -> None:
    """A release on licence is told as conditional, with the dates it was measured by."""
    event = told(read(released(code="CR")))
    assert isinstance(event, Released)
    assert event.reason is ReleaseReason.CONDITIONAL


@pytest.mark.parametrize(("code", "reason"), sorted(RELEASE_REASONS.items()))
def test_every_mapped_release_says_why(code: str, reason: ReleaseReason) -> None:
    """Every release code we know tells a release with our meaning of it, and none is another kind of departure."""
    event = told(read(released(code=code)))
    assert isinstance(event, Released)
    assert event.reason is reason


@pytest.mark.parametrize("code", ["AS", "AV", "IR"])
def test_a_code_that_is_no_release_is_held(code: str) -> None:
    """A stay elsewhere for visits and a week between weekends in custody stand beside releases and are none."""
    assert held_for(read(released(code=code))) == "code_not_mapped"


@pytest.mark.parametrize("record", [released(), filled(released()), filled(released(), lastMovementTypeCode=None)])
def test_a_release_without_its_code_waits(record: dict[str, object]) -> None:
    """A release that nobody can tell from a death or a merge is held until a snapshot tells."""
    outcome = read(record)
    assert held_for(outcome) == "pointer_not_filled"
    assert isinstance(outcome, Held)
    assert outcome.lane == "NOMS:A4827KX"


@pytest.mark.parametrize(
    ("record", "table"),
    [
        (released(code="ZZ9"), "prison.released.nomisMovementReasonCode"),
        (received(code="ZZ9"), "prison.received.nomisMovementReasonCode"),
        (released("UNKNOWN"), "prison.released.reason"),
        (received("ABDUCTED"), "prison.received.reason"),
        (filled(received(), legalStatus="PARDONED"), "prison.legalStatus"),
        (
            filled(received(), addresses=[{"addressUsages": [{"addressUsage": "CASTLE"}]}]),
            "prison.addressUsage",
        ),
    ],
)
def test_a_code_on_no_list_is_held_by_name(record: dict[str, object], table: str) -> None:
    """A code nobody has mapped holds its record, with its table and lane, and is never defaulted."""
    outcome = read(record)
    assert held_for(outcome) == "code_not_mapped"
    assert isinstance(outcome, Held)
    assert outcome.findings[-1].field == table
    assert outcome.lane == "NOMS:A4827KX"


def test_what_does_not_look_like_a_code_is_not_repeated() -> None:
    """Free text in the place of a code is held without being quoted."""
    outcome = read(released(code="released to Mrs Ashdale"))
    assert isinstance(outcome, Held)
    assert "Ashdale" not in outcome.findings[-1].text


def test_operations_map_a_code_without_a_new_version() -> None:
    """An option of the installation gives a code its meaning; the held record then translates."""
    adapter = build({"release_reason.ZZ9": "not_guilty", "reception_reason.R1": "recall"})
    freed = told(adapter.read(message(released(code="ZZ9"))))
    assert isinstance(freed, Released)
    assert freed.reason is ReleaseReason.NOT_GUILTY
    back = told(adapter.read(message(received(code="R1"))))
    assert isinstance(back, Received)
    assert back.reason is ReceptionReason.RECALL


@pytest.mark.parametrize(("code", "reason"), sorted(ADMISSION_REASONS.items()))
def test_every_mapped_admission_is_a_reception(code: str, reason: ReceptionReason) -> None:
    """Every admission code we know tells a reception with our meaning of it."""
    event = told(read(received(code=code)))
    assert isinstance(event, Received)
    assert event.reason is reason


def test_a_recall_is_believed_against_the_flag() -> None:
    """A recall from curfew with the snapshot's recall flag false is a recall, with a finding."""
    outcome = read(filled(received(), lastMovementReasonCode="B", recall=False))
    event = told(outcome)
    assert isinstance(event, Received)
    assert event.reason is ReceptionReason.RECALL
    assert rule_ids(outcome) == ["PR-036"]


@pytest.mark.parametrize("reason", ["ADMISSION", "TRANSFERRED"])
@pytest.mark.parametrize(("code", "absence"), [("TRNCRT", Absence.COURT), ("TRNTAP", Absence.TEMPORARY_ABSENCE)])
def test_an_admission_by_way_of_court_is_a_return(reason: str, code: str, absence: Absence) -> None:
    """ADM with TRNCRT is no admission: the person is back from court, at the prison named."""
    event = told(read(received(reason, code)))
    assert isinstance(event, Returned)
    assert (event.absence, event.prison) == (absence, "LII")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("INT", ReceptionReason.READMISSION),
        ("TRNCRT", ReceptionReason.READMISSION),
        ("I", ReceptionReason.READMISSION),
        ("L", ReceptionReason.RECALL),
        ("RECA", ReceptionReason.BACK_IN_CUSTODY),
    ],
)
def test_a_readmission_keeps_what_its_code_tells(code: str, reason: ReceptionReason) -> None:
    """Back on the same booking is a readmission, unless the code says it was a recall or a recapture."""
    event = told(read_immediate(filled(received("READMISSION", family=IMMEDIATE), lastMovementReasonCode=code)))
    assert isinstance(event, Received)
    assert event.reason is reason


def test_an_arrival_from_another_prison_is_a_transfer() -> None:
    """A move between prisons changes who holds the person and nothing else."""
    assert isinstance(told(read(received("TRANSFERRED"))), Transferred)
    assert isinstance(told(read(received("ADMISSION", "INT"))), Transferred)


def test_a_stale_snapshot_does_not_lend_its_reason() -> None:
    """The reason code of a snapshot that speaks of another movement is not used, and a finding says so."""
    outcome = read(filled(received(), lastMovementTypeCode="REL", lastMovementReasonCode="DEC"))
    event = told(outcome)
    assert isinstance(event, Received)
    assert event.reason is ReceptionReason.ADMISSION
    assert rule_ids(outcome) == ["PR-037", "PR-040"]


def test_a_later_death_does_not_rewrite_a_day_in_court() -> None:
    """A snapshot fetched after a death does not turn the court run before it into the death."""
    outcome = read(filled(released("SENT_TO_COURT"), lastMovementTypeCode="REL", lastMovementReasonCode="DEC"))
    assert isinstance(told(outcome), TemporarilyOut)


@pytest.mark.parametrize("agency", ["OUT", "TRN", "GHI"])
def test_nobody_is_received_at_a_pseudo_agency(agency: str) -> None:
    """A reception where no prison is cannot be true."""
    record = received() | {"additionalInformation": received()["additionalInformation"] | {"prisonId": agency}}
    assert faults(read(record)) == {("PR-017", "additionalInformation.prisonId")}


def test_a_release_from_a_pseudo_agency_goes_on_without_a_prison() -> None:
    """A release whose prison is not named is still a release."""
    record = released(code="CR")
    record["additionalInformation"]["prisonId"] = "OUT"
    outcome = read(record)
    assert told(outcome).prison is None
    assert rule_ids(outcome) == ["PR-038"]


@pytest.mark.parametrize("way", ["received", "released"])
def test_an_installation_takes_movements_from_one_family(way: str) -> None:
    """The other family's movements are ignored by name, so no movement is told twice."""
    ours, theirs = (event(f"{family}{way}") for family in (DELAYED, IMMEDIATE))
    assert ignored_as(read(theirs)) == f"{IMMEDIATE}{way}"
    assert ignored_as(read_immediate(ours)) == f"{DELAYED}{way}"


def test_the_delayed_family_is_published_at_once() -> None:
    """HMPPS has already waited and suppressed; nothing settles twice."""
    for record in (received("RETURN_FROM_COURT"), released(code="CR")):
        movement = fact(read(record))
        assert not movement.settles
        assert movement.reverses is None


REVERSALS = [
    (received("NEW_ADMISSION", family=IMMEDIATE), None),
    (received("READMISSION", family=IMMEDIATE), "imprisonment.released"),
    (received("READMISSION_SWITCH_BOOKING", family=IMMEDIATE), "imprisonment.released"),
    (received("POST_MERGE_ADMISSION", family=IMMEDIATE), "imprisonment.released"),
    (received("TRANSFERRED", family=IMMEDIATE), None),
    (received("RETURN_FROM_COURT", family=IMMEDIATE), "imprisonment.temporarily-out"),
    (received("TEMPORARY_ABSENCE_RETURN", family=IMMEDIATE), "imprisonment.temporarily-out"),
    (released("RELEASED", code="CR", family=IMMEDIATE), "imprisonment.received"),
    (released("RELEASED", code="UAL", family=IMMEDIATE), None),
    (released("SENT_TO_COURT", family=IMMEDIATE), None),
    (released("TEMPORARY_ABSENCE_RELEASE", family=IMMEDIATE), None),
    (released("RELEASED_TO_HOSPITAL", family=IMMEDIATE), None),
    (released("TRANSFERRED", family=IMMEDIATE), None),
]


@pytest.mark.parametrize(("record", "undone"), REVERSALS)
def test_immediate_movements_settle_and_some_undo_another(record: dict[str, object], undone: str | None) -> None:
    """Every immediate movement waits; exactly the ones of the contract take a waiting movement along."""
    movement = fact(read_immediate(record))
    assert movement.settles
    assert movement.reverses == undone


def test_a_release_undone_within_the_window_is_named_by_its_undoing() -> None:
    """The readmission of a person released by mistake names the very kind the release was told as."""
    out = fact(
        read_immediate(filled(released(family=IMMEDIATE), lastMovementTypeCode="REL", lastMovementReasonCode="CR"))
    )
    back = fact(read_immediate(received("READMISSION", family=IMMEDIATE)))
    assert (back.reverses, back.lane) == (out.kind, out.lane)


@pytest.mark.parametrize(
    "options",
    [{"family": "both"}, {"famly": "delayed"}, {"release_reason.": "bail"}, {"release_reason.BL": "freed"}],
)
def test_a_misspelled_option_stops_the_start(options: dict[str, str]) -> None:
    """A setting that means nothing is an error, never a default."""
    with pytest.raises(ValueError, match=r"."):
        build(options)


def test_a_future_movement_is_refused() -> None:
    """Nothing has happened tomorrow; a clock a few minutes ahead is no reason to refuse."""
    soon, later = (received() | {"occurredAt": at} for at in ("2026-01-01T00:10:00Z", "2026-01-03T00:00:00Z"))
    assert isinstance(read(soon), Accepted)
    assert faults(read(later)) == {("PR-015", "occurredAt")}
    assert RECEIVED_AT.year == 2026
