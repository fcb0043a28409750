"""How PostgreSQL goes about what every message passes through: by index, even where it planned on tables still empty.

A serving process keeps the plan of its first minute. One that then reads a table from end to end, because it is empty,
does so until the table is analysed again. PostgreSQL takes a table it never analysed for a small one, and reads it by
index; a table that it has analysed while nothing was in it is to be read for nothing, by any way.
"""

import importlib
import pkgutil
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from gateway import store
from gateway.operations import lag
from gateway.settings import Store
from gateway.store import outcome
from gateway.store.ledger import open_engine
from gateway.store.statement import Statement

pytestmark = pytest.mark.services

QUEUES = {"outbox"}
"""Tables that hold nothing but what is still to be done, and may be read to their end."""

COUNTED = {"gateway.operations.lag.STAGES": {"undecided", "queued"}}
"""What is read whole because it is counted whole."""

ANALYSED_EMPTY = {"gateway.store.deliveries._SETTLE": {"deliveries"}}
"""What a statement may read from end to end while statistics say that there is nothing in it.

Settling finds a delivery by its id, also where another session has just moved the row. Forms that no such plan fits
cost twice as much always, or miss what moved.
"""


def statements() -> dict[str, Statement]:
    """All statements that are planned, by their names."""
    modules = [importlib.import_module(f"{store.__name__}.{one.name}") for one in pkgutil.iter_modules(store.__path__)]
    named = {
        f"{module.__name__}.{name}": found
        for module in modules
        for name, found in vars(module).items()
        if isinstance(found, Statement) and not found.sql.startswith("set ")
    }
    return {
        **named,
        "gateway.store.outcome.writing": outcome.writing(tuple(outcome.PARTS)),
        "gateway.operations.lag.STAGES": Statement(lag.STAGES.text),
    }


@dataclass(frozen=True)
class Indexed:
    """An index: its table, and the column it is in the order of."""

    table: str
    first: str


_INDEXES = """
    select c.relname, t.relname, a.attname from pg_index i
    join pg_class c on c.oid = i.indexrelid join pg_class t on t.oid = i.indrelid
    join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
    where t.relnamespace = 'public'::regnamespace
"""


_LOOKED_UP = {"Index Cond", "Recheck Cond", "TID Cond"}
"""What tells that a table is not: of PostgreSQL's own, by any index; of ours, by what else the plan says of it."""


def from_end_to_end(plan: dict[str, Any], indexes: Mapping[str, Indexed]) -> Iterator[str]:
    """The tables that a plan reads so, or of which it reads a whole index: nothing is asked of its first column."""
    index = indexes.get(plan.get("Index Name", ""))
    if index is not None:
        if not re.search(rf"\(\"?{index.first}\"? ", plan.get("Index Cond", "")):
            yield index.table
    elif "Relation Name" in plan and "Scan" in plan["Node Type"] and not _LOOKED_UP & plan.keys():
        yield plan["Relation Name"]
    for part in plan.get("Plans", ()):
        yield from from_end_to_end(part, indexes)


async def planned(driver: Any, statement: Statement, indexes: Mapping[str, Indexed]) -> set[str]:
    """The tables that this session, as it plans, would read from end to end for a statement."""
    await driver.execute(f"prepare asked as {statement.sql}")
    values = ", ".join(["null"] * len(statement.names))
    told = await driver.fetchval(f"explain (format json) execute asked{f'({values})' if values else ''}")
    await driver.execute("deallocate asked")
    return set(from_end_to_end(told[0]["Plan"], indexes))


@asynccontextmanager
async def serving(dsn: str) -> AsyncIterator[Any]:
    """A session of a serving process."""
    engine = open_engine(Store(dsn=dsn), serving=True)
    async with engine.connect() as connection:
        yield (await connection.get_raw_connection()).driver_connection
    await engine.dispose()


@pytest.mark.parametrize("before", ["select", "vacuum analyze"], ids=["never analysed", "analysed while empty"])
async def test_no_table_that_grows_is_read_from_end_to_end(postgres: str, before: str) -> None:
    """Whatever is asked is looked up, and costs the same when millions of rows are there."""
    found = {}
    async with serving(postgres) as driver:
        await driver.execute(before)
        indexes = {name: Indexed(*rest) for name, *rest in await driver.fetch(_INDEXES)}
        for name, statement in statements().items():
            if tables := await planned(driver, statement, indexes) - QUEUES - COUNTED.get(name, set()):
                found[name] = tables
        assert await planned(driver, Statement("select from decisions where event_id = :id"), indexes) == {"decisions"}
        assert await planned(driver, Statement("select from decisions where record_id = :id"), indexes) == set()
    assert len(statements()) > 30
    assert found == (ANALYSED_EMPTY if before == "vacuum analyze" else {})
