"""A statement, written with names as all of ours are, and sent with numbers as the driver takes it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import text
from sqlalchemy.dialects.postgresql.asyncpg import dialect

_DIALECT = dialect()  # type: ignore[no-untyped-call]


class Statement:
    """SQL whose parameters are `:name`. It is prepared once by every session that uses it.

    sql: the same with `$1`, `$2`, ... for the names, in the order of `names`.
    """

    __slots__ = ("names", "sql")

    def __init__(self, sql: str) -> None:
        compiled = text(sql).compile(dialect=_DIALECT)
        self.sql = str(compiled)
        self.names: tuple[str, ...] = tuple(getattr(compiled, "positiontup", None) or ())

    def values(self, told: Mapping[str, Any]) -> list[Any]:
        """The parameters in the statement's order. Raises KeyError for one that is not told."""
        return [told[name] for name in self.names]
