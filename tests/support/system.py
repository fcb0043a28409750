"""The gateway's real processes on a database and topics of the test's own: started, killed, and started again.

Started from the main thread, they end with the test run however it ends. They run on ports and with secrets that stay
the same from start to start, as a supervisor would run them.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import aiohttp
import psutil

from gateway.local import ports
from gateway.local.children import Child, Program
from gateway.local.errors import ChildDied
from gateway.local.installation import Installation, environment, prepare
from gateway.parties import Parties, load_parties
from gateway.sealing import Sealer, Secrets
from gateway.settings import Delivery, Dispatch, Drop, Intake, Kafka, Settings, Store
from tests.support import traced
from tests.support.broken import MODULE, VARIABLE
from tests.support.zygote import Forked, Zygote

Part = Literal["intake", "dispatch", "dispatch-2"]
"""A process of the gateway; `dispatch-2` is another dispatch beside the first."""

PARTS: tuple[Part, ...] = ("intake", "dispatch")

READY_WITHIN = 60.0
"""Seconds a process may take to be ready when the machine is busy."""

QUICK = Delivery(
    waits=tuple(timedelta(seconds=seconds) for seconds in (0.2, 0.5, 1.0, 2.0)),
    jitter=0.0,
    deadline=timedelta(seconds=5),
    circuit=timedelta(seconds=1),
)
"""Patience for tests: what failed is tried again within a second or two."""


class System:
    """One gateway.

    recipients: the port its recipients listen at, each under its party's id. zygote: what forks its processes; without
    one each is started from nothing.
    """

    def __init__(
        self, folder: Path, dsn: str, kafka: Kafka, recipients: int, *, zygote: Zygote | None = None, **changed: Any
    ) -> None:
        self.own: Installation = prepare(folder, lambda _: recipients)
        intake, dispatch, second = ports.free(3)
        self.ports: Mapping[Part, int] = {"intake": intake, "dispatch": dispatch, "dispatch-2": second}
        told: dict[str, Any] = {
            "store": Store(dsn=dsn),
            "kafka": kafka,
            "intake": Intake(port=intake),
            "drop": Drop(look=timedelta(seconds=0.2), quiet=timedelta(0)),
            "dispatch": Dispatch(port=dispatch, session_timeout=timedelta(seconds=6)),
            "delivery": QUICK,
            "parties": self.own.parties,
            "keys": self.own.keys,
            "issuer": f"http://{ports.LOOPBACK}:{intake}",
        }
        self.settings = Settings(**(told | changed))
        self._zygote = zygote
        self._children: dict[Part, Child | Forked] = {}

    @property
    def url(self) -> str:
        """Where the API is."""
        return self.settings.issuer

    @property
    def parties(self) -> Parties:
        """Who takes part."""
        return load_parties(self.own.parties)

    @property
    def sealer(self) -> Sealer:
        """What opens its bodies."""
        return Sealer(Secrets.read(self.own.keys).kek)

    def pid(self, part: Part) -> int:
        """The process id of a part."""
        return self._children[part].pid

    def log(self, part: Part) -> str:
        """All that a part has ever logged."""
        return (self.own.logs / f"{part}.log").read_text()

    async def start(
        self, *parts: Part, crash: str | None = None, broken: str | None = None, traces: Path | None = None
    ) -> None:
        """Start these parts side by side, both if none is named, and return when each is ready.

        crash: the failpoint of every part started. broken: which of `tests/support/broken.py` is started instead.
        traces: a folder in which each writes what it did (`tests/support/traced.py`).
        """
        module = MODULE if broken else traced.MODULE if traces else "gateway"
        for part in parts or PARTS:
            settings = self._settings_of(part).model_copy(update={"crash": crash})
            program = Program(
                name=f"The gateway's {part}",
                argv=(sys.executable, "-m", module, part.partition("-")[0]),
                log=self.own.logs / f"{part}.log",
                env=environment(settings)
                | ({VARIABLE: broken} if broken else {})
                | ({traced.VARIABLE: str(traces / f"{part}.trace")} if traces else {}),
                folder=Path(__file__).parents[2],
            )
            self._children[part] = self._zygote.fork(program) if self._zygote else Child(program)
        await asyncio.gather(*(self.ready(part) for part in parts or PARTS))

    def _settings_of(self, part: Part) -> Settings:
        if part != "dispatch-2":
            return self.settings
        second = self.settings.dispatch.model_copy(update={"port": self.ports[part], "instance": part})
        return self.settings.model_copy(update={"dispatch": second})

    async def ready(self, part: Part) -> None:
        """Return once a part says that it is ready. Raises ChildDied, TimeoutError."""
        async with aiohttp.ClientSession() as session, asyncio.timeout(READY_WITHIN):
            while not await self._says_ready(session, part):
                self._children[part].check()
                await asyncio.sleep(0.02)

    async def _says_ready(self, session: aiohttp.ClientSession, part: Part) -> bool:
        try:
            async with session.get(f"http://{ports.LOOPBACK}:{self.ports[part]}/health/ready") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    def kill(self, part: Part) -> None:
        """SIGKILL. Raises ChildDied if it had ended by itself before."""
        self._children[part].check()
        self._children[part].kill()

    async def stop(self, part: Part) -> None:
        """Ask it to stop, and return when it has."""
        self._children[part].ask_to_stop()
        async with asyncio.timeout(20):
            while self._children[part].running:
                await asyncio.sleep(0.02)
        self._children[part].stop()

    def signal(self, part: Part, number: signal.Signals) -> None:
        """Send any other signal."""
        self._children[part].check()
        os.kill(self.pid(part), number)

    async def stopped(self, part: Part, within: float = 60.0) -> None:
        """Wait until a part was stopped by SIGSTOP. Raises ChildDied, TimeoutError."""
        async with asyncio.timeout(within):
            while psutil.Process(self.pid(part)).status() != psutil.STATUS_STOPPED:
                self._children[part].check()
                await asyncio.sleep(0.02)

    async def died(self, part: Part, within: float = 60.0) -> str:
        """Wait until a part has ended by itself; how it ended ("signal SIGKILL"). Raises TimeoutError."""
        child = self._children[part]
        async with asyncio.timeout(within):
            while child.running:
                await asyncio.sleep(0.01)
        how = ""
        try:
            child.check()
        except ChildDied as death:
            how = str(death)
        child.stop()
        return how

    def check(self) -> None:
        """Raise ChildDied unless every part runs."""
        for child in self._children.values():
            child.check()

    def end_part(self, part: Part) -> None:
        """End a part at once, whether or not it has ended by itself."""
        self._children[part].kill()

    def end(self) -> None:
        """End whatever still runs, at once."""
        for child in self._children.values():
            with suppress(ProcessLookupError):
                child.kill()
