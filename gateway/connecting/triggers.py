"""A valid, invented message of any kind of event, in the wire format of the agency that tells it.

They are the accepted examples of `contracts/inbound`, each told of somebody else every time, so that one is never the
repeat of another. An agency that adds examples of a kind has its trigger by that.
"""

import io
import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from adapters.base import Accepted, Adapter, FileRefused, Message, Outcome
from gateway.connecting.parcel import Door
from gateway.connecting.renewal import Renewal
from gateway.errors import ConfigurationError, GatewayError
from gateway.offline.records import media_type

CONTRACTS: Final = Path(__file__).parents[2] / "contracts" / "inbound"
"""The inbound contracts of this release, examples among them."""


class NoTrigger(GatewayError):
    """No agency's examples tell of this kind."""

    fix = "See which there are with lgw trigger --list."

    def __init__(self, kind: str) -> None:
        super().__init__(f"There is no example of {kind}.")


class UnknownKind(ConfigurationError):
    """No kind of event has this name. The nearest one is told."""

    def __init__(self, kind: str, kinds: Iterable[str]) -> None:
        near = get_close_matches(kind, kinds, n=1, cutoff=0.7)
        meant = f"Did you mean {near[0]}?" if near else "See which there are with lgw trigger --list."
        super().__init__(f"There is no kind {kind!r}.", meant)


@dataclass(frozen=True, slots=True)
class Example:
    """One accepted example as it can be sent, and what its adapter reads in it. file: where it comes from."""

    agency: str
    file: Path
    door: Door
    media_type: str
    body: bytes
    outcome: Accepted

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds it tells, in its order."""
        return tuple(fact.kind for fact in self.outcome.facts)


@dataclass(frozen=True, slots=True)
class Triggered:
    """A message ready to be sent. kinds: what it tells."""

    agency: str
    door: Door
    media_type: str
    body: bytes
    kinds: tuple[str, ...]


def examples(adapter: Adapter, contracts: Path, received: datetime) -> Iterator[Example]:
    """The accepted examples of an agency, as records that can be sent one by one; what cannot be, as its whole file."""
    folder = contracts / adapter.name / "examples" / "accepted"
    for file in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if not file.is_file():
            continue
        kind, body = media_type(file), file.read_bytes()
        if kind in adapter.files:
            yield from _rows(adapter, file, kind, body, received)
        elif kind in adapter.records:
            outcome = adapter.read(Message(body, kind, received))
            if isinstance(outcome, Accepted):
                yield Example(adapter.name, file, "records", kind, body, outcome)


def batches(adapter: Adapter, contracts: Path, received: datetime) -> Iterator[Example]:
    """The accepted batch files of an agency, whole: what all their rows tell together."""
    folder = contracts / adapter.name / "examples" / "accepted"
    for file in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if file.is_file() and (kind := media_type(file)) in adapter.files:
            told = [one.outcome for one in _rows(adapter, file, kind, file.read_bytes(), received)]
            facts = tuple(fact for outcome in told for fact in outcome.facts)
            if facts:
                yield Example(adapter.name, file, "files", kind, file.read_bytes(), Accepted(facts))


def by_kind(adapters: Mapping[str, Adapter], contracts: Path, received: datetime) -> dict[str, Example]:
    """For each kind that any example tells, the example that tells least besides."""
    found: dict[str, Example] = {}
    for adapter in adapters.values():
        for example in examples(adapter, contracts, received):
            for fact in example.outcome.facts:
                known = found.get(fact.kind)
                if fact.withdrawn is None and (known is None or _rank(example) < _rank(known)):
                    found[fact.kind] = example
    return found


def trigger(adapter: Adapter, example: Example, chance: random.Random, received: datetime) -> Triggered:
    """The example, told of somebody else. Raises NoTrigger where its adapter does not take that as it took the first.

    chance: where the person and the references come from.
    """
    (made,) = together(adapter, [example], chance, received)
    return made


def together(
    adapter: Adapter, several: Sequence[Example], chance: random.Random, received: datetime
) -> tuple[Triggered, ...]:
    """Examples that speak of one person, or one fact, told of somebody else, the same in all. Raises NoTrigger."""
    for columns in (False, True):
        renewal = Renewal(chance, columns)
        for example in several:
            renewal.learn(example.outcome.facts)
        made = [_told(adapter, example, _renewed(adapter, example, renewal), received) for example in several]
        if all(one is not None for one in made):
            return tuple(one for one in made if one is not None)
    raise NoTrigger(" and ".join(dict.fromkeys(kind for example in several for kind in example.kinds)))


def _renewed(adapter: Adapter, example: Example, renewal: Renewal) -> bytes:
    """The example told of somebody else; where it is numbered, as the first of a series of its own.

    No other message must have come before it then, and none is in its way.
    """
    body = renewal.tell(example.body)
    if (numbering := adapter.series.get(example.media_type)) is not None:
        for word in re.findall(r"[0-9A-Za-z]+", numbering.number(io.BytesIO(example.body)).series):
            body = body.replace(word.encode(), renewal.another(word).encode())
    return body


def _told(adapter: Adapter, example: Example, body: bytes, received: datetime) -> Triggered | None:
    """What an example has become, if it tells the same as before, and of nobody it told of before."""
    facts = [fact for outcome in _read(adapter, example, body, received) for fact in outcome.facts]
    before = {fact.lane for fact in example.outcome.facts}
    if not {fact.kind for fact in facts} >= set(example.kinds) or not before.isdisjoint(fact.lane for fact in facts):
        return None
    return Triggered(example.agency, example.door, example.media_type, body, tuple(fact.kind for fact in facts))


def _rows(adapter: Adapter, file: Path, kind: str, body: bytes, received: datetime) -> Iterator[Example]:
    for row in adapter.files[kind](io.BytesIO(body)):
        outcome = adapter.read(Message(row.body, row.media_type, received))
        if isinstance(outcome, Accepted):
            if row.media_type in adapter.records:
                yield Example(adapter.name, file, "records", row.media_type, row.body, outcome)
            else:
                yield Example(adapter.name, file, "files", kind, body, outcome)


def _read(adapter: Adapter, example: Example, body: bytes, received: datetime) -> Iterator[Accepted]:
    outcomes: list[Outcome] = []
    if example.door == "records":
        outcomes.append(adapter.read(Message(body, example.media_type, received)))
    else:
        try:
            rows = adapter.files[example.media_type](io.BytesIO(body))
            outcomes.extend(adapter.read(Message(row.body, row.media_type, received)) for row in rows)
        except FileRefused:
            return
    yield from (outcome for outcome in outcomes if isinstance(outcome, Accepted))


def _rank(example: Example) -> tuple[int, int, int]:
    return len(example.kinds), example.door == "files", len(example.outcome.findings)
