"""A session in which a test lets a personal value slip fails, and says where."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

CONFTEST = """
from tests.support.overheard import Session

def pytest_configure(config):
    config.option.log_level = "WARNING"
    config.pluginmanager.register(Session(), "canaries")
"""
TEST = """
import logging
import warnings
from gateway import telemetry
from tests.support.canary import EVERYBODY

WHO = EVERYBODY.person(12)

def test_it():
    {slip}
"""
SLIPS = {
    "our own line": ('telemetry.log.debug("a.thing", reason=WHO.surname)', "our log lines"),
    "a library": ('logging.getLogger("a.library").debug("about %s", WHO.noms)', "a library's own words"),
    "what is printed": ("print(WHO.pnc)", "Captured stdout call"),
    "the metrics": ('telemetry.quarantined.labels(WHO.street.replace(" ", "-")).inc()', "the metrics"),
    "nothing": ('telemetry.log.debug("a.thing", count=12)', None),
}


def session(folder: Path, slip: str) -> subprocess.CompletedProcess[str]:
    """A session of its own, with one test that does this."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_it.py").write_text(TEST.format(slip=slip))
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder), str(folder)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("slip", SLIPS)
def test_what_slips_fails_the_session(tmp_path: Path, slip: str) -> None:
    """Though every test of it passed; and the failure does not repeat the value."""
    said, place = SLIPS[slip]
    done = session(tmp_path, said)
    assert "1 passed" in done.stdout
    assert done.returncode == (0 if place is None else 1)
    assert (f"LEAKED {place}" in done.stdout) == (place is not None)
    assert "Qxv" not in done.stdout


def test_an_undeclared_key_raises(tmp_path: Path) -> None:
    """In tests a line with a key that is on no list is a failure where it is written."""
    done = session(tmp_path, 'telemetry.log.debug("a.thing", surname="x")')
    assert "UndeclaredKey: surname" in done.stdout
