"""The reference pages say what the code says."""

import re
import tomllib

import pytest
from sqlalchemy import CheckConstraint

from gateway.addressing.recipients import Nobody, Waits
from gateway.store import tables
from tests.docs.reference import FOLDER, PAGES, ROOT


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_what_the_code_says(name: str) -> None:
    """A page that lags behind the code is named; `python -m tests.docs.reference` writes it again."""
    assert (FOLDER / name).read_text(encoding="utf-8") == PAGES[name]()


def states(table: str) -> set[str]:
    """The states that a table's rows may have."""
    (constraint,) = (
        each
        for each in tables.metadata.tables[table].constraints
        if isinstance(each, CheckConstraint) and str(each.sqltext).startswith("state in")
    )
    return set(re.findall(r"'(\w+)'", str(constraint.sqltext)))


def section(heading: str) -> str:
    """One section of the page of states."""
    page = (FOLDER / "states.md").read_text(encoding="utf-8")
    return re.split(r"^## ", page.split(f"\n## {heading}\n")[1], maxsplit=1, flags=re.MULTILINE)[0]


@pytest.mark.parametrize(
    ("heading", "table"), [("Records", "records"), ("Events", "decisions"), ("Deliveries", "deliveries")]
)
def test_every_state_is_explained(heading: str, table: str) -> None:
    """The page names exactly the states that the ledger of this name knows."""
    assert set(re.findall(r"^\| `(\w+)` \|", section(heading), re.MULTILINE)) == states(table)


def test_every_reason_of_addressing_is_explained() -> None:
    """Why nobody is told, and why something is held."""
    assert {reason.value for reason in Nobody} <= set(re.findall(r"`(\w+)`", section("Events")))
    assert {reason.value for reason in Waits} <= set(re.findall(r"`(\w+)`", section("Why something is held")))


def test_the_changelog_is_for_the_version_that_is_built() -> None:
    """One version, wherever it stands."""
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert told["tool"]["towncrier"]["version"] == told["project"]["version"]
