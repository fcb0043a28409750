"""The schema's migrations, and whether a database was made by those this version has.

Before release 0.1 the one migration is written anew where tables change and keeps its revision, so the revision alone
does not tell. A database therefore carries the digest of the migrations that made it, as the comment of Alembic's own
table: a text nobody else writes, which is dumped and restored with the tables.
"""

import hashlib
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, MetaData, Table, text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.schema import SetTableComment

from gateway.errors import ConfigurationError

MIGRATIONS: Final = Path(__file__).parent / "migrations"
_APPLIED: Final = "alembic_version"
"""The table in which Alembic keeps the revision."""


async def migrate(engine: AsyncEngine, migrations: Path = MIGRATIONS) -> None:
    """Bring the schema to this version. Two processes starting at once wait for each other.

    migrations: the folder of its history. Raises ConfigurationError, and changes nothing, where the tables were made by
    migrations that are not in it.
    """
    async with engine.begin() as connection:
        await connection.exec_driver_sql("select pg_advisory_xact_lock(7130001)")
        await connection.run_sync(_upgrade, migrations)


async def made_otherwise(engine: AsyncEngine) -> bool:
    """Whether the database has tables that other migrations than ours have made. An empty one has not."""
    async with engine.connect() as connection:
        return await connection.run_sync(_made_otherwise, MIGRATIONS)


def _upgrade(connection: Connection, migrations: Path) -> None:
    if _made_otherwise(connection, migrations):
        raise ConfigurationError(
            "The database was made by another version of the gateway, whose tables are not this one's.",
            "Run the version that made it, or give this one an empty database with GATEWAY_STORE__DSN.",
        )
    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    digest = _digest(migrations, "heads")
    if digest != _kept(connection):
        connection.execute(SetTableComment(Table(_APPLIED, MetaData(), comment=digest)))


def _made_otherwise(connection: Connection, migrations: Path) -> bool:
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is None:
        return False
    try:
        return _digest(migrations, revision) != _kept(connection)
    except CommandError:  # a revision this version has never heard of
        return True


def _kept(connection: Connection) -> str | None:
    """The digest the database carries."""
    asked = text("select obj_description(to_regclass(:applied), 'pg_class')")
    kept: str | None = connection.execute(asked, {"applied": _APPLIED}).scalar()
    return kept


def _digest(migrations: Path, revision: str) -> str:
    """What the migrations up to a revision say, line by line. Raises CommandError where there is none of that name."""
    digest = hashlib.sha256()
    for script in ScriptDirectory(migrations).walk_revisions("base", revision):
        digest.update("\n".join(Path(script.path).read_text("utf-8").splitlines()).encode())
    return digest.hexdigest()
