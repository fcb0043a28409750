"""The envelope an HMPPS record comes in: an SNS notification or the event bare, with or without a snapshot.

Fields in findings are those of the event itself, whatever it came in; those of the snapshot begin with `snapshot`.
A record with a snapshot is `{"event": <either>, "snapshot": <what its source answered>, "fetchedAt": <instant>}`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from adapters.base import Finding, Ignored, Message, Rule
from adapters.local_time import read_moment

LONGEST: Final = 1024 * 1024
"""The longest record read, in bytes. The largest real snapshot seen has 8 KB."""

_NAME = re.compile(
    r"(?=.{1,100}\Z)(?:"
    r"[a-z][a-z0-9-]*(?:\.[a-z][a-z0-9-]*){2,}"  # HMPPS: prison-offender-events.prisoner.cell.move
    r"|[a-z][a-z0-9-]*\.(?:created|updated|changed|deleted|booked|cancelled)"  # and prison-visit.booked
    r"|[A-Z]+(?:_[A-Z]+)*[-_](?:INSERTED|UPDATED?|UPSERTED|DELETED|CHANGED|REASSIGNED|RECEPTION|DISCHARGE)"
    r"|[A-Z]+(?:_[A-Z]+){2,}"  # NOMIS of old: OFFENDER_BOOKING-CHANGED, IEP_UPSERTED
    r"|(?:Subscription|Unsubscribe)Confirmation)"  # SNS about itself
)
"""The names there are of events. Nothing else is a name, however harmless it looks: a person's has no such form."""

_BOM = b"\xef\xbb\xbf"


class Faulty(Exception):
    """The record cannot be accepted: every fault that was found. It never leaves its agency's package."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        super().__init__()
        self.findings = tuple(findings)


@dataclass(frozen=True, slots=True)
class EnvelopeRules:
    """An agency's own rules for what can be wrong with an envelope."""

    not_json: Rule
    message_not_json: Rule
    no_event_type: Rule
    event_type_unreadable: Rule
    event_types_differ: Rule
    too_long: Rule
    missing: Rule
    malformed: Rule


@dataclass(frozen=True, slots=True)
class Opened:
    """A record out of its envelope.

    type: the eventType. event: the event's own JSON object. snapshot: the JSON object attached, if any. fetched: when
    that was fetched, if the record says so.
    """

    type: str
    event: Mapping[str, Any]
    snapshot: Mapping[str, Any] | None
    fetched: datetime | None
    findings: tuple[Finding, ...]


def open_envelope(message: Message, rules: EnvelopeRules) -> Opened | Ignored:
    """Take a record out of its envelope, or ignore what SNS says about itself. Raises Faulty."""
    if len(message.body) > LONGEST:
        raise Faulty([Finding(rules.too_long, "")])
    outer = _object(message.body, rules.not_json, "")
    wrapped = "event" in outer and "eventType" not in outer
    event = outer["event"] if wrapped else outer
    if not isinstance(event, dict):
        raise Faulty([Finding(rules.malformed, "event")])
    attribute: Any = None
    if "Type" in event and "eventType" not in event:
        if event["Type"] != "Notification":
            return Ignored(f"sns.{_name(event['Type'], 'Type', rules)}")
        attribute = _attribute(event.get("MessageAttributes"))
        event = _notified(event.get("Message"), rules)
    if attribute is None:
        attribute = message.attributes.get("eventtype")
    told = event.get("eventType")
    if told is None and attribute is None:
        raise Faulty([Finding(rules.no_event_type, "eventType")])
    name = _name(attribute if told is None else told, "eventType", rules)
    differ = told is not None and attribute is not None and told != attribute
    snapshot, fetched = _attached(outer, rules) if wrapped else (None, None)
    return Opened(name, event, snapshot, fetched, (Finding(rules.event_types_differ, "eventType"),) if differ else ())


def _object(body: bytes | str, rule: Rule, field: str) -> dict[str, Any]:
    try:
        value = orjson.loads(body.removeprefix(_BOM) if isinstance(body, bytes) else body)
    except ValueError:  # orjson's JSONDecodeError quotes nothing of the text; it is dropped all the same
        raise Faulty([Finding(rule, field)]) from None
    if not isinstance(value, dict):
        raise Faulty([Finding(rule, field)])
    return value


def _notified(text: Any, rules: EnvelopeRules) -> dict[str, Any]:
    if text is None:
        raise Faulty([Finding(rules.missing, "Message")])
    if not isinstance(text, str):
        raise Faulty([Finding(rules.message_not_json, "Message")])
    return _object(text, rules.message_not_json, "Message")


def _attribute(attributes: Any) -> Any:
    match attributes:
        case {"eventType": {"Value": value}}:
            return value
    return None


def _name(value: Any, field: str, rules: EnvelopeRules) -> str:
    """A name that can be counted by: it stands in the clear, in receipts and reports, so it must be nobody's own."""
    if not isinstance(value, str) or _NAME.fullmatch(value) is None:
        raise Faulty([Finding(rules.event_type_unreadable, field)])
    return value


def _attached(outer: Mapping[str, Any], rules: EnvelopeRules) -> tuple[Mapping[str, Any] | None, datetime | None]:
    """The snapshot and when it was fetched. Our own contract, so an instant without a zone is a fault."""
    snapshot, fetched = outer.get("snapshot"), outer.get("fetchedAt")
    found = []
    if snapshot is not None and not isinstance(snapshot, dict):
        found.append(Finding(rules.malformed, "snapshot"))
    told = read_moment(fetched) if isinstance(fetched, str) else None
    if fetched is not None and (told is None or told.zone_assumed):
        found.append(Finding(rules.malformed, "fetchedAt"))
    if found:
        raise Faulty(found)
    return snapshot, told.at if told else None


def attach(message: Message, snapshot: Mapping[str, Any], fetched: datetime) -> bytes | None:
    """The record again with a snapshot attached, or None where that is longer than a record may be.

    The record must be one that `open_envelope` opens. What was attached before is left behind.
    """
    outer = orjson.loads(message.body.removeprefix(_BOM))
    event = outer["event"] if "event" in outer and "eventType" not in outer else outer
    body = orjson.dumps({"event": event, "snapshot": snapshot, "fetchedAt": fetched.isoformat()})
    return body if len(body) <= LONGEST else None
