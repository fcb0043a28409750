"""Other versions of the gateway, as far as their tables go."""

import shutil
from pathlib import Path

from gateway.store.schema import MIGRATIONS


def older(folder: Path) -> Path:
    """Migrations with the revisions of this version and other tables, in a new folder of that one."""
    made = _copied(folder / "older")
    (first,) = (made / "versions").glob("*.py")
    first.write_text(first.read_text().replace('sa.Column("sealed"', 'sa.Column("closed"'))
    return made


def newer(folder: Path) -> Path:
    """Migrations with one more than this version has, in a new folder of that one."""
    made = _copied(folder / "newer")
    (made / "versions" / "9999_next.py").write_text(_NEXT)
    return made


def _copied(folder: Path) -> Path:
    return shutil.copytree(MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))


_NEXT = '''"""Something is kept for longer."""

from alembic import op

revision = "9999"
down_revision = "0001"


def upgrade() -> None:
    op.execute("alter table assertions add column kept interval")
'''
