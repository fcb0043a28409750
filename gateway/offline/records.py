"""The records that lie in files, and what an agency's adapter makes of each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

from adapters.base import Accepted, Adapter, FileRefused, Finding, Held, Ignored, Level, Message, Outcome, Refused, Rows
from gateway.errors import ConfigurationError

_SUFFIXES: Final = {
    ".csv": "text/csv",
    ".edi": "application/edifact",
    ".hl7": "application/hl7-v2",
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".ndjson": "application/x-ndjson",
    ".txt": "text/plain",
    ".xml": "application/xml",
}
_LONGEST: Final = 64 * 1024 * 1024
"""The most that is read of one record. Every adapter's own bound is far below."""


class Unusable(ConfigurationError):
    """What was asked for cannot be done: no such agency or file, or a kind of file the agency does not send."""

    @classmethod
    def by_kind(cls, path: Path, adapter: Adapter) -> "Unusable":
        """A file the agency does not send, or a folder that holds none of those it sends."""
        what = "holds no file" if path.is_dir() else "is no kind of file"
        taken = adapter.records | set(adapter.files)
        endings = ", ".join(suffix for suffix, kind in _SUFFIXES.items() if kind in taken)
        return cls(f"{path} {what} that {adapter.name} sends.", f"Its files end in {endings}.")


@dataclass(frozen=True, slots=True)
class Examined:
    """One record and what became of it. file: its file's name. row: its number in a file that holds many."""

    file: str
    row: int | None
    outcome: Outcome

    @property
    def place(self) -> str:
        """Where the record stands, as a person looks for it."""
        return self.file if self.row is None else f"{self.file} row {self.row}"

    @property
    def word(self) -> str:
        """The outcome in a word, as everywhere: accepted, held, ignored or refused."""
        return type(self.outcome).__name__.lower()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Whatever was found, whatever became of the record."""
        return () if isinstance(self.outcome, Ignored) else self.outcome.findings

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of event an accepted record tells, in its order."""
        return tuple(fact.kind for fact in self.outcome.facts) if isinstance(self.outcome, Accepted) else ()

    @property
    def needs_attention(self) -> bool:
        """Whether somebody must do something about it. A warning alone asks for nothing."""
        return isinstance(self.outcome, Held | Refused) or any(f.rule.level is not Level.WARN for f in self.findings)


@dataclass(frozen=True, slots=True)
class Piece:
    """One record's bytes and where it stands: its file's name, and its row in a file that holds many."""

    file: str
    row: int | None
    body: bytes
    media_type: str


def agency_of(adapters: Mapping[str, Adapter], name: str) -> Adapter:
    """The agency's adapter. Raises Unusable, naming those there are."""
    if name not in adapters:
        raise Unusable(f"There is no agency {name!r}.", f"Choose one of: {', '.join(sorted(adapters))}.")
    return adapters[name]


def examine(adapter: Adapter, paths: Sequence[Path], received: datetime) -> Iterator[Examined]:
    """Read every record of the files, and of every file in the folders.

    received: what the adapter takes for now. Raises Unusable for a path that does not exist or a file of a kind that
    this agency does not send; in a folder, such files are passed over.
    """
    for path, name in files_of(adapter, paths):
        yield from _read(adapter, path, name, received)


def files_of(adapter: Adapter, paths: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    """The files themselves, and those of the folders, each with the name it is told under. Raises as `examine` does."""
    for path in paths:
        if path.is_dir():
            files = sorted(file for file in path.rglob("*") if file.is_file() and _taken(adapter, file))
            if not files:
                raise Unusable.by_kind(path, adapter)
            yield from ((file, str(file.relative_to(path))) for file in files)
        elif path.is_file():
            if not _taken(adapter, path):
                raise Unusable.by_kind(path, adapter)
            yield path, path.name
        else:
            raise Unusable(f"There is no file {path}.", "Name one that is there.")


def pieces_of(adapter: Adapter, file: BinaryIO, name: str, kind: str) -> Iterator[Piece]:
    """Each record of a file, in the memory of one. Raises FileRefused, possibly after records were already yielded."""
    if kind not in adapter.files:
        yield Piece(name, None, file.read(_LONGEST), kind)
        return
    for row in adapter.files[kind](file):
        yield Piece(name, row.number, row.body, row.media_type)


def media_type(path: Path) -> str:
    """What a file is, by its suffix, else by how it begins."""
    if known := _SUFFIXES.get(path.suffix.lower()):
        return known
    with path.open("rb") as file:
        beginning = file.read(512).removeprefix(b"\xef\xbb\xbf").lstrip()
    if beginning.startswith(b"<"):
        return "application/xml"
    return "application/json" if beginning.startswith((b"{", b"[")) else "text/csv"


def _taken(adapter: Adapter, path: Path) -> bool:
    return media_type(path) in adapter.records | set(adapter.files)


def _read(adapter: Adapter, path: Path, name: str, received: datetime) -> Iterator[Examined]:
    kind = media_type(path)
    if kind not in adapter.files:
        with path.open("rb") as file:
            yield Examined(name, None, adapter.read(Message(file.read(_LONGEST), kind, received)))
        return
    refused = _refused_whole(adapter.files[kind], path)
    if refused is not None:
        yield Examined(name, None, Refused((refused,)))
        return
    with path.open("rb") as file:
        for row in adapter.files[kind](file):
            yield Examined(name, row.number, adapter.read(Message(row.body, row.media_type, received)))


def _refused_whole(rows: Rows, path: Path) -> Finding | None:
    """Why a file is refused whole, if it is. What is wrong may stand at its end, after rows that look right."""
    with path.open("rb") as file:
        try:
            for _ in rows(file):
                pass
        except FileRefused as refused:
            return refused.finding
    return None
