"""The family of processes of a local system, and what is said of its end."""

import io
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest
from rich.console import Console

from gateway.local import ports
from gateway.local.errors import ChildDied, DiskFull
from gateway.local.steps import Steps
from gateway.local.system import SPENT, Ports, family


class Usage(NamedTuple):
    """Of a disk, in bytes."""

    total: int
    used: int
    free: int


def ended(data: Path) -> None:
    """A family one of whose processes has ended by itself."""
    steps = Steps(Console(file=io.StringIO()))
    intake, dispatch, recipients = ports.free(3)
    with family(data, Ports(intake, dispatch, recipients), steps) as (folder, _):
        raise ChildDied(name="Kafka", how="exit code 1", log=folder / "kafka.log", last_words="java.io.IOException")


def test_a_process_that_a_full_disk_ended_is_told_as_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person reads how much room is missing, and not what Java calls it."""
    free = iter([1 << 30, SPENT - 1, SPENT - 1])
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1 << 40, 0, next(free)))
    with pytest.raises(DiskFull, match=r"has 31 MB left, and at least 200 MB are needed"):
        ended(tmp_path)


def test_a_process_that_ended_for_another_reason_is_named(tmp_path: Path) -> None:
    """With room on the disk it is its own last words that are told."""
    with pytest.raises(ChildDied, match=r"Kafka has ended by itself"):
        ended(tmp_path)
