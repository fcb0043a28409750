"""How far something is, told on stderr: a bar where somebody looks, else a line every five seconds."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

_EVERY: Final = 5.0
"""Seconds between lines."""

Told = Callable[[int, Mapping[str, int]], None]
"""Called with the bytes done in all, and counts by their names."""


@contextmanager
def meter(what: str, total: int, *, quiet: bool = False) -> Iterator[Told]:
    """Tell how far it is. total: in bytes. Yields what to call as it goes on."""
    if quiet:
        yield lambda _done, _counts: None
    elif sys.stderr.isatty():
        yield from _bar(what, total)
    else:
        yield _Lines(what, total)


def _bar(what: str, total: int) -> Iterator[Told]:
    columns = (
        TextColumn(what),
        BarColumn(bar_width=24),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[counts]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(what, total=total, counts="")

        def told(done: int, counts: Mapping[str, int]) -> None:
            progress.update(task, completed=done, counts=_words(counts))

        yield told


class _Lines:
    """Tells by lines, and not too often."""

    def __init__(self, what: str, total: int) -> None:
        self._what = what
        self._total = total
        self._last = time.monotonic()

    def __call__(self, done: int, counts: Mapping[str, int]) -> None:
        now = time.monotonic()
        if now - self._last >= _EVERY:
            self._last = now
            share = 100 * done // self._total if self._total else 100
            print(f"{self._what}  {share} %   {_words(counts)}", file=sys.stderr, flush=True)  # noqa: T201


def _words(counts: Mapping[str, int]) -> str:
    return "  ".join(f"{name} {count:,}" for name, count in counts.items() if count)
