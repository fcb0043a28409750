"""The gateway, writing down every side effect and every failpoint it comes past, and in which task.

`TRACE=file` with the arguments of `python -m gateway`. What it does to others is seen where our code hands it over: a
commit to PostgreSQL, a record or an offset to Kafka, a request or an answer to HTTP, a change of a sender's folder.
"""

import asyncio
import json
import os
import re
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Final, TextIO

VARIABLE: Final = "TRACE"
MODULE: Final = "tests.support.traced"

_CHANGES: Final = re.compile(
    r"\b(?:insert\s+into|update|delete\s+from)\s+\"?(?!set\b|of\b|skip\b)([a-z_]+)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Done:
    """One thing a task did: reached a point ("I1"), or had an effect ("commit records")."""

    task: str
    point: bool
    what: str


def read(file: Path) -> Iterator[Done]:
    """What a process has written down."""
    with file.open() as lines:
        for line in lines:
            yield Done(**json.loads(line))


class Trace:
    """Writes it down, in order."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._changed: dict[int, list[str]] = {}

    def point(self, name: str) -> None:
        """A failpoint was reached."""
        self._write(True, name)

    def effect(self, what: str) -> None:
        """Something was handed over."""
        self._write(False, what)

    def statement(self, session: int, sql: str, *, alone: bool) -> None:
        """A statement that changes something: an effect if it is alone, else of the transaction of its session."""
        tables = [found[1].lower() for found in _CHANGES.finditer(sql)]
        if not tables:
            return
        if alone:
            self.effect(f"commit {tables[0]}")
        else:
            self._changed.setdefault(session, []).extend(tables)

    def ended(self, session: int, *, well: bool) -> None:
        """The transaction of a session ended."""
        tables = self._changed.pop(session, [])
        if tables and well:
            self.effect(f"commit {tables[0]}")

    def _write(self, point: bool, what: str) -> None:
        task = asyncio.current_task()
        told = {"task": task.get_name() if task else "", "point": point, "what": what}
        self._out.write(json.dumps(told) + "\n")


def _before(owner: Any, name: str, tell: Callable[..., None]) -> None:
    """Have it told before this method is awaited."""
    real: Callable[..., Awaitable[Any]] = getattr(owner, name)

    @wraps(real)
    async def told(self: Any, *given: Any, **named: Any) -> Any:
        tell(self, *given, **named)
        return await real(self, *given, **named)

    setattr(owner, name, told)


def _watch_postgres(trace: Trace) -> None:
    from sqlalchemy import Engine, event

    from gateway.store.session import Session

    def driver(session: Session) -> Any:
        return session._driver

    def alone(session: Session) -> bool:
        return not driver(session).is_in_transaction()

    def statement(session: Session, asked: Any, *_: Any) -> None:
        trace.statement(id(driver(session)), asked.sql, alone=alone(session))

    def control(session: Session, text: str) -> None:
        if text in ("commit", "rollback"):
            trace.ended(id(driver(session)), well=text == "commit")

    _before(Session, "rows", statement)
    _before(Session, "run", statement)
    _before(Session, "_control", control)

    def through_sqlalchemy(connection: Any, _cursor: Any, sql: str, *_: Any) -> None:
        options = connection.get_execution_options()
        trace.statement(id(connection), sql, alone=options.get("isolation_level") == "AUTOCOMMIT")

    event.listen(Engine, "before_cursor_execute", through_sqlalchemy)
    event.listen(Engine, "commit", lambda connection: trace.ended(id(connection), well=True))
    event.listen(Engine, "rollback", lambda connection: trace.ended(id(connection), well=False))


def _watch_kafka(trace: Trace) -> None:
    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

    _before(AIOKafkaProducer, "send", lambda _, topic, *__, **___: trace.effect("produce"))
    _before(AIOKafkaConsumer, "commit", lambda *_: trace.effect("commit offsets"))


def _watch_http(trace: Trace) -> None:
    import aiohttp
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

    def answered(cycle: Any, message: Any) -> None:
        if message["type"] == "http.response.start":
            trace.effect("answer")

    _before(aiohttp.ClientSession, "_request", lambda *_, **__: trace.effect("request"))
    _before(RequestResponseCycle, "send", answered)


def _watch_folders(trace: Trace) -> None:
    from gateway.intake.folder import Folder

    real = asyncio.to_thread
    changes = {Folder.claim, Folder.lay, Folder.settle}

    async def to_thread(work: Any, /, *given: Any, **named: Any) -> Any:
        if getattr(work, "__func__", None) in changes:
            trace.effect(f"folder {work.__name__}")
        return await real(work, *given, **named)

    asyncio.to_thread = to_thread


def main(argv: list[str]) -> int:
    """Watch, and run."""
    from gateway import failpoints
    from gateway.__main__ import main as run

    with open(os.environ.pop(VARIABLE), "w", buffering=1) as out:
        trace = Trace(out)
        failpoints.watch(trace.point)
        for watch in (_watch_postgres, _watch_kafka, _watch_http, _watch_folders):
            watch(trace)
        return run(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
