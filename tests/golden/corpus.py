"""What each release made of records: a corpus is a file of a release, each line a record and the events it became.

`python -m tests.golden.corpus` writes that of the version being built, from the accepted examples of
`contracts/inbound`. Once the version is released its corpus is never written again: whoever has the events of a release
knows them by these ids.
"""

import hashlib
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import orjson

from adapters.base import Accepted, Message
from adapters.registry import adapters
from gateway.intake.chain import Head, Repeat, Settling, chain
from gateway.offline.records import media_type, pieces_of
from gateway.sealing import BlindIndex
from schemas.base import Fact

HERE: Final = Path(__file__).parent
CONTRACTS: Final = HERE.parents[1] / "contracts" / "inbound"
RECEIVED: Final = datetime(2026, 11, 22, 12, tzinfo=UTC)
ADAPTERS: Final = adapters({"gp": {"lasars_services": "*"}})

# Of an installation that exists in these files alone.
NAMESPACE: Final = UUID("6f1c1a0e-4f62-5f0b-9d35-0a6f6a1d7c11")
INDEX: Final = BlindIndex(hashlib.sha256(b"the pepper of the golden corpora").digest())


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one fact: the event it is, and the keyed hashes of its fact and lane. event: None for a repeat."""

    kind: str
    change: str
    event: str | None
    fact: str
    lane: str
    version: int | None


@dataclass(frozen=True, slots=True)
class Golden:
    """One record as it came, and what it told. body: its bytes as Latin-1, which has a character for each."""

    agency: str
    place: str
    media_type: str
    body: str
    told: tuple[Told, ...]


class Book:
    """A journal in memory, in which each record is told after those before it."""

    def __init__(self) -> None:
        self._heads: dict[bytes, Head] = {}
        self._settling: dict[UUID, Settling] = {}

    def tell(self, agency: str, kind: str, body: bytes) -> tuple[Told, ...]:
        """What a record tells; nothing where it is not accepted."""
        outcome = ADAPTERS[agency].read(Message(body, kind, RECEIVED))
        return tuple(map(self._told, outcome.facts)) if isinstance(outcome, Accepted) else ()

    def _told(self, fact: Fact) -> Told:
        hour = timedelta(hours=1)
        minted = chain(fact, "golden", self._heads, self._settling, INDEX, NAMESPACE, RECEIVED, hour)
        lane = INDEX.of("lane", fact.lane).hex()
        if isinstance(minted, Repeat):
            return Told(fact.kind, "repeat", None, minted.fact.hex(), lane, fact.version)
        return Told(fact.kind, minted.change.value, str(minted.id), minted.fact.hex(), lane, fact.version)


def corpora() -> list[Path]:
    """The corpus of every release, and of the version being built."""
    return sorted(HERE.glob("*.jsonl"))


def records(corpus: Path) -> Iterator[Golden]:
    """The records of a corpus, in their order."""
    for line in corpus.read_bytes().splitlines():
        written: dict[str, Any] = orjson.loads(line)
        yield Golden(**{**written, "told": tuple(Told(**one) for one in written["told"])})


def written(golden: Iterable[Golden]) -> bytes:
    """Records as they stand in a corpus."""
    return b"".join(orjson.dumps(asdict(one), option=orjson.OPT_APPEND_NEWLINE) for one in golden)


def examples() -> Iterator[Golden]:
    """Every record of today's accepted examples that tells something."""
    book = Book()
    for agency, adapter in sorted(ADAPTERS.items()):
        for path in sorted((CONTRACTS / agency / "examples" / "accepted").iterdir()):
            with path.open("rb") as file:
                for piece in pieces_of(adapter, file, path.name, media_type(path)):
                    place = path.name if piece.row is None else f"{path.name} row {piece.row}"
                    if told := book.tell(agency, piece.media_type, piece.body):
                        yield Golden(agency, place, piece.media_type, piece.body.decode("latin-1"), told)


if __name__ == "__main__":
    name = f"{version('lasars-gateway')}.jsonl"
    (HERE / name).write_bytes(written(examples()))
    sys.stdout.write(f"tests/golden/{name}\n")
