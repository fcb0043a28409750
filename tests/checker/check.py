"""The checker: a history in, its anomalies out. Pure, and knows nothing of the gateway but its words for states."""

import enum
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from tests.checker.history import (
    Acknowledged,
    Arrived,
    Effect,
    Fault,
    Invoked,
    KeptDelivery,
    KeptRecord,
    Refused,
    Step,
    Taken,
    Unknown,
)


class Anomaly(enum.StrEnum):
    """What can be wrong with a history."""

    LOST = "lost"
    """The gateway said that it has something, and it is neither where it belongs nor waiting anywhere."""
    DUPLICATE_EFFECT = "duplicate-effect"
    """One message had two effects at one recipient, or two receipts."""
    REORDERED = "reordered"
    """A person's versions went backwards at a recipient."""
    WRONG_AREA = "wrong-area"
    """Content reached a recipient it is not owed to."""
    PHANTOM = "phantom"
    """A recipient got what nobody sent, what was refused, or what nobody signed."""
    TORN = "torn"
    """Some of those a message is owed to have it, and others never will."""
    CHANGED_BODY = "changed-body"
    """A delivery's bytes are not always the same, or do not say what was sent."""
    STUCK = "stuck"
    """Something still waits although every fault has healed."""


WAITING_RECORD = frozenset({"staged", "waiting", "held", "undecided", "quarantined"})
"""States in which a record has not reached its deliveries. undecided: an event of it has no decision."""

WAITING_DELIVERY = frozenset({"queued", "parked"})
"""States in which a delivery has not reached its recipient, and still may."""


@dataclass(frozen=True, slots=True)
class Report:
    """What the checker found: for each anomaly, one line of ids an instance."""

    found: Mapping[Anomaly, tuple[str, ...]]
    messages: int
    effects: int

    @property
    def anomalies(self) -> int:
        """How many in all."""
        return sum(len(lines) for lines in self.found.values())

    def __str__(self) -> str:
        told = [f"{self.messages} messages, {self.effects} effects, {self.anomalies} anomalies"]
        for anomaly, lines in self.found.items():
            if lines:
                told.append(f"  {anomaly} {len(lines)}, for example {lines[0]}")
        return "\n".join(told)


@dataclass(slots=True)
class _Message:
    """What a history says of one message."""

    sent: Invoked
    receipts: set[str] = field(default_factory=set)
    refused: bool = False

    @property
    def value(self) -> tuple[int, int]:
        return self.sent.person, self.sent.version


@dataclass(slots=True)
class _Seen:
    """A history, sorted by what is asked of it."""

    messages: dict[str, _Message] = field(default_factory=dict)
    values: dict[tuple[int, int], _Message] = field(default_factory=dict)
    arrivals: list[Arrived] = field(default_factory=list)
    effects: dict[tuple[str, tuple[int, int]], list[str]] = field(default_factory=lambda: defaultdict(list))
    streams: dict[tuple[str, int], list[Effect]] = field(default_factory=lambda: defaultdict(list))
    acknowledged: list[Acknowledged] = field(default_factory=list)
    records: dict[str, str] = field(default_factory=dict)
    deliveries: dict[str, KeptDelivery] = field(default_factory=dict)
    owed: dict[tuple[str, str], list[KeptDelivery]] = field(default_factory=lambda: defaultdict(list))


def check(steps: Iterable[Step], *, away: Collection[str] = ()) -> Report:
    """Find every anomaly. away: recipients that never came back, for whom waiting is right and losing still is not."""
    seen = _sort(steps)
    found: dict[Anomaly, list[str]] = {anomaly: [] for anomaly in Anomaly}
    for look in (_fates, _acknowledgements, _repeats, _order, _arrivals, _bodies):
        for anomaly, line in look(seen, frozenset(away)):
            found[anomaly].append(line)
    return Report(
        {anomaly: tuple(lines) for anomaly, lines in found.items()},
        messages=len(seen.messages),
        effects=sum(len(deliveries) for deliveries in seen.effects.values()),
    )


def _sort(steps: Iterable[Step]) -> _Seen:
    seen = _Seen()
    for step in steps:
        match step:
            case Invoked():
                message = seen.messages.setdefault(step.message, _Message(step))
                seen.values[message.value] = message
            case Taken():
                seen.messages[step.message].receipts.add(step.receipt)
            case Refused():
                seen.messages[step.message].refused = True
            case Arrived():
                seen.arrivals.append(step)
            case Effect():
                seen.effects[step.recipient, (step.person, step.version)].append(step.delivery)
                seen.streams[step.recipient, step.person].append(step)
            case Acknowledged():
                seen.acknowledged.append(step)
            case KeptRecord():
                seen.records[step.receipt] = step.state
            case KeptDelivery():
                seen.deliveries[step.delivery] = step
                seen.owed[step.receipt, step.recipient].append(step)
            case Unknown() | Fault():
                pass
    return seen


_Found = Iterator[tuple[Anomaly, str]]


def _fates(seen: _Seen, away: frozenset[str]) -> _Found:
    """Everything taken reached everybody it is owed to. What nobody knows to be taken reached all of them or none."""
    for message in seen.messages.values():
        name = f"message {message.sent.message}"
        kept = {receipt for receipt in message.receipts if receipt in seen.records}
        for receipt in message.receipts - kept:
            yield Anomaly.LOST, f"{name}: receipt {receipt} is not in the store"
        reached = {recipient for recipient in message.sent.owed if (recipient, message.value) in seen.effects}
        missing = set(message.sent.owed) - reached
        undecided = next((seen.records[one] for one in kept if seen.records[one] in WAITING_RECORD), None)
        for recipient in sorted(missing):
            state = undecided or _waits(seen, kept, recipient)
            if state is None:
                continue
            missing.remove(recipient)
            if undecided or recipient not in away:
                yield Anomaly.STUCK, f"{name}: {state} for {recipient}"
        if not missing or not (kept or reached):
            continue
        anomaly = Anomaly.TORN if len(missing) < len(message.sent.owed) else Anomaly.LOST
        yield anomaly, f"{name}: never reaches {', '.join(sorted(missing))}"
    had = {delivery for deliveries in seen.effects.values() for delivery in deliveries}
    answered = {one.delivery for one in seen.acknowledged}
    for delivery in seen.deliveries.values():
        open_still = _queued(delivery) or (delivery.state == "offered" and delivery.delivery not in answered)
        if open_still and delivery.delivery in had and delivery.recipient not in away:
            yield Anomaly.STUCK, f"delivery {delivery.delivery}: {delivery.state} although it had its effect"


def _queued(delivery: KeptDelivery) -> bool:
    return delivery.state in WAITING_DELIVERY


def _waits(seen: _Seen, receipts: Iterable[str], recipient: str) -> str | None:
    """The state in which a message waits for a recipient, or None if it does not wait."""
    states = [one.state for receipt in receipts for one in seen.owed.get((receipt, recipient), ()) if _queued(one)]
    return states[0] if states else None


def _acknowledgements(seen: _Seen, _: frozenset[str]) -> _Found:
    """An acknowledgement that was taken is kept."""
    for one in seen.acknowledged:
        kept = seen.deliveries.get(one.delivery)
        if kept is None or kept.state != "acknowledged":
            state = "gone" if kept is None else kept.state
            yield Anomaly.LOST, f"acknowledgement of {one.delivery} by {one.recipient}: the delivery is {state}"


def _repeats(seen: _Seen, _: frozenset[str]) -> _Found:
    """A message has one receipt, and one effect at each recipient, under whatever delivery ids it comes."""
    for message in seen.messages.values():
        if len(message.receipts) > 1:
            yield Anomaly.DUPLICATE_EFFECT, f"message {message.sent.message}: receipts {sorted(message.receipts)}"
    for (recipient, value), deliveries in seen.effects.items():
        if len(deliveries) > 1:
            known = seen.values.get(value)
            name = known.sent.message if known else "nobody sent"
            yield Anomaly.DUPLICATE_EFFECT, f"message {name} at {recipient}: deliveries {deliveries}"


def _order(seen: _Seen, _: frozenset[str]) -> _Found:
    """Per recipient and person, versions never go backwards."""
    for (recipient, person), effects in seen.streams.items():
        newest = 0
        for effect in effects:
            if effect.version < newest:
                line = f"person {person} at {recipient}: version {effect.version} after {newest} ({effect.delivery})"
                yield Anomaly.REORDERED, line
            newest = max(newest, effect.version)


def _arrivals(seen: _Seen, _: frozenset[str]) -> _Found:
    """Whatever arrives was sent by somebody, was not refused, and is owed to whom it reaches."""
    told: set[tuple[Anomaly, str, str]] = set()
    for one in seen.arrivals:
        message = None if one.person is None else seen.values.get((one.person, one.version))
        if message is None or (message.refused and not message.receipts):
            anomaly = Anomaly.PHANTOM
        elif one.recipient not in message.sent.owed:
            anomaly = Anomaly.WRONG_AREA
        else:
            continue
        if (anomaly, one.delivery, one.recipient) not in told:
            told.add((anomaly, one.delivery, one.recipient))
            yield anomaly, f"delivery {one.delivery} at {one.recipient}"


def _bodies(seen: _Seen, _: frozenset[str]) -> _Found:
    """A delivery has one body for ever: each time it arrives, in the store, and it says what the message said."""
    bodies: dict[str, set[str]] = defaultdict(set)
    wrong: set[str] = set()
    for one in seen.arrivals:
        bodies[one.delivery].add(one.body)
        message = None if one.person is None else seen.values.get((one.person, one.version))
        if message is not None and message.sent.content != one.content:
            wrong.add(one.delivery)
    for delivery, hashes in bodies.items():
        kept = seen.deliveries.get(delivery)
        if kept is not None:
            hashes.add(kept.body)
        if len(hashes) > 1:
            yield Anomaly.CHANGED_BODY, f"delivery {delivery}: {len(hashes)} bodies"
        elif delivery in wrong:
            yield Anomaly.CHANGED_BODY, f"delivery {delivery}: does not say what was sent"
