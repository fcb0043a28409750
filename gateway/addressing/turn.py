"""Whose turn it is: nothing is decided before what was committed before it in its lane.

Kafka keeps the order of a lane, so something comes too early only when Kafka lost what it had: an event published since
then would overtake one that is not published again yet.
"""

import uuid
from collections.abc import Collection, Iterable, Sequence
from typing import Protocol, TypeVar

from gateway.kafka.envelope import Envelope
from gateway.store import outbox
from gateway.store.session import Session
from gateway.telemetry import log


class Enveloped(Protocol):
    """A canonical event."""

    @property
    def envelope(self) -> Envelope: ...


One = TypeVar("One", bound=Enveloped)


async def in_turn(session: Session, arrived: list[One], undecided: Sequence[tuple[uuid.UUID, bytes]]) -> list[One]:
    """These in the order of their lanes, without those that came too early, which go back in line.

    undecided: what nobody has decided in their lanes, as (event, lane), in the order of commits.
    """
    missing, early = too_early({one.envelope.id for one in arrived}, undecided)
    if missing:
        await outbox.publish_these_again(session, missing | early)
        log.warning("events.too_early", count=len(early))
    place = {event: number for number, (event, _) in enumerate(undecided)}
    return sorted(
        (one for one in arrived if one.envelope.id not in early), key=lambda one: place.get(one.envelope.id, -1)
    )


def too_early(
    arrived: Collection[uuid.UUID], undecided: Iterable[tuple[uuid.UUID, bytes]]
) -> tuple[set[uuid.UUID], set[uuid.UUID]]:
    """Which of what is undecided is missing before an event that arrived, and which arrived too early."""
    gaps: dict[bytes, set[uuid.UUID]] = {}
    missing: set[uuid.UUID] = set()
    early: set[uuid.UUID] = set()
    for event, lane in undecided:
        if event not in arrived:
            gaps.setdefault(lane, set()).add(event)
        elif lane in gaps:
            early.add(event)
            missing |= gaps[lane]
    return missing, early
