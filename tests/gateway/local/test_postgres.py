import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest
from sqlalchemy import make_url

from gateway.local import postgres
from gateway.local.errors import FolderInUse, LocalError

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where PostgreSQL was started and stopped once."""
    folder = tmp_path_factory.mktemp("embedded")
    with postgres.start(folder):
        pass
    return folder


@pytest.fixture
def server(folder: Path) -> Iterator[postgres.EmbeddedPostgres]:
    """A server on that folder."""
    with postgres.start(folder) as server:
        yield server


async def value(server: postgres.EmbeddedPostgres, statement: str) -> object:
    """What a statement returns."""
    connection = await asyncpg.connect(server.dsn.replace("+asyncpg", ""))
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_what_was_committed_is_found_again(folder: Path) -> None:
    """After a stop and a second start on the same folder, what was committed is there."""
    with postgres.start(folder) as server:
        await value(server, "CREATE TABLE kept AS SELECT 42 AS answer")
    with postgres.start(folder) as server:
        assert await value(server, "SELECT answer FROM kept") == 42


async def test_what_was_committed_survives_kill_9(server: postgres.EmbeddedPostgres) -> None:
    """After kill -9, a restart on the same address finds what was committed a moment before."""
    await value(server, "CREATE TABLE survived AS SELECT 42 AS answer")
    before = server.dsn
    server.kill()
    server.restart()
    assert server.dsn == before
    assert await value(server, "SELECT answer FROM survived") == 42


async def test_commits_go_to_disk(server: postgres.EmbeddedPostgres) -> None:
    """A commit is on disk before it is answered, and nothing listens on a port."""
    for setting, expected in {"fsync": "on", "synchronous_commit": "on", "listen_addresses": ""}.items():
        assert await value(server, f"SHOW {setting}") == expected


async def test_a_broken_constraint_does_not_reach_the_log(server: postgres.EmbeddedPostgres) -> None:
    """A statement that fails leaves neither its text nor its values in the log."""
    await value(server, "CREATE TABLE once (word text UNIQUE)")
    with pytest.raises(asyncpg.UniqueViolationError):
        await value(server, "INSERT INTO once VALUES ('canary-7'), ('canary-7')")
    log = (server.folder / "postgres.log").read_text()
    assert "duplicate key value violates unique constraint" in log
    assert "canary-7" not in log


def test_nobody_else_may_enter(server: postgres.EmbeddedPostgres) -> None:
    """Only its own user and root may enter the folder of the data or of the socket."""
    for folder in ("cluster", "socket"):
        assert (server.folder / folder).stat().st_mode & 0o077 == 0


def test_a_second_start_on_a_folder_is_refused(server: postgres.EmbeddedPostgres) -> None:
    """A second start on a folder in use is refused with who has it, and harms nothing."""
    with pytest.raises(FolderInUse, match=f"process {os.getpid()}"):
        postgres.start(server.folder)
    server.check()


async def test_a_note_with_a_number_of_somebody_else_is_stale(folder: Path) -> None:
    """A postmaster.pid whose process id now belongs to another program does not keep PostgreSQL from starting."""
    with postgres.start(folder) as server:
        note = folder / "cluster" / "postmaster.pid"
        text = note.read_text()
        server.kill()
        note.write_text(text.replace(str(server.pid), str(os.getpid()), 1))
        server.restart()
        assert await value(server, "SELECT 1") == 1


async def test_a_half_made_cluster_is_made_anew(tmp_path: Path) -> None:
    """A first start that was killed half-way does not spoil the second."""
    (tmp_path / "cluster.unfinished").mkdir()
    (tmp_path / "cluster.unfinished" / "PG_VERSION").write_text("18\n")
    with postgres.start(tmp_path) as server:
        assert await value(server, "SELECT current_database()") == "gateway"


def test_a_deep_folder_gets_a_short_socket(tmp_path: Path) -> None:
    """A folder whose path is too long for a Unix socket works all the same, and leaves nothing elsewhere."""
    deep = tmp_path / ("a" * 60) / ("b" * 60)
    with postgres.start(deep) as server:
        sockets = Path(str(make_url(server.dsn).query["host"]))
        assert not sockets.is_relative_to(tmp_path)
        assert (sockets / postgres.SOCKET).is_socket()
    assert not sockets.exists()


def test_it_dies_with_its_parent(folder: Path) -> None:
    """When the process that started it is killed, PostgreSQL stops too, and the folder is free."""
    script = (
        "import sys, pathlib, gateway.local.postgres as p;"
        "print(p.start(pathlib.Path(sys.argv[1])).pid, flush=True); sys.stdin.read()"
    )
    argv = [sys.executable, "-c", script, folder]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        server = psutil.Process(int(parent.stdout.readline()))
        parent.send_signal(signal.SIGKILL)
    server.wait(timeout=20)
    with postgres.start(folder) as again:
        again.check()


def test_a_cluster_that_cannot_start_says_why(folder: Path) -> None:
    """Where PostgreSQL refuses to start, the error carries its own last words."""
    version = folder / "cluster" / "PG_VERSION"
    kept = version.read_text()
    version.write_text("9\n")
    try:
        with pytest.raises(LocalError, match=r"PostgreSQL has ended by itself .* incompatible with server"):
            postgres.start(folder)
    finally:
        version.write_text(kept)


@pytest.mark.parametrize(
    ("memory", "told"), [(2**28, "128MB"), (2 * 2**30, "512MB"), (4 * 2**30, "1024MB"), (2**38, "1024MB")]
)
def test_a_quarter_of_the_memory_may_hold_pages(memory: int, told: str) -> None:
    """On a small machine less, and on none more than a million records need."""
    assert postgres.buffers(memory) == told
