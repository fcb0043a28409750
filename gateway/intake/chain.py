"""Chaining facts: what one more statement about a fact amounts to. Pure.

`fact_heads` of the design is the table `facts`: per fact key the newest event. A statement that tells what the head
tells is a repeat and makes no event; one that tells something else is a correction (or a retraction) of the head; one
whose version is older than the head's is late, and kept as superseded.
"""

import uuid
from collections.abc import MutableMapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.sealing import BlindIndex
from schemas.base import Change, Fact, Moment, Retraction, body_of, event_id, facts_of

SHARDS = 16
"""Lanes are spread over this many shards. Fixed for ever: an event's shard is stored, and order hangs on it."""


@dataclass(slots=True)
class Head:
    """The newest event of one fact, as far as this transaction knows."""

    event_id: uuid.UUID
    version: int | None
    digest: bytes
    lane: bytes


@dataclass(slots=True)
class Minted:
    """A new event: the envelope's values and the body in the clear, before sealing.

    state: None if it is to be published; `superseded` or `suppressed` if its decision is made already.
    silences: the still-settling event that this one corrects, withdraws or reverses, which is therefore never
        published; with the state that one ends in.
    """

    id: uuid.UUID
    kind: str
    change: Change
    supersedes: uuid.UUID | None
    fact: bytes
    lane: bytes
    shard: int
    occurred: datetime
    due: datetime | None
    body: bytes
    state: str | None = None
    reason: str | None = None
    silences: tuple[uuid.UUID, str, str] | None = None


@dataclass(frozen=True, slots=True)
class Settling:
    """An event that waits, unpublished, for its reversal or its due time. supersedes: what it corrects, if anything."""

    event_id: uuid.UUID
    kind: str
    lane: bytes
    due: datetime
    supersedes: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Repeat:
    """The statement tells what the head tells."""

    fact: bytes


def shard_of(lane: bytes) -> int:
    """The shard a lane belongs to."""
    return lane[0] % SHARDS


def key_of(index: BlindIndex, sender: str, fact_key: str) -> bytes:
    """The keyed hash a fact is found by. A fact is its sender's: nobody else can correct it or take it back."""
    return index.of("fact", f"{sender}|{fact_key}")


def chain(
    fact: Fact,
    sender: str,
    heads: MutableMapping[bytes, Head],
    settling: MutableMapping[uuid.UUID, Settling],
    index: BlindIndex,
    namespace: uuid.UUID,
    received: datetime,
    settle: timedelta,
) -> Minted | Repeat:
    """What this statement adds to its fact. `heads` and `settling` are read and moved forward.

    settling: the events of these facts and lanes that are committed with a due time still to come.
    settle: how long a settling statement waits, counted from when it happened.
    """
    key = key_of(index, sender, fact.key)
    facts = facts_of(fact)
    digest = index.of("digest", facts)
    head = heads.get(key)
    if head is not None and head.digest == digest:
        if fact.version is not None and (head.version is None or fact.version > head.version):
            head.version = fact.version
        return Repeat(key)
    moment = fact.event.occurred if fact.event is not None else Moment(at=received)
    body = _body(fact, facts)
    if head is not None and _older(fact.version, head.version):
        return Minted(
            id=event_id(namespace, key + b"late" + str(fact.version).encode(), None, facts),
            kind=fact.kind,
            change=Change.FACT if fact.withdrawn is None else Change.RETRACTION,
            supersedes=None,
            fact=key,
            lane=head.lane,
            shard=shard_of(head.lane),
            occurred=moment.at,
            due=None,
            body=body,
            state="superseded",
            reason="older_than_head",
        )
    lane = head.lane if head is not None else index.of("lane", fact.lane)
    minted = Minted(
        id=event_id(namespace, key, head.event_id if head else None, facts),
        kind=fact.kind,
        change=_change(fact, head),
        supersedes=head.event_id if head else None,
        fact=key,
        lane=lane,
        shard=shard_of(lane),
        occurred=moment.at,
        due=_due(fact, moment.at, received, settle),
        body=body,
    )
    version = fact.version if fact.version is not None or head is None else head.version
    heads[key] = Head(minted.id, version, digest, lane)
    _silence(minted, fact, head, settling)
    if minted.due is not None and minted.state is None:
        settling[minted.id] = Settling(minted.id, minted.kind, lane, minted.due, minted.supersedes)
    return minted


def _due(fact: Fact, occurred: datetime, received: datetime, settle: timedelta) -> datetime | None:
    if not fact.settles:
        return None
    due = occurred + settle
    return due if due > received else None


def _silence(minted: Minted, fact: Fact, head: Head | None, settling: MutableMapping[uuid.UUID, Settling]) -> None:
    """A reversal inside the settling time publishes nothing; a correction inside it is published alone.

    What corrects an event that went out before is silenced too, but the withdrawal itself goes out: somebody has the
    earlier version, and must be told.
    """
    earlier = settling.get(head.event_id) if head is not None else None
    if earlier is None and fact.reverses is not None:
        undone = (
            one
            for one in settling.values()
            if one.lane == minted.lane and one.kind == fact.reverses and one.supersedes is None
        )
        earlier = max(undone, key=lambda one: one.due, default=None)
    if earlier is None:
        return
    del settling[earlier.event_id]
    undoes = fact.withdrawn is not None or fact.reverses is not None
    if undoes and earlier.supersedes is None:
        minted.silences = (earlier.event_id, "suppressed", "reversed_while_settling")
        minted.state, minted.reason, minted.due = "suppressed", "reverses_while_settling", None
    elif undoes:
        minted.silences = (earlier.event_id, "superseded", "withdrawn_while_settling")
        minted.due = None
    else:
        minted.silences = (earlier.event_id, "superseded", "corrected_while_settling")
        minted.due = earlier.due


def _older(version: int | None, head: int | None) -> bool:
    return version is not None and head is not None and version < head


def _change(fact: Fact, head: Head | None) -> Change:
    if fact.withdrawn is not None:
        return Change.RETRACTION
    return Change.CORRECTION if head is not None else Change.FACT


def _body(fact: Fact, facts: bytes) -> bytes:
    if fact.withdrawn is not None:
        return _retraction(fact.kind, fact.withdrawn)
    # Otherwise the facts are the event, and writing it down again would cost as much as all the rest.
    return body_of(fact.event) if fact.lasting and fact.event is not None else facts


def _retraction(kind: str, reason: str) -> bytes:
    return Retraction(kind=kind, reason=reason).model_dump_json().encode()
