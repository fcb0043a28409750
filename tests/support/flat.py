"""Flat records in tests: one of an agency's examples, changed field by field, and what its feed makes of it."""

import csv
import io
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapters.base import Accepted, Message, Outcome
from adapters.flat import JSON, Feed
from schemas.base import Fact

EXAMPLES = Path(__file__).parents[2] / "contracts" / "inbound"
RECEIVED = datetime(2026, 1, 15, 12, tzinfo=UTC)


def example(agency: str, file: str, row: int = 1) -> dict[str, Any]:
    """The fields of an example, by the names the agency has for them: "accepted/first.json", or a row of a CSV file."""
    text = (EXAMPLES / agency / "examples" / file).read_text(encoding="utf-8-sig")
    if file.endswith(".json"):
        told: dict[str, Any] = json.loads(text)
        return told
    return list(csv.DictReader(io.StringIO(text, newline="")))[row - 1]


def unlisted(feed: Feed) -> set[str]:
    """The fields that the feed reads and its contract's README has no line for, as "| `field` |"."""
    contract = (EXAMPLES / feed.name / "README.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `([^`]+)` \|", contract, re.MULTILINE))
    return {feed.names}.union(*(kind.layout.spelled.values() for kind in feed.kinds.values())) - listed


def outcome(feed: Feed, record: Mapping[str, Any]) -> Outcome:
    """What a record becomes."""
    return feed.read(Message(json.dumps(record).encode(), JSON, RECEIVED))


def fact(feed: Feed, record: Mapping[str, Any]) -> Fact:
    """The fact of a record that is accepted; fails where it is not."""
    told = outcome(feed, record)
    assert isinstance(told, Accepted), told
    (one,) = told.facts
    return one
