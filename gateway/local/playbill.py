"""The table a demonstration ends with: what came, from whom, where it went and why, how fast, acknowledged when.

It is 80 columns wide.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

WIDTH: Final = 80
LEGEND: Final = (
    "ms: from accepted (or from settled) to offered; of several the median",
    "*   corrects what was told before     **  takes it back",
)

_COLUMNS: Final = (
    ("What came", 21),
    ("From", 7),
    ("Went to", 12),
    ("As", 7),
    ("Why", 14),
    ("ms", 5),
    ("Acked at", 8),
)
_RIGHT: Final = "ms"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    thing: what it is a line about; lines about one thing name it once. milliseconds: None where nothing was offered.
    """

    thing: str
    what: str
    agency: str
    to: str
    role: str
    why: str
    milliseconds: float | None = None
    acknowledged: datetime | None = None


def head() -> str:
    """The names of the columns."""
    return _line([name for name, _ in _COLUMNS])


def shown(rows: Sequence[Row]) -> list[str]:
    """The rows as lines."""
    lines = []
    thing = None
    for row in rows:
        named = ("", "") if row.thing == thing else (row.what, row.agency)
        thing = row.thing
        speed = "-" if row.milliseconds is None else f"{row.milliseconds:.0f}"
        acknowledged = "-" if row.acknowledged is None else f"{row.acknowledged.astimezone():%H:%M:%S}"
        lines.append(_line([*named, row.to, row.role, row.why, speed, acknowledged]))
    return lines


def noted(label: str, text: str) -> list[str]:
    """A label and a text beside it, on as many lines as it takes."""
    return textwrap.wrap(text, WIDTH, initial_indent=label, subsequent_indent=" " * len(label))


def _line(cells: Sequence[str]) -> str:
    """Cells side by side, each cut to the width of its column."""
    told = [
        f"{cell[:width]:>{width}}" if name == _RIGHT else f"{cell[:width]:<{width}}"
        for cell, (name, width) in zip(cells, _COLUMNS, strict=True)
    ]
    return " ".join(told).rstrip()
