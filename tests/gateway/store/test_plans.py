"""How PostgreSQL goes about what every message passes through: by index, even where it planned on tables still empty.

A serving process keeps the plan of its first minute. One that then reads a table from end to end, because it is empty,
does so until the table is analysed again. PostgreSQL takes a table it never analysed for a small one, and reads it by
index; a table that it has analysed while nothing was in it is to be read for nothing, by any way.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest

from gateway import store
from gateway.settings import Store
from gateway.store import outcome
from gateway.store.ledger import open_engine
from gateway.store.statement import Statement

pytestmark = pytest.mark.services

QUEUES = {"outbox"}
"""Tables that hold nothing but what is still to be done, and may be read to their end."""

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
    return {**named, "gateway.store.outcome.writing": outcome.writing(tuple(outcome.PARTS))}


def from_end_to_end(plan: dict[str, Any]) -> Iterator[str]:
    """The tables that a plan reads so: scans without a condition on an index."""
    looked_up = {"Index Cond", "Recheck Cond", "TID Cond"} & plan.keys()
    if "Relation Name" in plan and "Scan" in plan["Node Type"] and not looked_up:
        yield plan["Relation Name"]
    for part in plan.get("Plans", ()):
        yield from from_end_to_end(part)


@pytest.mark.parametrize("before", ["select", "vacuum analyze"], ids=["never analysed", "analysed while empty"])
async def test_no_table_that_grows_is_read_from_end_to_end(postgres: str, before: str) -> None:
    """Whatever is asked is looked up, and costs the same when millions of rows are there."""
    found = {}
    engine = open_engine(Store(dsn=postgres), serving=True)
    async with engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        await driver.execute(before)
        for name, statement in statements().items():
            await driver.execute(f"prepare asked as {statement.sql}")
            values = ", ".join(["null"] * len(statement.names))
            told = await driver.fetchval(f"explain (format json) execute asked{f'({values})' if values else ''}")
            await driver.execute("deallocate asked")
            if tables := set(from_end_to_end(told[0]["Plan"])) - QUEUES:
                found[name] = tables
    await engine.dispose()
    assert len(statements()) > 30
    assert found == (ANALYSED_EMPTY if before == "vacuum analyze" else {})
