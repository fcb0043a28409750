"""The report on a batch file: `GET /v1/files/{id}`, for a person as JSON or for a spreadsheet as CSV.

It says how many rows became what, which rules were broken most, and row by row what to mend.
"""

import csv
import io
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.base import Adapter, Rule
from gateway.access.caller import Access
from gateway.intake.findings import restored
from gateway.intake.words import word
from gateway.problems import not_found
from gateway.store import files as statements

_PAGE = 1000
_STATES: Mapping[str, Literal["received", "taken", "refused"]] = {
    "open": "received",
    "taken": "taken",
    "refused": "refused",
}


class FindingTold(BaseModel):
    """A rule that was broken, where, and what to do about it."""

    rule: str
    level: str
    field: str
    text: str


class CauseTold(BaseModel):
    """One rule and the rows that broke it: how many, the first five, and fields and shapes that were seen."""

    rule: str
    level: str
    sentence: str
    fix: str
    rows: int
    first: list[int]
    fields: list[str]
    seen: list[str]


class RowTold(BaseModel):
    """One row there is something to say about. receipt: where it was taken; reason: why it is held or ignored."""

    row: int
    state: str
    receipt: uuid.UUID | None
    reason: str | None
    findings: list[FindingTold]


class Report(BaseModel):
    """What became of a file. `rows` = `accepted` + `held` + `ignored` + `refused`, once it is taken."""

    file: uuid.UUID
    agency: str
    received: datetime
    finished: datetime | None
    state: Literal["received", "taken", "refused"]
    rows: int
    accepted: int
    held: int
    ignored: int
    refused: int
    findings: list[FindingTold]
    causes: list[CauseTold]
    told: list[RowTold]
    links: dict[str, str]


def tallied(counts: Mapping[str, int]) -> dict[str, int]:
    """Rows by what a sender wants to know of them, from the counts of record states and refusals."""
    tally = {
        "accepted": counts.get("translated", 0) + counts.get("staged", 0),
        "held": counts.get("held", 0) + counts.get("waiting", 0),
        "ignored": counts.get("ignored", 0),
        "refused": counts.get("refused", 0),
    }
    return {"rows": sum(tally.values()), **tally}


def router(access: Access, engine: AsyncEngine, adapters: Mapping[str, Adapter]) -> APIRouter:
    """The report's route."""
    routes = APIRouter(tags=["Feeds"])

    @routes.get("/v1/files/{file}", response_model=Report, summary="What became of a batch file, row by row")
    async def report(
        request: Request,
        file: str,
        after: Annotated[int, Query(ge=0, le=2**31 - 1, description="rows from the next one on")] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> Response | Report:
        """The report on one of your files. With `Accept: text/csv` every row that is told of, one line a finding."""
        found = await _find(request, access, engine, file)
        agency = adapters.get(found.agency)
        rules: Mapping[str, Rule] = agency.rules if agency else {}
        if request.headers.get("accept", "").partition(";")[0].strip().lower() == "text/csv":
            return StreamingResponse(table(engine, found.id, rules), media_type="text/csv")
        return await read_report(engine, found, rules, after, limit)

    return routes


async def read_report(
    engine: AsyncEngine, found: statements.FileRow, rules: Mapping[str, Rule], after: int = 0, limit: int = _PAGE
) -> Report:
    """The report on a file, and what there is to say of its next rows. rules: of its agency, by id."""
    async with engine.connect() as connection:
        counts = await statements.counts(connection, found.id)
        causes = await statements.causes(connection, found.id)
        told = await statements.told_rows(connection, found.id, after, limit)
    links = {"self": f"/v1/files/{found.id}"}
    if len(told) == limit:
        links["next"] = f"/v1/files/{found.id}?after={told[-1].row}&limit={limit}"
    return Report(
        file=found.id,
        agency=found.agency,
        received=found.received,
        finished=found.finished,
        state=_STATES[found.state],
        findings=[FindingTold(**one) for one in restored(found.findings, rules)],
        causes=[_cause(cause, rules) for cause in causes],
        told=[_row(row, rules) for row in told],
        links=links,
        **tallied(counts),
    )


async def _find(request: Request, access: Access, engine: AsyncEngine, file: str) -> statements.FileRow:
    caller = access.caller(request)
    try:
        file_id = uuid.UUID(file)
    except ValueError:
        raise not_found() from None
    async with engine.connect() as connection:
        found = await statements.find(connection, file_id, caller.party.id)
    if found is None:
        raise not_found()
    return found


def _cause(cause: statements.Cause, rules: Mapping[str, Rule]) -> CauseTold:
    rule = rules.get(cause.rule)
    return CauseTold(
        rule=cause.rule,
        level=rule.level.value if rule else "",
        sentence=rule.sentence if rule else "",
        fix=rule.fix if rule else "",
        rows=cause.rows,
        first=cause.first,
        fields=cause.fields,
        seen=cause.details,
    )


def _row(row: statements.Told, rules: Mapping[str, Rule]) -> RowTold:
    return RowTold(
        row=row.row,
        state=_word(row.state),
        receipt=row.record,
        reason=row.reason,
        findings=[FindingTold(**one) for one in restored(row.findings, rules)],
    )


def _word(state: str) -> str:
    return state if state == "refused" else word(state)


async def table(engine: AsyncEngine, file_id: uuid.UUID, rules: Mapping[str, Rule]) -> AsyncIterator[str]:
    """The report's rows as CSV, a line for each finding, however many they are."""
    yield _line(["row", "state", "receipt", "reason", "rule", "level", "field", "text"])
    after = 0
    while True:
        async with engine.connect() as connection:
            page = await statements.told_rows(connection, file_id, after, _PAGE)
        if not page:
            return
        after = page[-1].row
        yield "".join(_line(line) for row in page for line in _lines(_row(row, rules)))


def _lines(row: RowTold) -> list[list[str]]:
    start = [str(row.row), row.state, str(row.receipt or ""), row.reason or ""]
    return [[*start, one.rule, one.level, one.field, one.text] for one in row.findings] or [[*start, "", "", "", ""]]


def _line(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()
