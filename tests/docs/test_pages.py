"""What the pages point at is there."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from schemas.place_files import load_places
from tests.adapters import test_conformance
from tests.docs.reference import ROOT

FOLDERS = ("docs", "contracts", "adapters", "deploy")
PAGES = sorted([*ROOT.glob("*.md"), *(page for folder in FOLDERS for page in (ROOT / folder).rglob("*.md"))])
DECISIONS = ROOT / "contracts" / "decisions"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link and picture of a page names a file of this repository."""
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    missing = [target for target in targets if ":" not in target and not (page.parent / target).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_named_are_there(page: Path) -> None:
    """A page that names one of our files names one that exists. NAME stands for an agency that is yet to come."""
    named = set(re.findall(r"`((?:tests|gateway|adapters|schemas|contracts|deploy|docs)/[\w./-]+)`", page.read_text()))
    assert {name for name in named if "NAME" not in name and not (ROOT / name).exists()} == set()


def test_postcodes_told_to_newcomers_are_in_the_table() -> None:
    """Where home is can be told of every example that somebody who connects an agency begins with."""
    contracts = ROOT / "contracts"
    template = (contracts / "inbound" / "_template" / "examples").rglob("*")
    events = [*(contracts / "canonical").glob("*.json"), ROOT / "schemas" / "example.py"]
    files = [*(ROOT / "docs").rglob("*.md"), *(file for file in template if file.is_file()), *events]
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    told = {one for one in re.findall(r"\b[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}\b", text) if not one.startswith("ZZ99 ")}
    places = load_places(ROOT / "deploy" / "areas")
    assert told
    assert told - places.postcodes.keys() == set()


def test_decisions_have_one_number_each_and_stand_in_the_index() -> None:
    """A number names one page for ever, and the index lists every page under its number."""
    pages = sorted(path.name for path in DECISIONS.glob("0*.md"))
    assert len({name[:4] for name in pages}) == len(pages)
    index = (DECISIONS / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"\[\d{4}\]\(([^)]+)\)", index) == pages
    for name in pages:
        assert (DECISIONS / name).read_text(encoding="utf-8").startswith(f"# {name[:4]} ")


def test_every_clause_is_proved_and_every_proof_is_a_clause() -> None:
    """Certification names each test of the conformance suite once, and no other."""
    clauses = (ROOT / "contracts" / "CERTIFICATION.md").read_text(encoding="utf-8")
    proofs = re.findall(r"^\| \d\.\d \|.*\| `(test_\w+)` \|$", clauses, re.MULTILINE)
    suite = [name for name in vars(test_conformance) if name.startswith("test_")]
    assert sorted(proofs) == sorted(suite)


def test_the_list_of_commands_fits_a_terminal() -> None:
    """In 80 columns every command's sentence is read whole, and nothing is wider."""
    _, _, told = CliRunner().invoke(app, ["--help"], terminal_width=80).output.partition("Commands:")
    assert "verify-signature" in told
    assert [line for line in told.splitlines() if line.endswith("...") or len(line) > 80] == []


def test_every_page_with_commands_is_run() -> None:
    """A page that has something to type, or a program, is one that tests/docs/test_commands.py types or runs."""
    docs = ROOT / "docs"
    commands = (Path(__file__).parent / "test_commands.py").read_text(encoding="utf-8")
    told = {page for page in docs.rglob("*.md") if re.search(r"^```(sh|python|js)$", page.read_text(), re.MULTILINE)}
    assert {str(page.relative_to(docs)) for page in told} - set(re.findall(r'"([\w/.-]+\.md)"', commands)) == set()


def test_every_page_stands_in_the_index() -> None:
    """The documentation's first page leads to each of the others."""
    docs = ROOT / "docs"
    index = (docs / "README.md").read_text(encoding="utf-8")
    pages = {str(page.relative_to(docs)) for page in docs.rglob("*.md")} - {"README.md"}
    assert pages - set(re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", index)) == set()


def test_every_command_stands_in_the_readme() -> None:
    """The README's table has each command of lgw once, and none that does not exist."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`lgw .*?) \|", readme, re.MULTILINE)
    named = re.findall(r"`lgw ([\w-]+)`", " ".join(rows))
    commands = [one.name or one.callback.__name__ for one in app.registered_commands if one.callback]
    assert sorted(named) == sorted([*commands, *(str(group.name) for group in app.registered_groups)])
