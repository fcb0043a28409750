"""Every record of some files, read and counted on all processors, in memory that does not grow with the files."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path
from typing import BinaryIO, Final

from adapters.base import Adapter, FileRefused, Refused
from adapters.registry import adapters
from gateway.offline.file_facts import FileFacts, file_facts
from gateway.offline.mapping import Mapped, taught
from gateway.offline.records import Examined, Piece, files_of, media_type, pieces_of
from gateway.offline.tally import Tally, tally
from schemas.place_files import load_places
from schemas.places import Places

_RECORDS: Final = 500
_BYTES: Final = 2 << 20
"""What is read and counted at once: so many records, or so many bytes of them."""
_PROCESSES: Final = 4

Progress = Callable[[int, Mapping[str, int]], None]
"""Called with the bytes read in all, and counts by their names."""


@dataclass(frozen=True)
class Reader:
    """Who reads: an agency's adapter as an installation's options make it, with codes mapped beside, and the places.

    It can be handed to another process, which builds the adapter anew.
    """

    agency: str
    options: Mapping[str, Mapping[str, str]]
    places: Path
    received: datetime
    mapped: Mapped = field(default_factory=dict)

    @cached_property
    def adapter(self) -> Adapter:
        """The adapter. Raises KeyError for an agency that is none."""
        return adapters(self.options)[self.agency]

    @cached_property
    def known(self) -> Places:
        """The places, as they are at hand. Raises PlacesError."""
        return load_places(self.places)

    def tally(self, pieces: Sequence[Piece]) -> Tally:
        """Read records and count what becomes of them."""
        adapter = self.adapter  # builds the tables of codes, if nobody has yet
        with taught(self.mapped):
            return tally(adapter, pieces, self.received, self.known)


@dataclass(frozen=True, slots=True)
class Survey:
    """What is known of some files after every record was read."""

    tally: Tally
    files: tuple[FileFacts, ...]


def survey(reader: Reader, paths: Sequence[Path], told: Progress, processes: int | None = None) -> Survey:
    """Read and count every record. Raises Unusable as `examine` does, and PlacesError.

    A file that is refused whole counts as one refused record: nothing of it would be taken. processes: how many read
    beside this one; as many as there are processors, without a choice. Small files are read here.
    """
    adapter = reader.adapter
    files = [(path, name, media_type(path)) for path, name in files_of(adapter, paths)]
    counted = Tally()
    with ExitStack() as stack:
        work = _Work(reader, stack, processes or min(os.cpu_count() or 1, _PROCESSES))
        before = 0
        for path, name, kind in files:
            with path.open("rb") as file:
                of_file = work.count(_chunks(pieces_of(adapter, file, name, kind)), _Position(file, before, told))
            counted.merge(of_file if isinstance(of_file, Tally) else _refused(name, of_file))
            before += path.stat().st_size
            told(before, {"records": counted.records})
    return Survey(counted, tuple(file_facts(path, name, kind) for path, name, kind in files))


class _Position:
    """How far a file has been read."""

    def __init__(self, file: BinaryIO, before: int, told: Progress) -> None:
        self._file = file
        self._before = before
        self._told = told

    def __call__(self, counted: Tally) -> None:
        self._told(self._before + self._file.tell(), {"records": counted.records})


class _Work:
    """Chunks of records, counted here while there is one, and by other processes from the second on."""

    def __init__(self, reader: Reader, stack: ExitStack, processes: int) -> None:
        self._reader = reader
        self._stack = stack
        self._processes = processes
        self._pool: ProcessPoolExecutor | None = None

    def count(self, chunks: Iterable[list[Piece]], position: _Position) -> Tally | FileRefused:
        """All chunks of one file in their order, or why the file is refused whole, which may stand at its end."""
        counted = Tally()
        waiting: deque[Future[Tally]] = deque()
        try:
            first: list[Piece] | None = None
            for chunk in chunks:
                if first is None and not waiting:
                    first = chunk
                    continue
                if first is not None:
                    waiting.append(self._submit(first))
                    first = None
                waiting.append(self._submit(chunk))
                while len(waiting) > 2 * self._processes:  # what was read waits for whoever counts, and no more of it
                    counted.merge(waiting.popleft().result())
                    position(counted)
        except FileRefused as refused:
            for one in waiting:
                one.cancel()
            return refused
        if first is not None:
            counted.merge(self._reader.tally(first))
        for one in waiting:
            counted.merge(one.result())
            position(counted)
        return counted

    def _submit(self, chunk: list[Piece]) -> Future[Tally]:
        if self._pool is None:
            # Not forked: a bar may already be drawn by a thread.
            self._pool = ProcessPoolExecutor(
                self._processes, mp_context=get_context("spawn"), initializer=_become, initargs=(self._reader,)
            )
            self._stack.callback(self._pool.shutdown, wait=True, cancel_futures=True)
        return self._pool.submit(_count, chunk)


_READER: list[Reader] = []
"""In a process that counts for another: who it reads as."""


def _become(reader: Reader) -> None:
    _READER[:] = [reader]


def _count(chunk: list[Piece]) -> Tally:
    return _READER[0].tally(chunk)


def _chunks(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    chunk: list[Piece] = []
    size = 0
    for piece in pieces:
        chunk.append(piece)
        size += len(piece.body)
        if len(chunk) >= _RECORDS or size >= _BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _refused(name: str, refused: FileRefused) -> Tally:
    counted = Tally()
    counted.add(Examined(name, None, Refused((refused.finding,))))
    return counted
