"""Whose a file is, asked of every adapter."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final

from adapters.base import Accepted, Adapter, FileRefused, Held, Ignored, Message, Outcome
from gateway.offline.records import Unusable, media_type, pieces_of

_LOOKED_AT: Final = 20
"""Records of the file that each adapter is asked about."""
_ANYBODYS: Final = frozenset(
    {"application/json", "application/x-ndjson", "application/xml", "text/csv", "text/plain", "text/xml"}
)
"""Formats that tell nothing of whose a file is, though one agency alone may send it."""


@dataclass(frozen=True, slots=True)
class Detected:
    """The agency, and why it was taken to be."""

    agency: str
    why: str


@dataclass(frozen=True, slots=True)
class _Understood:
    """What an adapter makes of the first records. cut: it knew the file's header, or needs none."""

    agency: str
    asked: int
    taken: int
    ignored: int
    cut: bool

    @property
    def order(self) -> tuple[int, int, bool]:
        """A message taken says more than one ignored by its name, and that more than a header known."""
        return self.taken, self.ignored, self.cut


def detect(adapters: Mapping[str, Adapter], path: Path, received: datetime) -> Detected:
    """The agency whose adapter understands the file best, or the only one that sends such files.

    Raises Unusable where none does, or several do as well.
    """
    if not path.is_file():
        raise Unusable(f"The files in {path} may be of several agencies.", _choose(adapters))
    kind = media_type(path)
    asked = [
        _ask(adapter, path, kind, received)
        for adapter in adapters.values()
        if kind in adapter.records | set(adapter.files)
    ]
    best = sorted(asked, key=lambda one: one.order, reverse=True)
    if len(best) == 1 and kind not in _ANYBODYS and not any(best[0].order):
        return Detected(best[0].agency, f"no other agency sends {kind}")
    if not best or not any(best[0].order):
        raise Unusable(f"No agency's adapter understands {path.name}.", _choose(adapters))
    if len(best) > 1 and best[1].order == best[0].order:
        same = ", ".join(sorted(one.agency for one in best if one.order == best[0].order))
        raise Unusable(f"{path.name} may be of {same}.", _choose(adapters))
    return Detected(best[0].agency, _why(best[0], len(asked) - 1))


def _choose(adapters: Mapping[str, Adapter]) -> str:
    return f"Say whose, with --as: {', '.join(sorted(adapters))}."


def _ask(adapter: Adapter, path: Path, kind: str, received: datetime) -> _Understood:
    with path.open("rb") as file:
        outcomes: list[Outcome] = []
        cut = kind in adapter.files
        try:
            for piece in islice(pieces_of(adapter, file, path.name, kind), _LOOKED_AT):
                outcomes.append(adapter.read(Message(piece.body, piece.media_type, received)))  # noqa: PERF401 - what came before a refusal counts
        except FileRefused:
            cut = bool(outcomes)
    taken = sum(isinstance(outcome, Accepted | Held) for outcome in outcomes)
    ignored = sum(isinstance(outcome, Ignored) for outcome in outcomes)
    return _Understood(adapter.name, len(outcomes), taken, ignored, cut)


def _why(best: _Understood, others: int) -> str:
    if best.taken:
        told = f"it takes {best.taken} of {_first(best.asked)}"
    elif best.ignored:
        told = f"it knows {best.ignored} of {_first(best.asked)} by name"
    else:
        told = "it knows the file's header"
    return f"{told}, and no other of {others + 1} does as well" if others else told


def _first(asked: int) -> str:
    return "one record" if asked == 1 else f"the first {asked} records"
