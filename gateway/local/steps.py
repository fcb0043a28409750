"""What is being done, told while it takes its time: a line a step, with its seconds once it is done."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

_SHOWN_FROM = 1.0
"""Seconds. A shorter step tells no time."""


class Steps:
    """Writes steps to a console; one at a time."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._open = False

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Tell what is being done, and how long it took if that was over a second."""
        began = time.monotonic()
        self._write(f"  {what} ...")
        try:
            yield
        except BaseException:
            self._end("")
            raise
        took = time.monotonic() - began
        self._end(f" {took:.1f} s" if took >= _SHOWN_FROM else "")

    def say(self, what: str) -> None:
        """Tell something that happens within the step."""
        self._end("")
        self._write(f"    {what} ...")

    def fresh_line(self) -> None:
        """Go on at the beginning of a line."""
        self._console.print()
        self._open = False

    def _write(self, text: str) -> None:
        self._console.print(Text(text, style="dim"), end="", soft_wrap=True)
        self._open = True

    def _end(self, text: str) -> None:
        if self._open or text:
            self._console.print(Text(text, style="dim"))
        self._open = False
