"""What is posted to a gateway in one request: a record, or a batch file of many."""

import hashlib
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from adapters.base import Adapter
from gateway.offline.records import Unusable, media_type

Door = Literal["records", "files"]

_ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""No letter or digit that is read as another over the telephone."""
_CHUNK: Final = 1 << 20

STATEMENT: Final = ".statement.json"
LOGBOOK: Final = ".sending"
"""How the names end of what a send lays beside the file it sends."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One file as it is sent. sha256: of its bytes. size: in bytes. key: the message id, the same at every attempt."""

    file: Path
    door: Door
    media_type: str
    sha256: str
    size: int
    key: str


def new_batch() -> str:
    """A name for what is sent together: short enough to be said, and never used twice."""
    return "B-" + "".join(secrets.choice(_ALPHABET) for _ in range(8))


def pack(adapter: Adapter, paths: Sequence[Path], batch: str) -> list[Parcel]:
    """Every file as a parcel, in the order given; those of a folder by their names.

    A kind of file the agency sends in batches goes to the files door. Raises Unusable for a file the agency does not
    send; in a folder such files are passed over, and so is what earlier sends laid there.
    """
    found = [(path, kind) for path in paths for path, kind in _files(adapter, path)]
    return [_parcel(adapter, path, kind, f"{batch}-{number}") for number, (path, kind) in enumerate(found, start=1)]


def _files(adapter: Adapter, path: Path) -> Iterator[tuple[Path, str]]:
    sends = adapter.records | set(adapter.files)
    if path.is_dir():
        files = sorted(one for one in path.rglob("*") if one.is_file() and not one.name.endswith((STATEMENT, LOGBOOK)))
        taken = [(file, kind) for file in files if (kind := media_type(file)) in sends]
        if not taken:
            raise Unusable.by_kind(path, adapter)
        yield from taken
    elif not path.is_file():
        raise Unusable(f"There is no file {path}.", "Name one that is there.")
    elif (kind := media_type(path)) not in sends:
        raise Unusable.by_kind(path, adapter)
    else:
        yield path, kind


def _parcel(adapter: Adapter, path: Path, kind: str, key: str) -> Parcel:
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    door: Door = "files" if kind in adapter.files else "records"
    return Parcel(path, door, kind, digest.hexdigest(), size, key)
