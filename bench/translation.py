"""How fast each agency's format is translated, beside the least that reading it costs.

Translating is everything an adapter does with a message: from its bytes to the canonical events, every rule checked.
What it is measured against stands in `bench.formats`. Both are measured in turns, in processor time, and of each the
best turn counts: what else the machine did only ever makes a turn slower.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from adapters.base import Accepted
from bench.figures import table
from bench.formats import Format

_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Speed:
    """What a format's message costs, in nanoseconds of processor time: translated, and by each base's name."""

    format: Format
    translated: float
    bases: Mapping[str, float]

    @property
    def ratio(self) -> float:
        """How fast the message is translated, as a share of its base's speed."""
        return next(iter(self.bases.values())) / self.translated


def measure(formats: Sequence[Format], turns: int, seconds: float = 0.1) -> list[Speed]:
    """The speeds of all formats. A turn does everything once, for about so many seconds each.

    Raises ValueError where a message is not accepted: then nothing was translated.
    """
    for one in formats:
        if not isinstance(one.read(one.message), Accepted):
            raise ValueError(f"the message of {one.name} is not accepted")
    works = [_works(one) for one in formats]
    times = [{name: _times(work, seconds) for name, work in one.items()} for one in works]
    best: list[dict[str, float]] = [dict.fromkeys(one, float("inf")) for one in works]
    for _ in range(turns):
        for work, count, found in zip(works, times, best, strict=True):
            for name, do in work.items():
                found[name] = min(found[name], _cost(do, count[name]))
    return [
        Speed(one, found[""], {name: found[name] for name in one.bases})
        for one, found in zip(formats, best, strict=True)
    ]


def report(speeds: Sequence[Speed]) -> str:
    """A table for people."""
    rows = [row for speed in speeds for row in _rows(speed)]
    return table(("format", "bytes", "records/s", "us", "base us", "ratio", "base"), rows)


def lines(speeds: Sequence[Speed]) -> Iterator[str]:
    """The ratios, a line each, for machines."""
    for speed in speeds:
        yield f"translation_{speed.format.name}={speed.ratio:.2f}"


def _works(one: Format) -> dict[str, Callable[[], object]]:
    """Translating, which has no name, and the bases."""
    body = one.message.body
    return {"": partial(one.read, one.message), **{name: partial(base, body) for name, base in one.bases.items()}}


def _times(work: Callable[[], object], seconds: float) -> int:
    """How often to do something in a turn. Doing it once before makes whatever is made only once."""
    work()
    return max(1, int(seconds * _SECOND / max(1, _cost(work, 10))))


def _cost(work: Callable[[], object], times: int) -> float:
    """Nanoseconds of processor time each time."""
    began = time.process_time_ns()
    for _ in range(times):
        work()
    return (time.process_time_ns() - began) / times


def _rows(speed: Speed) -> Iterator[tuple[str, ...]]:
    translated = f"{speed.translated / 1000:.0f}"
    rate = f"{_SECOND / speed.translated:.0f}"
    told = (speed.format.name, f"{len(speed.format.message.body)}", rate, translated)
    for name, base in speed.bases.items():
        yield (*told, f"{base / 1000:.1f}", f"{base / speed.translated:.2f}", name)
        told = ("", "", "", "")
