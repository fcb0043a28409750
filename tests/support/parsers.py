"""Everything in the registry that reads bytes nobody has looked at, found there and not named here."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, assert_never

from adapters.base import Accepted, Adapter, Answered, Fate, FileRefused, Finding, Held, Ignored, Message, Refused
from adapters.registry import adapters

RECEIVED = datetime(2026, 1, 15, 12, tzinfo=UTC)
EXAMPLES = Path(__file__).parents[2] / "contracts" / "inbound"
OPTIONS = {"gp": {"lasars_services": "*"}}
"""Every service, so that every referral is read to its end."""

ROWS_READ = 50
"""Rows of a file that are read as well as cut."""


@dataclass(frozen=True, slots=True)
class Parser:
    """One way into one agency's feed: a record or a file of a media type."""

    agency: str
    door: str
    media_type: str

    @property
    def name(self) -> str:
        """As tests and reports call it."""
        return f"{self.agency} {self.door} {self.media_type}"

    def run(self, adapter: Adapter, body: bytes) -> str:
        """Read these bytes as the gateway would, the answer to them included; what came of it, and by which rules.

        Raises AssertionError for a finding by no rule, and whatever else the adapter wrongly raises.
        """
        came, fate = self._record(adapter, body) if self.door == "record" else self.cut(adapter, lambda: BytesIO(body))
        message = Message(body, self.media_type, RECEIVED)
        if answer := adapter.answers.get(self.media_type):
            assert all(reply.body for reply in answer(message, Answered(fate, RECEIVED, uuid.UUID(int=1))))
        if find_id := adapter.ids.get(self.media_type):
            find_id(body)
        return came

    def _record(self, adapter: Adapter, body: bytes) -> tuple[str, Fate]:
        outcome = adapter.read(Message(body, self.media_type, RECEIVED))
        match outcome:
            case Ignored(name):
                assert name
                return f"ignored {name}", Fate.COMMITTED
            case Held(reason, findings):
                return f"held {reason} {_rules(adapter, findings)}", Fate.COMMITTED
            case Accepted(facts, findings):
                assert facts
                return f"accepted {_rules(adapter, findings)}", Fate.COMMITTED
            case Refused(findings):
                assert findings
                return f"refused {_rules(adapter, findings)}", Fate.REFUSED
            case _:
                assert_never(outcome)

    def cut(self, adapter: Adapter, opened: Callable[[], BinaryIO]) -> tuple[str, Fate]:
        """Cut a file into its rows; what came of it, by name and as its sender is answered. opened: gives it anew."""
        refused = None
        try:
            if series := adapter.series.get(self.media_type):
                series.number(opened())
            for count, row in enumerate(adapter.files[self.media_type](opened())):
                if count < ROWS_READ:
                    adapter.read(Message(row.body, row.media_type, RECEIVED))
        except FileRefused as error:
            refused = error.finding.rule
        if refused is None:
            return "rows", Fate.COMMITTED
        assert refused.id in adapter.rules
        return f"refused by {refused.id}", Fate.REFUSED


def _rules(adapter: Adapter, findings: tuple[Finding, ...]) -> str:
    broken = sorted({one.rule.id for one in findings})
    assert all(rule in adapter.rules for rule in broken)
    return " ".join(broken)


def registered() -> dict[str, Adapter]:
    """All adapters, by agency."""
    return adapters(OPTIONS)


def parsers(agency: str, adapter: Adapter) -> Iterator[Parser]:
    """The ways into a feed."""
    for media_type in sorted(adapter.records):
        yield Parser(agency, "record", media_type)
    for media_type in sorted(adapter.files):
        yield Parser(agency, "file", media_type)


def seeds(agency: str) -> list[bytes]:
    """The published examples of an agency, whatever their outcome."""
    return [path.read_bytes() for path in sorted((EXAMPLES / agency / "examples").rglob("*")) if path.is_file()]
