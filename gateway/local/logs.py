"""The logs of our children: one file each, kept small, and searched for the reason of a death."""

import os
import re
from pathlib import Path
from typing import BinaryIO

TAIL = 16_384
"""Bytes at the end of a log that are searched for the reason of a death."""
ERROR = re.compile(r"\b(ERROR|FATAL|PANIC)\b|\b\w*(Error|Exception)\b")
STACK_FRAME = re.compile(r"at |\.\.\. ")
LIMIT = 10 << 20
"""Bytes. A log longer than this is put aside (.1) at the next start, so that a folder in use for months stays small."""


def opened(log: Path) -> BinaryIO:
    """The log, to be added to."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > LIMIT:
        log.replace(log.with_name(log.name + ".1"))
    return log.open("ab")


def last_words(log: Path, begins: int = 0) -> str:
    """The line of a log that tells most about its end: the last that speaks of an error, else the last of all.

    Without the full stop, as part of a sentence.

    begins: where this run's part of the log begins; what earlier runs said explains nothing.
    """
    try:
        with log.open("rb") as file:
            file.seek(max(begins, file.seek(0, os.SEEK_END) - TAIL))
            lines = [line.strip() for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    except OSError:
        lines = []
    told = [line for line in lines if not STACK_FRAME.match(line)]
    errors = [line for line in told if ERROR.search(line)]
    return (errors or told or ["none"])[-1][:300].removesuffix(".")
