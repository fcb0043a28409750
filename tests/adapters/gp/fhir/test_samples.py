"""Real FHIR messages and resources, read in place: the NHS's own examples of BaRS, UK Core and e-RS.

Only message bundles whose header asks for a service are subscribed; they stand in the implementation guide's folder,
and the API's in `process_message`. Everything else there is a single resource, an answer, or another interface's.
"""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.base import Accepted, Ignored, Message, Outcome, Refused
from adapters.gp import build
from tests.support.samples import sample

RECEIVED = datetime(2026, 1, 15, tzinfo=UTC)
REFERRALS = ("REFREQ01", "REFREQ02", "REFREQ03", "REFREQ06")

IGNORED = {
    # A validation asks an ambulance service for a call back; it refers nobody. So does its cancellation.
    "VALREQ01": "bars.servicerequest-request.validation",
    "VALRESP01": "bars.servicerequest-request.validation",
    "SERVREQ01": "bars.servicerequest-request.validation",
    "ValidationRequest_POST_.json": "bars.servicerequest-request.validation",
    "ValidationRequest_HTTP_Response_.json": "bars.servicerequest-request.validation",
    # What a receiver tells a sender. We are the receiver.
    "REFRESP01": "bars.servicerequest-response",
    "ValidationResponse_POST_.json": "bars.servicerequest-response",
    # An appointment.
    "BOOKREQ01": "bars.booking-request",
    "Booking_HTTP_Response_.json": "bars.booking-request",
    "POST-success.json": "bars.booking-request",
}
"""The messages of kinds that are not ours, by the beginning of their file's name: each ignored by this name."""

BROKEN = {
    # HL7 v2 in its own XML form, which is no FHIR.
    "GP-001": 1,
}
"""What is no resource at all, by the rule it breaks; every other file that is no message breaks GP-002."""


def resources() -> list[tuple[str, str, bytes]]:
    """Every FHIR file: its name, its media type, its bytes."""
    files = [file for file in sample("gp-referrals").rglob("*") if file.suffix in {".xml", ".json"}]
    assert len(files) > 200
    media = {".xml": "application/fhir+xml", ".json": "application/fhir+json"}
    return [(file.name, media[file.suffix], file.read_bytes()) for file in sorted(files)]


def outcomes(services: str) -> list[tuple[str, Outcome]]:
    """What becomes of each."""
    adapter = build({"lasars_services": services} if services else {})
    return [(name, adapter.read(Message(body, media, RECEIVED))) for name, media, body in resources()]


def begins(name: str, names: tuple[str, ...]) -> bool:
    return any(name.startswith(one) for one in names)


@pytest.mark.parametrize("services", ["", "*"], ids=["as shipped", "every service"])
def test_every_file_ends_as_expected(services: str) -> None:
    """A referral is another service's as shipped, and accepted with *; every other message is ignored by its name."""
    counts: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    for name, outcome in outcomes(services):
        counts[type(outcome).__name__] += 1
        expected = next((told for beginning, told in IGNORED.items() if name.startswith(beginning)), None)
        if begins(name, REFERRALS):
            if services:
                assert isinstance(outcome, Accepted), name
                # The standard's example patient has an NHS number that fails its check.
                assert [finding.rule.id for finding in outcome.findings] == ["ID-001"], name
            else:
                assert outcome == Ignored("bars.servicerequest-request.another-service"), name
        elif expected is not None and isinstance(outcome, Ignored):
            assert outcome == Ignored(expected), name
        else:
            assert isinstance(outcome, Refused), name
            refused.update(finding.rule.id for finding in outcome.findings)
    taken = {"Accepted": 4, "Ignored": 10} if services else {"Ignored": 14}
    assert counts == {**taken, "Refused": refused.total()}
    assert refused == {**BROKEN, "GP-002": refused.total() - sum(BROKEN.values())}


def test_the_setting_names_the_service_of_the_examples() -> None:
    """Their referrals go to service 111111111 of the directory, and an installation that names it takes them."""
    taken = [name for name, outcome in outcomes("111111111") if isinstance(outcome, Accepted)]
    assert [name[:8] for name in taken] == list(REFERRALS)


def test_two_examples_share_a_key_and_not_a_bundle() -> None:
    """REFREQ01 and REFREQ02 have one Bundle.id, one sender and one referral's id, under different content."""
    facts = {name[:8]: outcome.facts[0] for name, outcome in outcomes("*") if isinstance(outcome, Accepted)}
    assert facts["REFREQ01"].key == facts["REFREQ02"].key
    assert facts["REFREQ01"].event != facts["REFREQ02"].event


def test_every_example_of_the_guide_is_looked_at() -> None:
    """No message of the guide is left out of the tables above."""
    folder = sample("gp-referrals/bars-ig-messages")
    bundles = [path for path in Path(folder).glob("*.xml") if b"<MessageHeader" in path.read_bytes()]
    assert {path.name for path in bundles if not begins(path.name, (*REFERRALS, *IGNORED))} == set()
