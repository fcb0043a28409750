"""A folder as a channel: what its sender lays there is taken, and what became of it is laid beside it.

A file is written elsewhere, or as `NAME.part`, and renamed into the folder. It is claimed by moving it to `taking`,
taken as a file at the HTTP door is, and moved to `done` or `refused`, where its receipt already lies. What a crash
left in `taking` is taken up first. The bytes are a file's identity: the same again has the first receipt.
"""

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, aclosing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import PurePath
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

import orjson
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine
from watchfiles import awatch

from adapters.base import Adapter
from gateway import telemetry
from gateway.clock import Clock
from gateway.errors import JournalUnavailable
from gateway.failpoints import reach
from gateway.intake import folder as folders
from gateway.intake.folder import Folder, Lying, Place
from gateway.intake.parcel import Parcel, ParcelTaker, Statement
from gateway.intake.reports import Report, read_report, table
from gateway.intake.slip import slip
from gateway.intake.spool import Spool
from gateway.parties import Party
from gateway.settings import Drop as Settings
from gateway.store import files
from gateway.store.faults import passes
from gateway.store.turns import Turns
from gateway.telemetry import log

_IN_MEMORY = 1 << 20
_PIECE = 1 << 20
_RECEIPT = ".receipt.json"
_HOUR = 3600.0
_AGAIN = 60.0
"""Seconds until a file that could not be taken by itself is tried again."""

MEDIA_TYPES: Mapping[str, tuple[str, ...]] = {
    "csv": ("text/csv",),
    "edi": ("application/edifact",),
    "hl7": ("application/hl7-v2",),
    "json": ("application/json", "application/fhir+json"),
    "jsonl": ("application/x-ndjson",),
    "ndjson": ("application/x-ndjson",),
    "xml": ("application/xml", "application/fhir+xml"),
}
"""What the end of a name says; of several the one its feed takes."""


def media_type_of(name: str, told: Mapping[str, str], adapter: Adapter) -> str | None:
    """As what a file is read: what its party says of such names, what such names say, or the only type of the feed.

    told: media types by the end of a name, from the parties file. None where nothing says it.
    """
    end = PurePath(name).suffix[1:].lower()
    if end in told:
        return told[end]
    taken = {*adapter.files, *adapter.records}
    if end in MEDIA_TYPES:
        return next((one for one in MEDIA_TYPES[end] if one in taken), None)
    return next(iter(adapter.files)) if len(adapter.files) == 1 else None


@dataclass(slots=True)
class Patience:
    """Which files have lain unchanged for long enough. now: seconds of a clock that never goes back."""

    quiet: timedelta
    now: Callable[[], float] = time.monotonic
    _since: dict[Lying, float] = field(default_factory=dict)

    def ready(self, lying: list[Lying]) -> Iterator[str]:
        """The names of those that have, in their order; the others are remembered until the next time."""
        now = self.now()
        self._since = {one: self._since.get(one, now) for one in lying}
        return (one.name for one, since in self._since.items() if now - since >= self.quiet.total_seconds())


class DropWatch:
    """Takes what one sender lays into its folder. Several processes may watch it: one at a time works on it."""

    def __init__(
        self,
        party: Party,
        adapter: Adapter,
        taker: ParcelTaker,
        engine: AsyncEngine,
        turns: Turns,
        settings: Settings,
        clock: Clock,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        if party.drop is None:
            raise ValueError("this party has no folder")
        self._drop = party.drop
        self._party = party
        self._sender = party.id
        self._adapter = adapter
        self._taker = taker
        self._engine = engine
        self._turns = turns
        self._settings = settings
        self._clock = clock
        self._now = now
        self._patience = Patience(settings.quiet, now)
        self._said_before: set[str] = set()
        self._said: set[str] = set()
        self._forgot: float | None = None
        self._later: dict[str, float] = {}

    async def run(self) -> None:
        """Watch until cancelled. A folder that is not there, or goes away, is looked for again."""
        while True:
            async with aclosing(self._moments()) as moments:
                async for _ in moments:
                    if not await self.look():
                        break
            await asyncio.sleep(self._settings.look.total_seconds())

    async def look(self) -> bool:
        """Take what is ready, in order. Whether the folder is there."""
        self._said_before, self._said = self._said, set()
        with ExitStack() as stack:
            try:
                folder = await asyncio.to_thread(stack.enter_context, folders.opened(self._drop.folder))
            except OSError as error:
                self._say("drop.folder_unusable", error)
                return False
            try:
                await self._work(folder)
            except (JournalUnavailable, SQLAlchemyError, OSError, TimeoutError) as error:
                self._say("drop.not_taken", error)
        return True

    async def _moments(self) -> AsyncGenerator[None]:
        """When to look: at every change, and now and then, because not every file system tells of changes."""
        quiet, look = self._settings.quiet, self._settings.look
        wait = int((min(quiet, look) or look).total_seconds() * 1000)  # none at all would be for ever
        yield None
        try:
            changes = awatch(self._drop.folder, recursive=False, yield_on_timeout=True, rust_timeout=wait)
            async with aclosing(changes):
                async for _ in changes:
                    yield None
        except Exception as error:  # no watch is left to have, or it broke: without one files only come later
            self._say("drop.not_watched", telemetry.first(error))

    async def _work(self, folder: Folder) -> None:
        lying, strange = await asyncio.to_thread(folder.lying)
        if strange:
            self._say("drop.left_lying", count=strange)
        ready = list(self._patience.ready(lying))
        if not (ready or self._forgetting or await asyncio.to_thread(folder.claimed)):
            return
        async with self._turns.turn(f"drop|{self._sender}") as mine:
            if not mine:
                return
            claimed = await asyncio.to_thread(folder.claimed)
            self._later = {name: at for name, at in self._later.items() if name in claimed}
            for name in claimed:
                if self._later.get(name, 0.0) <= self._now():
                    await self._take(folder, name)
            for name in ready:
                if await self._claim(folder, name):
                    await self._take(folder, name)
            await self._forget(folder)

    async def _claim(self, folder: Folder, name: str) -> bool:
        try:
            await asyncio.to_thread(folder.claim, name)
        except FileExistsError:
            return False
        except OSError as error:  # its sender took it away, or has not let us read it: it is tried again
            self._say("drop.not_read", error)
            return False
        reach("F1")
        return True

    async def _take(self, folder: Folder, name: str) -> None:
        """Take a claimed file and lay down what became of it.

        One that cannot be read, or that met a fault of ours, is said, and stays claimed until it is tried again.

        Raises JournalUnavailable, what the store raised that passes, or OSError where there is no room: all that comes
        after it waits.
        """
        parcel = Parcel(self._party, self._adapter, media_type_of(name, self._drop.media_types, self._adapter))
        # SpooledTemporaryFile has every method of a binary file, which its stub does not say.
        with cast(BinaryIO, SpooledTemporaryFile(max_size=_IN_MEMORY)) as copy:
            spool = Spool(copy)
            try:
                whole = await asyncio.to_thread(_copy, folder, name, spool, self._taker.most(parcel))
            except Unreadable as error:
                self._put_off(name, "drop.not_read", error.__cause__)
                return
            try:
                took = await self._taker.take(parcel, spool.whole()) if whole else self._taker.too_large(parcel)
            except Exception as error:  # a fault of ours, which this file met: it is put off, and stops no other
                if passes(error):
                    raise
                self._put_off(name, "drop.failed", error)
                return
        await self._lay(folder, name, took)

    async def _lay(self, folder: Folder, name: str, took: Statement) -> None:
        """Lay the receipt, and everything else before it, and then the file itself beside them."""
        place: Place = "done" if took.taken else "refused"
        receipt = orjson.dumps(took.receipt, option=orjson.OPT_INDENT_2)
        settled = await asyncio.to_thread(folder.free, place, name, _RECEIPT, receipt)
        report = None
        if took.file_id is not None:
            report = await self._reports(folder, settled, took.file_id)
        texts = {f".answer{f'-{number}' if number > 1 else ''}": one.body for number, one in enumerate(took.replies, 1)}
        texts |= {".receipt.txt": slip(took.receipt, report).encode(), _RECEIPT: receipt}
        for end, text in texts.items():
            await _beside(folder, place, settled + end, [text])
        reach("F5")
        await asyncio.to_thread(folder.settle, name, place, settled)

    async def _reports(self, folder: Folder, settled: str, file_id: uuid.UUID) -> Report | None:
        async with self._engine.connect() as connection:
            found = await files.find(connection, file_id, self._sender)
        if found is None:
            return None  # it has had its time meanwhile
        report = await read_report(self._engine, found, self._adapter.rules)
        text = report.model_dump_json(indent=2).encode()
        await _beside(folder, "done", f"{settled}.report.json", [text])
        with cast(BinaryIO, SpooledTemporaryFile(max_size=_IN_MEMORY)) as lines:
            async for page in table(self._engine, file_id, self._adapter.rules):
                await asyncio.to_thread(lines.write, page.encode())
            lines.seek(0)
            await _beside(folder, "done", f"{settled}.report.csv", lines)
        return report

    @property
    def _forgetting(self) -> bool:
        return self._forgot is None or self._now() - self._forgot > _HOUR

    async def _forget(self, folder: Folder) -> None:
        if self._forgetting:
            self._forgot = self._now()
            before = (self._clock() - self._settings.keep).timestamp()
            if count := await asyncio.to_thread(folder.forget, before):
                log.info("drop.forgotten", sender=self._sender, count=count)

    def _put_off(self, name: str, what: str, error: BaseException | None) -> None:
        """Let the others go on, and try this one again after a while."""
        self._later[name] = self._now() + _AGAIN
        self._say(what, error)

    def _say(self, what: str, error: BaseException | None = None, **more: int) -> None:
        """Say it when it begins, and not at every look. Never a file's name, which may be a person's."""
        self._said.add(what)
        if what in self._said_before:
            return
        told = {"error": type(error).__name__, "where": telemetry.where(error)} if error else {}
        log.warning(what, sender=self._sender, **told, **more)


async def _beside(folder: Folder, place: Place, name: str, pieces: Iterable[bytes]) -> None:
    """Lay one of the files that tell what became of a file."""
    reach("F4")
    await asyncio.to_thread(folder.lay, place, name, pieces)


class Unreadable(Exception):
    """A file that lies there cannot be read."""


def _copy(folder: Folder, name: str, spool: Spool, most: int) -> bool:
    """Copy a claimed file, so that nobody changes it while it is taken. Whether it is no larger than that (bytes).

    Raises Unreadable, or OSError where there is no room for the copy.
    """
    left = most
    for piece in _pieces(folder, name):
        left -= len(piece)
        if left < 0:
            return False
        spool.write([piece])
    return True


def _pieces(folder: Folder, name: str) -> Iterator[bytes]:
    try:
        with folder.open(name) as file:
            while piece := file.read(_PIECE):
                yield piece
    except OSError as error:
        raise Unreadable from error
