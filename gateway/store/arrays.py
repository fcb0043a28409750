"""Rows turned into columns: how a whole batch travels to PostgreSQL in one statement (`unnest` of arrays)."""

from collections.abc import Sequence
from typing import Any


def arrays(names: str, rows: Sequence[tuple[Any, ...]]) -> dict[str, list[Any]]:
    """One list per name (space-separated, in the order of the rows' values)."""
    wanted = names.split()
    if not rows:
        return {name: [] for name in wanted}
    return {name: list(column) for name, column in zip(wanted, zip(*rows, strict=True), strict=True)}
