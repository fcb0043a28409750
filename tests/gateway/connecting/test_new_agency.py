"""A new agency is made from the template, works at once, and overwrites nothing."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.connecting.new_agency import GENERATED, plan
from gateway.errors import ConfigurationError

ROOT = Path(__file__).parents[3]
NAME = "zither_quartet"
"""A name that no agency will ever want."""
COPIED = (
    "adapters",
    "contracts",
    "docs",
    "schemas",
    "gateway",
    "tests",
    "deploy",
    "changelog.d",
    "pyproject.toml",
    "Makefile",
)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of this one."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            shutil.copy(ROOT / name, folder / name)
    return folder


def run(checkout: Path, *words: str) -> tuple[int, str]:
    """Run a module in a checkout; its exit code and what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=checkout,
        env=os.environ | {"PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_longest_name_is_still_well_formed(checkout: Path) -> None:
    """No line of what is made becomes too long, or is broken otherwise, by the agency's name."""
    name = "z" * 30
    plan(checkout, name).write(checkout)
    made = [f"adapters/{name}", f"tests/adapters/{name}", "adapters/registry.py"]
    for words in (["check"], ["format", "--check"]):
        code, said = run(checkout, "ruff", *words, *made)
        assert code == 0, said


@pytest.mark.slow
def test_what_is_made_passes_all_but_what_its_author_must_write(checkout: Path) -> None:
    """Lint, types, rule list, certification, mutations and agreement hold at once; the empty README is named."""
    plan(checkout, NAME).write(checkout)
    assert run(checkout, "adapters.rulebook")[0] == 0
    made = [f"adapters/{NAME}", f"tests/adapters/{NAME}"]
    for words in (
        ["ruff", "check", "adapters/registry.py", *made],
        ["ruff", "format", "--check", "adapters/registry.py", *made],
        ["mypy", *made],
        ["adapters.rulebook", "--check"],
    ):
        code, said = run(checkout, *words)
        assert code == 0, said
    suites = [
        "tests/adapters/test_conformance.py",
        "tests/adapters/mutations",
        f"tests/adapters/{NAME}",
        "tests/gateway/addressing/test_disclosure.py",
    ]
    _, said = run(
        checkout,
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        *suites,
        "-k",
        f"{NAME} or series or no_list or every_agency",
    )
    failed = re.findall(r"^FAILED \S+::(\S+)", said, re.MULTILINE)
    assert failed == [f"test_readme_has_its_headings_filled_in[{NAME}]"], said
    assert re.search(r"1 failed, \d\d+ passed", said)


def test_what_is_still_the_templates_is_named(checkout: Path) -> None:
    """The command lists every file it wrote, the list of rules too, and which of them nobody can leave as they are."""
    done = CliRunner().invoke(app, ["new-agency", NAME, "--into", str(checkout)])
    assert done.exit_code == 0, done.output
    said = done.output
    agency = plan(ROOT, NAME)
    for path in (*agency.changed, *GENERATED.values()):
        assert f"changed  {path}" in said
    assert {agency.agreement, agency.fragment} <= agency.files.keys()
    todo = said.partition("make it")[2]
    assert all(str(path) in todo for path in (agency.agreement, agency.fragment))


def test_every_trace_of_the_template_is_gone(checkout: Path) -> None:
    """Nothing that is made speaks of a template."""
    for path, text in plan(checkout, NAME).files.items():
        assert "template" not in f"{path} {text}".casefold(), path


@pytest.mark.parametrize("name", ["Housing", "9lives", "two__scores", "class", "a-b", "../up", "", "x" * 31])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    """With a sentence that says what a name is; nothing is written."""
    with pytest.raises(ConfigurationError, match="cannot be an agency's name"):
        plan(ROOT, name)


@pytest.mark.parametrize("name", ["prison", "claims", "base", "hmpps"])
def test_a_name_that_is_taken_is_refused(name: str) -> None:
    """An agency's, and that of any module beside them."""
    with pytest.raises(ConfigurationError, match="is taken"):
        plan(ROOT, name)


def test_making_it_twice_overwrites_nothing(checkout: Path) -> None:
    """What its author has written stays."""
    plan(checkout, NAME).write(checkout)
    codes = checkout / "adapters" / NAME / "codes.py"
    codes.write_text("MINE = 1\n")
    with pytest.raises(ConfigurationError, match="is taken"):
        plan(checkout, NAME)
    assert codes.read_text() == "MINE = 1\n"


def test_only_a_checkout_gets_an_agency(tmp_path: Path) -> None:
    """A folder that holds no gateway is named, and stays empty."""
    with pytest.raises(ConfigurationError, match="no checkout"):
        plan(tmp_path, NAME)
    assert not any(tmp_path.iterdir())
