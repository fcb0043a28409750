"""Every record of some files, read and counted on all processors, in memory that does not grow with the files."""

import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
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


@dataclass(frozen=True, slots=True)
class Helpers:
    """Processes that read and count beside this one. number: how many they are."""

    executor: Executor
    number: int


@contextmanager
def helpers(reader: Reader, number: int | None = None) -> Iterator[Helpers]:
    """Start helpers, as many as there are processors without a choice, and end them. Raises PlacesError.

    To be called before a bar is drawn: where it can be, a helper is a fork of this process, which has everything read
    in already, and no thread may run while it is made. Importing it all again takes each of them seconds.
    """
    _ = reader.adapter, reader.known
    number = number or min(os.cpu_count() or 1, _PROCESSES)
    made = get_context("fork" if sys.platform == "linux" else "spawn")
    pool = ProcessPoolExecutor(number, mp_context=made, initializer=_become, initargs=(reader,))
    try:
        pool.submit(os.getpid)  # makes them now, not with the first records
        yield Helpers(pool, number)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def survey(reader: Reader, paths: Sequence[Path], told: Progress, beside: Helpers | None = None) -> Survey:
    """Read and count every record. Raises Unusable as `examine` does, and PlacesError.

    A file that is refused whole counts as one refused record: nothing of it would be taken. beside: who reads long
    files; without any, and where a file is short, they are read here.
    """
    adapter = reader.adapter
    files = [(path, name, media_type(path)) for path, name in files_of(adapter, paths)]
    counted = Tally()
    work = _Work(reader, beside)
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
    """Chunks of records, counted here while there is one, and by helpers from the second on."""

    def __init__(self, reader: Reader, beside: Helpers | None) -> None:
        self._reader = reader
        self._beside = beside

    def count(self, chunks: Iterable[list[Piece]], position: _Position) -> Tally | FileRefused:
        """All chunks of one file in their order, or why the file is refused whole, which may stand at its end."""
        counted = Tally()
        waiting: deque[Future[Tally]] = deque()
        try:
            first: list[Piece] | None = None
            for chunk in chunks:
                if self._beside is None:
                    counted.merge(self._reader.tally(chunk))
                    position(counted)
                    continue
                if first is None and not waiting:
                    first = chunk
                    continue
                if first is not None:
                    waiting.append(self._beside.executor.submit(_count, first))
                    first = None
                waiting.append(self._beside.executor.submit(_count, chunk))
                while len(waiting) > 2 * self._beside.number:  # what was read waits for whoever counts, and no more
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
