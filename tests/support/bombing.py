"""What each bomb costs each parser of an agency, in a process forked for it alone.

`python -m tests.support.bombing AGENCY` writes a line of JSON for each: parser, bomb, what came of it, seconds of work
and bytes the process grew by at most.
"""

import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path

from typing_extensions import Buffer

from adapters.base import Adapter
from tests.support.bombs import bombs, segment_bombs
from tests.support.parsers import Parser, parsers, registered, seeds

MOST = 256 << 20
"""Bytes of one line; a file may be four times that."""

HANGS_AFTER = 10
"""Seconds of work after which a process is ended."""


class Endless(BytesIO):
    """A file made while it is read, so that only its parser holds any of it: a beginning, and then one long line."""

    def __init__(self, head: bytes, size: int) -> None:
        super().__init__(head)
        self._left = size

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes; a reader that asks for everything gets everything."""
        told = super().read(size)
        want = self._left if size is None or size < 0 else min(size - len(told), self._left)
        self._left -= want
        return told + b"a" * want

    read1 = read

    def readline(self, size: int | None = -1, /) -> bytes:
        """The next line, or as much of it as is asked for."""
        return super().readline(size) or self.read(size)

    def readinto(self, buffer: Buffer, /) -> int:
        """As `read`, into what is handed over."""
        view = memoryview(buffer).cast("B")
        told = self.read(len(view))
        view[: len(told)] = told
        return len(told)

    def __next__(self) -> bytes:
        if line := self.readline():
            return line
        raise StopIteration


def spent(work: Callable[[], str]) -> dict[str, object]:
    """Do this in a process of its own; what came of it, and what it cost."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (HANGS_AFTER, HANGS_AFTER))
        os.close(reading)
        os.write(writing, json.dumps(_measured(work)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as told:
        answer = told.read()
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return {"came": f"died of {signal.Signals(os.WTERMSIG(status)).name}", "seconds": HANGS_AFTER, "bytes": 0}
    return dict(json.loads(answer))


def _measured(work: Callable[[], str]) -> dict[str, object]:
    # What was used before counts for nothing: a process that is forked begins with its parent's pages and no time.
    before = peak()
    try:
        came = work()
    except BaseException as error:
        came = f"raised {type(error).__name__}"
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {"came": came, "seconds": used.ru_utime + used.ru_stime, "bytes": peak() - before}


def peak() -> int:
    """The most memory this process ever had at once (bytes)."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) << 10


def main(agency: str) -> None:
    """Give every bomb to every parser of an agency."""
    adapter = registered()[agency]
    for parser in parsers(agency, adapter):
        for seed in seeds(agency):  # what is made at the first use is no bomb's doing
            parser.run(adapter, seed)
        for name, body in (*bombs(), *segment_bombs()):
            _tell(parser, name, spent(partial(parser.run, adapter, body)))
        if parser.door == "file":
            for name, head in (("one line", b""), ("one line after a header", _header(parser, adapter))):
                _tell(parser, name, spent(partial(_name_of, parser, adapter, head)))


def _name_of(parser: Parser, adapter: Adapter, head: bytes) -> str:
    """What comes of a file that begins well and then has one line as long as a file may be."""
    return parser.cut(adapter, lambda: Endless(head, MOST))[0]


def _header(parser: Parser, adapter: Adapter) -> bytes:
    """The first line of an example that this parser cuts into rows, or an empty one where there is none."""
    good = (seed for seed in seeds(parser.agency) if parser.cut(adapter, lambda: BytesIO(seed))[0] == "rows")  # noqa: B023
    return next(good, b"\n").splitlines(keepends=True)[0]


def _tell(parser: Parser, bomb: str, cost: dict[str, object]) -> None:
    print(json.dumps({"parser": parser.name, "bomb": bomb, **cost}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
