"""The envelope a prison record comes in: an SNS notification or the event bare, with or without a snapshot.

Fields in findings are those of the event itself, whatever it came in; those of the snapshot begin with `snapshot`.
A record with a snapshot is `{"event": <either>, "snapshot": <prisoner search's prisoner>, "fetchedAt": <instant>}`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from adapters.base import Finding, Ignored, Message, Rule
from adapters.local_time import read_moment
from adapters.prison import rules
from adapters.prison.rules import Faulty

LONGEST: Final = 1024 * 1024
"""The longest record read, in bytes. The largest real snapshot seen has 8 KB."""

_NAME = re.compile(
    r"(?=.{1,100}\Z)(?:"
    r"[a-z][a-z0-9-]*(?:\.[a-z][a-z0-9-]*){2,}"  # HMPPS: prison-offender-events.prisoner.cell.move
    r"|[A-Z]+(?:_[A-Z]+)*-(?:INSERTED|UPDATED|DELETED|CHANGED)"  # NOMIS of old: OFFENDER_BOOKING-CHANGED
    r"|[A-Z]+(?:_[A-Z]+){2,}"
    r"|(?:Subscription|Unsubscribe)Confirmation)"  # SNS about itself
)
"""The names there are of events. Nothing else is a name, however harmless it looks: a person's has no such form."""

_BOM = b"\xef\xbb\xbf"


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


def open_envelope(message: Message) -> Opened | Ignored:
    """Take a record out of its envelope, or ignore what SNS says about itself. Raises Faulty."""
    if len(message.body) > LONGEST:
        raise Faulty([Finding(rules.TOO_LONG, "")])
    outer = _object(message.body, rules.NOT_JSON, "")
    wrapped = "event" in outer and "eventType" not in outer
    event = outer["event"] if wrapped else outer
    if not isinstance(event, dict):
        raise Faulty([Finding(rules.MALFORMED, "event")])
    attribute: Any = None
    if "Type" in event and "eventType" not in event:
        if event["Type"] != "Notification":
            return Ignored(f"sns.{_name(event['Type'], 'Type')}")
        attribute = _attribute(event.get("MessageAttributes"))
        event = _notified(event.get("Message"))
    if attribute is None:
        attribute = message.attributes.get("eventtype")
    told = event.get("eventType")
    if told is None and attribute is None:
        raise Faulty([Finding(rules.NO_EVENT_TYPE, "eventType")])
    name = _name(attribute if told is None else told, "eventType")
    differ = told is not None and attribute is not None and told != attribute
    snapshot, fetched = _attached(outer) if wrapped else (None, None)
    return Opened(name, event, snapshot, fetched, (Finding(rules.EVENT_TYPES_DIFFER, "eventType"),) if differ else ())


def _object(body: bytes | str, rule: Rule, field: str) -> dict[str, Any]:
    try:
        value = orjson.loads(body.removeprefix(_BOM) if isinstance(body, bytes) else body)
    except ValueError:  # orjson's JSONDecodeError quotes nothing of the text; it is dropped all the same
        raise Faulty([Finding(rule, field)]) from None
    if not isinstance(value, dict):
        raise Faulty([Finding(rule, field)])
    return value


def _notified(text: Any) -> dict[str, Any]:
    if text is None:
        raise Faulty([Finding(rules.MISSING, "Message")])
    if not isinstance(text, str):
        raise Faulty([Finding(rules.MESSAGE_NOT_JSON, "Message")])
    return _object(text, rules.MESSAGE_NOT_JSON, "Message")


def _attribute(attributes: Any) -> Any:
    match attributes:
        case {"eventType": {"Value": value}}:
            return value
    return None


def _name(value: Any, field: str) -> str:
    """A name that can be counted by: it stands in the clear, in receipts and reports, so it must be nobody's own."""
    if not isinstance(value, str) or _NAME.fullmatch(value) is None:
        raise Faulty([Finding(rules.EVENT_TYPE_UNREADABLE, field)])
    return value


def _attached(outer: Mapping[str, Any]) -> tuple[Mapping[str, Any] | None, datetime | None]:
    """The snapshot and when it was fetched. Our own contract, so an instant without a zone is a fault."""
    snapshot, fetched = outer.get("snapshot"), outer.get("fetchedAt")
    found = []
    if snapshot is not None and not isinstance(snapshot, dict):
        found.append(Finding(rules.MALFORMED, "snapshot"))
    told = read_moment(fetched) if isinstance(fetched, str) else None
    if fetched is not None and (told is None or told.moment.zone_assumed):
        found.append(Finding(rules.MALFORMED, "fetchedAt"))
    if found:
        raise Faulty(found)
    return snapshot, told.moment.at if told else None
