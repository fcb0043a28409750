"""`lgw trace` of a batch file: what became of it, and the receipts of its rows, each of which can be traced on."""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

SHOWN: Final = 20
"""Rows that are listed. `GET /v1/files/{id}` has all there is something to say about."""

_FILE = text("select id, sender, agency, received, finished, state, findings from files where id = :id")

_COUNTS = text(
    """
    select state, count(*) as rows from records where file_id = :id group by state
    union all
    select 'refused', count(*) from refusals where file_id = :id and "row" is not null having count(*) > 0
    order by 1
    """
)

_ROWS = text(
    """
    select "row", state, receipt, told from (
        select "row", state, id as receipt, reason as told from records where file_id = :id
        union all
        select "row", 'refused', null, array_to_string(array(select distinct found ->> 'rule'
            from jsonb_array_elements(findings) as found order by 1), ', ')
        from refusals where file_id = :id and "row" is not null
    ) as rows
    order by "row" limit :most
    """
)


@dataclass(frozen=True, slots=True)
class RowTraced:
    """One row. receipt: None where it was refused. told: the reason it is held or ignored, or the rules it broke."""

    row: int
    state: str
    receipt: uuid.UUID | None
    told: str | None


@dataclass(frozen=True, slots=True)
class FileTraced:
    """A file as it stands. counts: its rows by state. rules: why it was refused whole. rows: the first `SHOWN`."""

    id: uuid.UUID
    sender: str
    agency: str
    received: datetime
    finished: datetime | None
    state: str
    rules: tuple[str, ...]
    counts: Mapping[str, int]
    rows: tuple[RowTraced, ...]

    def lines(self) -> list[str]:
        """The file's own journey, then row by row."""
        return list(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{'received':<13}{self.received.strftime('%H:%M:%S.%f')[:-3]:>14}  {self.agency}/{self.sender}, a file"
        at = f"+{(self.finished - self.received).total_seconds():.3f} s" if self.finished else ""
        counted = ", ".join(f"{count} {state}" for state, count in self.counts.items()) or "no rows"
        yield f"{self.state:<13}{at:>14}  {', '.join((counted, *self.rules))}"
        for row in self.rows:
            shown = " ".join(str(part) for part in (row.receipt, row.told) if part)
            yield f"row {row.row:<9}{row.state:>14}  {shown}".rstrip()
        if (left := sum(self.counts.values()) - len(self.rows)) > 0:
            yield f"and {left:,} rows more: the report on the file has them, and lgw queue what has stopped"

    def as_json(self) -> Mapping[str, Any]:
        """The same as plain data."""
        return {
            "file": str(self.id),
            "sender": self.sender,
            "agency": self.agency,
            "received": self.received.isoformat(),
            "finished": self.finished.isoformat() if self.finished else None,
            "state": self.state,
            "rules": list(self.rules),
            "counts": dict(self.counts),
            "rows": [
                {"row": row.row, "state": row.state, "receipt": row.receipt and str(row.receipt), "told": row.told}
                for row in self.rows
            ],
        }


async def read_file(connection: AsyncConnection, wanted: uuid.UUID) -> FileTraced | None:
    """The file of this id, or None if there is none."""
    found = (await connection.execute(_FILE, {"id": wanted})).one_or_none()
    if found is None:
        return None
    counts = {row.state: row.rows for row in await connection.execute(_COUNTS, {"id": wanted})}
    rows = tuple(RowTraced(*row) for row in await connection.execute(_ROWS, {"id": wanted, "most": SHOWN}))
    await connection.rollback()
    rules = tuple(sorted({finding["rule"] for finding in found.findings}))
    return FileTraced(
        found.id,
        found.sender,
        found.agency,
        found.received,
        found.finished,
        found.state,
        rules,
        counts,
        rows,
    )
