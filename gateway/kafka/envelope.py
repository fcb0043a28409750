"""What stands around a canonical event on Kafka: CloudEvents 1.0 attributes in binary mode, all in the clear.

The value is the event's body, sealed with its record's key. The message key is the lane, a keyed hash. Nothing here
says anything about a person: ids, kinds, times, parties and keyed hashes only.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.ids import read_id
from schemas.base import Change


class Undecodable(Exception):
    """The headers of a record are not those of a canonical event. The reason is a code, never a value."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One canonical event without its body.

    record_id names the key that opens the body. sender is a party id, agency its adapter. fact and lane are keyed
    hashes (16 bytes). due is when a settled event was allowed out, None for all others. trace is a W3C traceparent.
    """

    id: uuid.UUID
    record_id: uuid.UUID
    kind: str
    change: Change
    supersedes: uuid.UUID | None
    sender: str
    agency: str
    fact: bytes
    lane: bytes
    occurred: datetime
    recorded: datetime
    due: datetime | None = None
    trace: str | None = None


def write_headers(envelope: Envelope) -> list[tuple[str, bytes]]:
    """The Kafka headers of an event."""
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", str(envelope.id).encode()),
        ("ce_source", f"/{envelope.agency}/{envelope.sender}".encode()),
        ("ce_type", envelope.kind.encode()),
        ("ce_time", envelope.occurred.isoformat().encode()),
        ("ce_recordedtime", envelope.recorded.isoformat().encode()),
        ("ce_record", str(envelope.record_id).encode()),
        ("ce_change", envelope.change.encode()),
        ("ce_fact", envelope.fact.hex().encode()),
        ("content-type", b"application/json"),
    ]
    if envelope.supersedes is not None:
        headers.append(("ce_supersedes", str(envelope.supersedes).encode()))
    if envelope.due is not None:
        headers.append(("ce_due", envelope.due.isoformat().encode()))
    if envelope.trace is not None:
        headers.append(("ce_traceparent", envelope.trace.encode()))
    return headers


def read_headers(headers: Iterable[tuple[str, bytes]] | Sequence[tuple[str, bytes]], key: bytes | None) -> Envelope:
    """The envelope again. Raises Undecodable with the name of the first header that is missing or malformed."""
    told = dict(headers)
    name = "ce_specversion"
    try:
        if told[name] != b"1.0":
            raise Undecodable("ce_specversion_unknown")
        name = "ce_source"
        _, agency, sender = told[name].decode("ascii").split("/")
        name = "ce_id"
        event_id = read_id(told[name].decode("ascii"))
        name = "ce_record"
        record_id = read_id(told[name].decode("ascii"))
        name = "ce_change"
        change = Change(told[name].decode("ascii"))
        name = "ce_supersedes"
        supersedes = read_id(told[name].decode("ascii")) if name in told else None
        name = "ce_time"
        occurred = _instant(told[name])
        name = "ce_recordedtime"
        recorded = _instant(told[name])
        name = "ce_due"
        due = _instant(told[name]) if name in told else None
        name = "ce_fact"
        fact = bytes.fromhex(told[name].decode("ascii"))
        name = "ce_traceparent"
        trace = told[name].decode("ascii") if name in told else None
        name = "ce_type"
        kind = told[name].decode("ascii")
        name = "key"
        lane = bytes.fromhex((key or b"").decode("ascii"))
        if len(lane) != 16:
            raise Undecodable("key_malformed")
    except KeyError:
        raise Undecodable(f"{name}_missing") from None
    except (ValueError, UnicodeDecodeError):
        raise Undecodable(f"{name}_malformed") from None
    return Envelope(
        id=event_id,
        record_id=record_id,
        kind=kind,
        change=change,
        supersedes=supersedes,
        sender=sender,
        agency=agency,
        fact=fact,
        lane=lane,
        occurred=occurred,
        recorded=recorded,
        due=due,
        trace=trace,
    )


def message_key(lane: bytes) -> bytes:
    """The Kafka key: the lane in hexadecimal, so that one person's records of one source share a partition."""
    return lane.hex().encode()


def partition_of(key: bytes, partitions: Sequence[int], _: Sequence[int]) -> int:
    """The partition of a message key, as a producer asks for it. A lane is a keyed hash, and is not hashed again."""
    return int(key[-8:], 16) % len(partitions)


def _instant(raw: bytes) -> datetime:
    value = datetime.fromisoformat(raw.decode("ascii"))
    if value.tzinfo is None:
        raise ValueError("an instant without a zone")
    return value.astimezone(UTC)
