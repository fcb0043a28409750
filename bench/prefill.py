"""A journal of a million, made from one of ten thousand that the gateway itself wrote.

Every row of every table that grows with traffic is copied so many times inside PostgreSQL: real rows in the real
schema, with all their indexes, and in the order they were written, so that pages are filled as the gateway fills them.
Ids and keyed hashes are changed in each copy by a function of themselves and the copy's number, so that copies refer to
each other as the originals do. The sealed bytes are the same and would not open under their new ids; nobody opens them,
because nothing that is measured asks for a person of the copies.
"""

from typing import Any

import asyncpg
from sqlalchemy import Column, LargeBinary, Table
from sqlalchemy.dialects.postgresql import UUID

from gateway.store.tables import metadata

_FUNCTIONS = """
create function pg_temp.other(id uuid, copy int) returns uuid language sql immutable as
    $$ select (substr(id::text, 1, 15) || substr(md5(id::text || copy)::uuid::text, 16))::uuid $$;
create function pg_temp.other(hash bytea, copy int) returns bytea language sql immutable as
    $$ select decode(md5(hash || int4send(copy)), 'hex') $$;
"""

_OPEN = frozenset({"undecided"})
"""Tables of what is still to be done, as the outbox is: nothing that is measured should find anything of a copy's."""

_BYTES_KEPT = frozenset({"sealed", "wrapped"})
"""Bytes that are content; all others are keyed hashes."""


async def multiply(dsn: str, times: int) -> None:
    """Make `times` as many rows of what there is, and let PostgreSQL learn of it."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(_FUNCTIONS)
        for table in metadata.sorted_tables:
            if table.name not in _OPEN and any(_changes(column) for column in table.primary_key.columns):
                await connection.execute(_copying(table, times))
        await connection.execute(
            "update mailboxes set last = coalesce((select max(position) from deliveries"
            " where deliveries.recipient = mailboxes.recipient), 0)"
        )
        await connection.execute("vacuum analyze")
        await connection.execute("checkpoint")
    finally:
        await connection.close()


async def count(dsn: str, table: str) -> int:
    """How many rows there are."""
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval(f"select count(*) from {table}"))  # noqa: S608 - a name of our own
    finally:
        await connection.close()


def _copying(table: Table, times: int) -> str:
    """The statement that copies a table's rows, the originals being what is there when it begins.

    All of them, then all of them again: copies of one row beside each other, all of a size, would leave gaps that rows
    of another size are put into long after, on pages all over the table. The order is that of the names in
    `from` only because the second speaks of the first.
    """
    columns = [column for column in table.columns if column.identity is None]
    names = ", ".join(f'"{column.name}"' for column in columns)
    values = ", ".join(_value(table, column) for column in columns)
    return (
        f'with original as materialized (select * from "{table.name}")'  # noqa: S608 - names of our own schema
        f' insert into "{table.name}" ({names}) select {values}'
        f" from generate_series(1, {times - 1}) as copy"
        " cross join lateral (select * from original where copy > 0 offset 0) as t"
    )


def _value(table: Table, column: Column[Any]) -> str:
    own = f't."{column.name}"'
    if _changes(column):
        return f"pg_temp.other({own}, copy)"
    if (table.name, column.name) == ("deliveries", "position"):
        return own + " + copy * (select last from mailboxes where mailboxes.recipient = t.recipient)"  # noqa: S608 - names
    return own


def _changes(column: Column[Any]) -> bool:
    """Whether it holds an id or a keyed hash. A table without one in its key (a mailbox, a run) does not grow."""
    return isinstance(column.type, UUID) or (isinstance(column.type, LargeBinary) and column.name not in _BYTES_KEPT)
