"""Rows turned into columns: how a whole batch travels to PostgreSQL in one statement (`unnest` of arrays)."""

from collections.abc import Sequence
from functools import cache
from typing import Any


def arrays(names: str, rows: Sequence[tuple[Any, ...]]) -> dict[str, list[Any]]:
    """One list per name (space-separated, in the order of the rows' values)."""
    wanted = _split(names)
    if not rows:
        return {name: [] for name in wanted}
    return {name: list(column) for name, column in zip(wanted, zip(*rows, strict=True), strict=True)}


@cache  # the names stand in the program, and their number with them
def _split(names: str) -> tuple[str, ...]:
    return tuple(names.split())
