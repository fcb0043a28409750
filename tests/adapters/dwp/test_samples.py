"""Universal Credit's own documents and envelopes, read in place.

The documents are as they are before they are encrypted, so each is put into an envelope here. The envelope cases
carry no document that could be decrypted; an empty one is put in its place, since none is of a collection we read.
"""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.base import Accepted, Ignored, Message, Outcome, Refused
from adapters.dwp import build
from tests.support.samples import sample

FOLDER = "dwp/universal-credit-kafka"
RECEIVED_AT = datetime(2026, 6, 1, tzinfo=UTC)

TOLD = {
    "claimant": ["benefits.claimant-recorded"],
    "statement": ["benefits.assessed"],
}
"""What each document tells, by its collection."""

ENVELOPES = {
    "valid": Ignored("universal-credit.addresses"),
    "valid, alternate date Z": Ignored("universal-credit.addresses"),
    "message missing": {("DW-031", "eventType")},
    "@type missing": {("DW-022", "message.@type")},
    "string _id": Ignored("universal-credit.addresses"),
    "empty string _id": {("DW-022", "message._id")},
    "empty object _id": {("DW-022", "message._id")},
    "_lastModifiedDateTime null": Ignored("universal-credit.addresses"),
}
"""What becomes of each envelope: its collection is none of ours, and a broken one is refused before that is asked."""


def read(told: dict[str, Any]) -> Outcome:
    return build({}).read(Message(json.dumps(told).encode(), "application/json", RECEIVED_AT))


def test_every_file_is_one_that_is_read_here() -> None:
    """A sample that is new has a test, or none of this holds."""
    assert {path.name for path in sample(FOLDER).iterdir()} == {
        "README.md",
        "envelope_cases.json",
        *(f"{collection}_dbObject.json" for collection in TOLD),
    }


@pytest.mark.parametrize("collection", TOLD)
def test_every_document_is_accepted(collection: str) -> None:
    """Nothing is odd about any of them."""
    document = json.loads((sample(FOLDER) / f"{collection}_dbObject.json").read_text())
    told = {"@type": "MONGO_INSERT", "_id": document["_id"], "collection": collection, "dbObject": document}
    outcome = read({"message": told})
    assert isinstance(outcome, Accepted)
    assert [fact.kind for fact in outcome.facts] == TOLD[collection]
    assert outcome.findings == ()


def test_every_envelope_ends_as_expected() -> None:
    """Valid ones are told by their collection's name, the others refused by rule; none raises."""
    cases = json.loads((sample(FOLDER) / "envelope_cases.json").read_text())
    ended: dict[str, object] = {}
    for case in cases:
        envelope = case["envelope"]
        if "message" in envelope:
            envelope["message"]["dbObject"] = {}
        outcome = read(envelope)
        assert isinstance(outcome, Ignored if case["valid"] else Refused), case["name"]
        faults = outcome.findings if isinstance(outcome, Refused) else ()
        ended[case["name"]] = {(one.rule.id, one.field) for one in faults} or outcome
    assert ended == ENVELOPES
