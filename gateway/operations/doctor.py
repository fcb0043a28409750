"""`lgw doctor`: settings, files, services, disk and clock, each with what is wrong and what to do about it."""

import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from gateway.clock import Clock
from gateway.errors import ConfigurationError
from gateway.kafka.topics import all_topics
from gateway.local.ports import is_free
from gateway.parties import Client, load_parties
from gateway.sealing import Secrets
from gateway.settings import Settings
from gateway.store.ledger import open_engine
from gateway.store.schema import made_otherwise
from gateway.wording import many

_ROOM = 1 << 30
_SKEW = 30.0
_WARNING = timedelta(days=30)
"""How long before a client's last key ends it is told: time to make another and to have it registered."""
_LOCAL = "Of a system that lgw up started, name the folder: --data data/up."


@dataclass(frozen=True, slots=True)
class Examined:
    """One thing looked at. fix is empty where nothing is wrong."""

    name: str
    well: bool
    told: str
    fix: str = ""


async def examine(settings: Settings, clock: Clock, folder: Path) -> AsyncIterator[Examined]:
    """Look at everything, in the order a person would mend it."""
    yield _python()
    yield Examined("version", True, f"lasars-gateway {version('lasars-gateway')}")
    yield _keys(settings)
    yield _parties(settings, clock())
    yield _disk(folder)
    for name, port in (("intake", settings.intake.port), ("dispatch", settings.dispatch.port)):
        yield _port(name, port)
    for name, setting, check in (
        ("postgresql", "GATEWAY_STORE__DSN", _store),
        ("kafka", "GATEWAY_KAFKA__BOOTSTRAP", _kafka),
    ):
        yield await _asked(name, setting, check, settings, clock)


async def _asked(
    name: str, setting: str, check: Callable[[Settings, Clock], Awaitable[Examined]], settings: Settings, clock: Clock
) -> Examined:
    try:
        return await check(settings, clock)
    except (SQLAlchemyError, KafkaError, OSError, TimeoutError) as error:
        return Examined(
            name,
            False,
            f"does not answer ({type(error).__name__})",
            f"Start it, or point {setting} at it. {_LOCAL}",
        )


def _python() -> Examined:
    told = ".".join(str(part) for part in sys.version_info[:3])
    well = sys.version_info >= (3, 11)
    return Examined("python", well, told, "" if well else "Use Python 3.11 or newer.")


def _keys(settings: Settings) -> Examined:
    try:
        Secrets.read(settings.keys)
        mode = settings.keys.stat().st_mode & 0o777
    except FileNotFoundError:
        return Examined("keys", False, f"no key file at {settings.keys}", f"Set GATEWAY_KEYS. {_LOCAL}")
    except (OSError, ValueError) as error:
        return Examined("keys", False, f"{settings.keys}: {type(error).__name__}", "Restore it from its backup.")
    if mode & 0o077:
        return Examined("keys", False, f"others may read {settings.keys} ({mode:o})", f"chmod 600 {settings.keys}")
    return Examined("keys", True, str(settings.keys))


def _parties(settings: Settings, now: datetime) -> Examined:
    try:
        parties = load_parties(settings.parties)
    except ConfigurationError as error:
        return Examined("parties", False, str(error), f"{error.fix} {_LOCAL}")
    clients = [client for party in parties.all for client in party.clients]
    told = f"{many(len(parties.all), 'party', 'parties')}, {many(len(clients), 'client')}"
    ends = {client.id: end for client in clients if (end := _last_end(client)) and end < now + _WARNING}
    if not ends:
        return Examined("parties", True, told)
    which = ", ".join(f"{client} on {end:%d %b %Y}" for client, end in sorted(ends.items(), key=lambda one: one[1]))
    fix = "Have each make another with lgw keys new, and register it beside the one that ends."
    return Examined("parties", False, f"{told}; the last key ends of {which}", fix)


def _last_end(client: Client) -> datetime | None:
    """When a client's last key ceases to serve; None where one of them has no end."""
    ends = [key["exp"] for key in client.keys if isinstance(key.get("exp"), int | float)]
    return datetime.fromtimestamp(max(ends), UTC) if len(ends) == len(client.keys) else None


def _disk(folder: Path) -> Examined:
    free = shutil.disk_usage(folder if folder.exists() else Path()).free
    told = f"{free / (1 << 30):.1f} GiB free"
    return Examined("disk", free > _ROOM, told, "" if free > _ROOM else "Free some space: the journal needs room.")


def _port(name: str, port: int) -> Examined:
    if is_free(port):
        return Examined(f"port {port}", True, f"free for {name}")
    return Examined(f"port {port}", True, f"in use; by {name}, if the gateway runs")


async def _store(settings: Settings, clock: Clock) -> Examined:
    engine = open_engine(settings.store)
    try:
        async with engine.connect() as connection:
            now, told = (await connection.execute(text("select clock_timestamp(), version()"))).one()
        other = await made_otherwise(engine)
    finally:
        await engine.dispose()
    skew = abs((clock() - now).total_seconds())
    name = " ".join(str(told).split()[:2])
    if skew > _SKEW:
        return Examined("postgresql", False, f"{name}, its clock {skew:.0f} s off ours", "Set both clocks by NTP.")
    if other:
        fix = "Run the version that made them, or give this one a data folder or database of its own."
        return Examined("postgresql", False, f"{name}, with the tables of another version of the gateway", fix)
    return Examined("postgresql", True, f"{name}, clocks agree")


async def _kafka(settings: Settings, _: Clock) -> Examined:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka.bootstrap)
    await admin.start()
    try:
        present = set(await admin.list_topics())
    finally:
        await admin.close()
    try:
        wanted = set(all_topics(settings.kafka, load_parties(settings.parties)))
    except ConfigurationError:
        return Examined("kafka", True, f"{settings.kafka.bootstrap}, {len(present)} topics")
    missing = sorted(wanted - present)
    if missing:
        return Examined("kafka", False, f"topics missing: {', '.join(missing)}", "Start the gateway, or lgw rebuild.")
    return Examined("kafka", True, f"{settings.kafka.bootstrap}, all {len(wanted)} topics")
