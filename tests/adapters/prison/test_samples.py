"""Real messages of HMPPS services, read in place.

A file is a message of this agency if it stands in one of FOLDERS. Everything else under prison/ is a specification
(domain-events), an API answer used as a snapshot or not at all (hmpps-integration-api, prison-api-responses,
prison-register, prisoner-search outside `messages`).
"""

import copy
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from adapters.base import Accepted, Adapter, Held, Ignored, Message, Outcome
from adapters.prison import build
from adapters.prison.adapter import MOVEMENTS, SUBSCRIBED
from adapters.prison.movement import Family
from adapters.prison.wire import AddressUsage, Snapshot, SnapshotAddress, SnapshotAlias
from tests.adapters.prison.outcomes import told
from tests.support.samples import sample

FOLDERS = (
    "domain-events-derived-instances",
    "prison-to-probation-update",
    "probation-integration-sns",
    "prisoner-search/hmpps-prisoner-search-indexer/src/test/resources/messages",
)
RECEIVED_AT = datetime(2026, 6, 1, tzinfo=UTC)

HELD = {
    "auto/prison-offender-events/prisoner-sentence-dates-changed.json": "pointer_not_filled",
    "schemas/prison-offender-events/prisoner.sentence-dates-changed.json": "pointer_not_filled",
    "schemas/prison-offender-events/prisoner.imprisonment-status-changed.json": "pointer_not_filled",
    # The reason UNKNOWN: its sender does not know either.
    "test/resources/messages/prisonerReleasedUnknown.json": "code_not_mapped",
    # Movement reason R1 stands in no public list of NOMIS codes (the details of the same message say ADM-L).
    "prisoner-received.json": "code_not_mapped",
}
"""The messages of subscribed kinds that are held, and why; every other one is accepted."""


def messages() -> list[tuple[str, bytes]]:
    root = sample("prison")
    found: list[tuple[str, bytes]] = []
    for folder in FOLDERS:
        files = sorted(sample(f"prison/{folder}").rglob("*.json"))
        assert files, folder
        found.extend((str(file.relative_to(root / folder)), file.read_bytes()) for file in files)
    return found


def type_of(body: bytes) -> str:
    """The eventType, found without the adapter: in the body, in the Message, or in the attributes."""
    outer: dict[str, Any] = json.loads(body)
    inner = json.loads(outer["Message"]) if "Message" in outer else outer
    name = inner.get("eventType") or outer["MessageAttributes"]["eventType"]["Value"]
    assert isinstance(name, str)
    return name


def read(adapter: Adapter, body: bytes) -> Outcome:
    return adapter.read(Message(body, "application/json", RECEIVED_AT))


@pytest.mark.parametrize(
    ("family", "accepted", "held", "ignored"), [(Family.DELAYED, 8, 5, 85), (Family.IMMEDIATE, 2, 3, 93)]
)
def test_every_message_ends_as_expected(family: Family, accepted: int, held: int, ignored: int) -> None:
    """Subscribed kinds are accepted, or held for the reason written here; the rest is ignored by its own name."""
    adapter = build({"family": family.value})
    counts: Counter[str] = Counter()
    for name, body in messages():
        outcome, event_type = read(adapter, body), type_of(body)
        counts[type(outcome).__name__] += 1
        if event_type in SUBSCRIBED and MOVEMENTS.get(event_type, (family,))[0] is family:
            expected = HELD.get(name)
            if expected is None:
                assert isinstance(outcome, Accepted), name
            else:
                assert isinstance(outcome, Held), name
                assert outcome.reason == expected, name
        else:
            assert outcome == Ignored(event_type), name
    assert counts == {"Accepted": accepted, "Held": held, "Ignored": ignored}


def snapshots() -> list[tuple[str, dict[str, Any]]]:
    root = sample("prison/prisoner-search")
    files = [*sorted(root.rglob("receive-state-changes/*.json")), *sorted(root.rglob("resources/prisoners/*.json"))]
    assert files
    return [(file.name, json.loads(file.read_text())) for file in files]


def filled(event_type: str, snapshot: dict[str, Any], **said: str) -> bytes:
    event = {
        "eventType": event_type,
        "version": 1,
        "occurredAt": "2024-06-11T15:13:21+01:00",
        "additionalInformation": {"nomsNumber": snapshot["prisonerNumber"]} | said,
    }
    return json.dumps({"event": event, "snapshot": snapshot}).encode()


def test_every_real_snapshot_fills_a_dates_pointer() -> None:
    """Whatever prisoner search answers, the dates in it are told."""
    adapter = build({})
    for name, snapshot in snapshots():
        outcome = read(adapter, filled("calculate-release-dates.prisoner.changed", snapshot))
        assert isinstance(outcome, Accepted), name


def shapes() -> set[str]:
    """The path of every leaf in any real answer of prisoner search, "alerts[].comment"."""
    return {path for _, snapshot in snapshots() for path in _paths(snapshot, "")}


def _paths(value: object, at: str) -> Iterator[str]:
    match value:
        case dict():
            for name, inner in value.items():
                yield from _paths(inner, f"{at}.{name}" if at else name)
        case list():
            for inner in value:
                yield from _paths(inner, f"{at}[]")
        case _:
            yield at


def read_paths() -> set[str]:
    """The path of every leaf the contract lists: the fields the adapter has a name for."""

    def of(shape: type[BaseModel], at: str) -> Iterator[str]:
        for field in shape.model_fields.values():
            name = str(field.alias)
            yield from of(parts[name], f"{at}{name}[].") if name in parts else (f"{at}{name}",)

    parts: dict[str, type[BaseModel]] = {
        "aliases": SnapshotAlias,
        "addresses": SnapshotAddress,
        "addressUsages": AddressUsage,
    }
    return set(of(Snapshot, ""))


def with_canary(snapshot: dict[str, Any], path: str, canary: str) -> dict[str, Any]:
    """The snapshot with a canary in one leaf, whatever stood there or did not."""
    changed: dict[str, Any] = copy.deepcopy(snapshot)
    *way, leaf = path.split(".")
    at = changed
    for step in way:
        name = step.removesuffix("[]")
        if not step.endswith("[]"):
            at = at.setdefault(name, {})
            continue
        if not at.get(name):
            at[name] = [{}]
        at = at[name][0]
    at[leaf.removesuffix("[]")] = [canary] if leaf.endswith("[]") else canary
    return changed


def test_no_other_leaf_of_any_real_snapshot_gets_through() -> None:
    """Every leaf prisoner search has that is not on the contract's list: its value is nowhere in what is told."""
    unread = sorted(shapes() - read_paths())
    assert len(unread) >= 50
    base = dict(snapshots())["recalled.json"]
    for event_type, said in (
        ("prison-offender-events.prisoner.received", {"reason": "ADMISSION", "prisonId": "NMI"}),
        ("calculate-release-dates.prisoner.changed", {}),
    ):
        for path in unread:
            outcome = read(build({}), filled(event_type, with_canary(base, path, "canary-7719"), **said))
            assert isinstance(outcome, Accepted), path
            assert "canary-7719" not in repr(outcome), path


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("first-new-booking.json", "imprisonment.received"),
        ("recalled.json", "imprisonment.received"),
        ("court-in-different-prison.json", "imprisonment.returned"),
        ("tap-in-different-prison.json", "imprisonment.returned"),
        ("transfer-in.json", "imprisonment.transferred"),
    ],
)
def test_the_last_movement_of_a_snapshot_says_what_an_admission_was(file: str, kind: str) -> None:
    """ADM with TRNCRT is a return from court; a recall with the flag false is a recall."""
    snapshot = dict(snapshots())[Path(file).name]
    body = filled("prison-offender-events.prisoner.received", snapshot, reason="ADMISSION", prisonId="NMI")
    outcome = read(build({}), body)
    event = told(outcome)
    assert event.kind == kind
    if file == "recalled.json":
        assert isinstance(outcome, Accepted)
        assert "PR-036" in [finding.rule.id for finding in outcome.findings]
        assert event.model_dump()["reason"] == "recall"
