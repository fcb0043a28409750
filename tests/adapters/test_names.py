"""Names in any script come through every door as they were written: in each format of each agency."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from adapters import claims
from adapters.base import Accepted, Message, Outcome
from adapters.registry import adapters
from gateway.offline.records import media_type, pieces_of

CONTRACTS: Final = Path(__file__).parents[2] / "contracts" / "inbound"
RECEIVED: Final = datetime(2026, 11, 22, tzinfo=UTC)
ADAPTERS: Final = adapters({"gp": {"lasars_services": "*"}})
NAMES: Final = (
    "Żółkiewska",
    "Ní Bhriain",
    "D’Arcy-Öztürk",
    "Иванов",
    "Παπαδόπουλος",
    "王",
    "الأحمد",
    "कुमार",
    "Zoe\N{COMBINING DIAERESIS}",  # two characters that other programs make one of
    "İıſß",  # letters that change when their case does
    "McKenzie van der Berg",
    "Oakenfold  Rees",
    "山田\N{IDEOGRAPHIC SPACE}太郎",
    "Le\N{NO-BREAK SPACE}Fevre",
)
_NARROW: Final = frozenset({"text/plain", "application/edifact"})
"""Formats whose character sets have the letters of some scripts only."""
_ODD: Final = (claims.MARKED_MIG_ERROR, claims.MARKED_NO_SHOW, claims.MARKED_DUPLICATE, claims.NAME_NOT_ENTERED)


def surnames(outcome: Outcome) -> list[str]:
    """The surnames that are told of a record in which no name is odd."""
    if not isinstance(outcome, Accepted) or any(finding.rule in _ODD for finding in outcome.findings):
        return []
    events = [fact.event for fact in outcome.facts]
    return [event.person.name.surname for event in events if event and event.person.name and event.person.name.surname]


def examples() -> Iterator[tuple[str, str, bytes, str]]:
    """Of each agency and format one record: the agency, the media type, the bytes and the surname in them."""
    seen = set()
    for agency, adapter in ADAPTERS.items():
        for path in sorted((CONTRACTS / agency / "examples" / "accepted").iterdir()):
            with path.open("rb") as file:
                pieces = list(pieces_of(adapter, file, path.name, media_type(path)))
            for piece in pieces:
                told = surnames(adapter.read(Message(piece.body, piece.media_type, RECEIVED)))
                fits = told and piece.body.count(told[0].encode()) == 1 and piece.media_type not in _NARROW
                if fits and (agency, piece.media_type) not in seen:
                    seen.add((agency, piece.media_type))
                    yield agency, piece.media_type, piece.body, told[0]


EXAMPLES: Final = tuple(examples())


def test_every_agency_is_looked_at() -> None:
    """Each with each of its formats that has room for any script."""
    assert {agency for agency, *_ in EXAMPLES} == set(ADAPTERS)
    assert len(EXAMPLES) >= 9


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("agency", "kind", "body", "surname"), EXAMPLES, ids=[f"{agency}-{kind}" for agency, kind, *_ in EXAMPLES]
)
def test_a_name_is_told_as_it_was_written(agency: str, kind: str, body: bytes, surname: str, name: str) -> None:
    """No letter, accent, case or blank of it is changed, and nothing is said of it."""
    adapter = ADAPTERS[agency]
    assert surnames(adapter.read(Message(body.replace(surname.encode(), name.encode()), kind, RECEIVED)))[0] == name
