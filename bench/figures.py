"""Pure arithmetic over what was measured."""

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import median


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least that share of all values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def median_ratio(pairs: Iterable[tuple[float, float]]) -> float:
    """The median of a / b over pairs measured one after the other.

    Pair by pair, because a machine drifts by more between runs an hour apart than the two sides differ.
    """
    return median(a / b for a, b in pairs)


def waits(accepted: Mapping[str, float], arrived: Mapping[str, float], receipts: Mapping[str, str]) -> list[float]:
    """Milliseconds from a record's acceptance to the arrival of each of its deliveries.

    accepted: when, by receipt. arrived: when, by delivery. receipts: the receipt a delivery comes from. Negative where
    a delivery arrived before its sender had read the answer.
    """
    return [(moment - accepted[receipts[delivery]]) * 1000 for delivery, moment in arrived.items()]


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns of text, the first to the left and the others to the right."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    lines = [
        "  ".join(
            _padded(cell, width, column > 0) for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in (header, ["-" * width for width in widths], *rows)
    ]
    return "\n".join(line.rstrip() for line in lines)


def _padded(cell: str, width: int, right: bool) -> str:
    return cell.rjust(width) if right else cell.ljust(width)
