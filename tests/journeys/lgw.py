"""`lgw` run as people run it: a process of its own, whose words are read as they come."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

PATIENCE = 240.0
"""Seconds a command may take in all, on a machine busy with other tests."""


class Lgw:
    """One command that runs. said: its lines so far."""

    def __init__(self, *arguments: str | Path, env: Mapping[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from gateway.cli import main; main()", *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **(env or {})},
        )
        self.said: list[str] = []

    def until(self, words: str) -> str:
        """The line that says this. Raises AssertionError if the command ends without saying it."""
        for line in self._lines():
            if words in line:
                return line
        raise AssertionError(f"{words!r} was never said; but: {self.said}")

    def family(self) -> list[psutil.Process]:
        """All processes it has started, and those they have."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def interrupt(self) -> None:
        """Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def enter(self) -> None:
        """Press Enter."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def ends(self) -> int:
        """Its exit code, once it has ended."""
        for _ in self._lines():
            pass
        return self.process.wait(PATIENCE)

    def _lines(self) -> Iterator[str]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.rstrip("\n"))
            yield self.said[-1]


@contextmanager
def lgw(*arguments: str | Path, env: Mapping[str, str] | None = None) -> Iterator[Lgw]:
    """Run a command; whatever is left of it in the end is stopped."""
    command = Lgw(*arguments, env=env)
    try:
        yield command
    finally:
        if command.process.poll() is None:
            command.interrupt()
            command.ends()
        assert command.process.stdin is not None
        assert command.process.stdout is not None
        command.process.stdin.close()
        command.process.stdout.close()
