"""The engine every statement runs on."""

from collections.abc import Callable, Mapping

import asyncpg
from sqlalchemy import AdaptedConnection, event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from gateway.settings import Store

_SETTINGS: Mapping[str, str] = {"jit": "off", "application_name": "lasars-gateway"}

# What serves looks up by key, and often: planning anew costs more than the work, and a plan made while a table was
# small must not read it from end to end once it has grown.
_SERVING: Mapping[str, str] = {"plan_cache_mode": "force_generic_plan", "enable_seqscan": "off"}


def open_engine(store: Store, *, serving: bool = False) -> AsyncEngine:
    """An engine for one process. Statements are prepared once; parameters never show in errors or logs.

    serving: for a process that takes or delivers messages; its statements are planned once, and go by index.
    """
    engine = create_async_engine(
        store.dsn,
        pool_size=store.pool,
        max_overflow=0,
        hide_parameters=True,
        connect_args={"server_settings": {**_SETTINGS, **(_SERVING if serving else {})}},
    )
    event.listen(engine.sync_engine, "checkout", _refuse_ended)
    return engine


def _refuse_ended(connection: AdaptedConnection, _: object, __: object) -> None:
    """Hand out no connection that the driver knows to have ended, nor any that is as old: a new one is made.

    Raises InvalidatePoolError, which the pool understands.
    """
    driver: asyncpg.Connection[asyncpg.Record] = connection.driver_connection
    if driver.is_closed():
        raise InvalidatePoolError


async def listen(
    connection: AsyncConnection, channel: str, told: Callable[..., None], ended: Callable[[object], None]
) -> None:
    """Listen to PostgreSQL's announcements on a channel in this session.

    told: called with the session, its process id, the channel and what was announced. ended: called when the session
    ends. Raises SQLAlchemyError, or ConnectionError where the session has ended already: the driver is asked past
    SQLAlchemy, so its own errors come out here.
    """
    driver = (await connection.get_raw_connection()).driver_connection
    if driver is None:
        raise ConnectionError("there is no session")
    try:
        driver.add_termination_listener(ended)
        await driver.add_listener(channel, told)
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise ConnectionError("the session has ended") from error
