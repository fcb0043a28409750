"""`lgw trigger` as people run it."""

import subprocess
import sys
from pathlib import Path


def lgw(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    return subprocess.run(
        [sys.executable, "-c", "from gateway.cli import main; main()", "trigger", *more],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_a_kind_that_is_none_is_a_wrong_call(tmp_path: Path) -> None:
    """2, as for any other mistake of the hand; what was probably meant is told."""
    ended = lgw(tmp_path, "custody.charge")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "There is no kind 'custody.charge'. Did you mean custody.charged?\n"


def test_no_kind_is_a_wrong_call(tmp_path: Path) -> None:
    """2, and where to look."""
    ended = lgw(tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "No kind is named. See which there are with lgw trigger --list.\n"
