"""The whole gateway on this machine: PostgreSQL, Kafka, and the gateway's processes between them."""

import asyncio
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import orjson
from aiokafka.admin import AIOKafkaAdminClient

from adapters.registry import TRYING
from gateway.local import case_api, kafka, postgres
from gateway.local.cast import AGENCIES, Agency, Lasars
from gateway.local.children import Child, Children, Program, answers
from gateway.local.errors import ChildDied, OtherVersionsData
from gateway.local.folder import claimed, require_room
from gateway.local.installation import Installation, environment, prepare
from gateway.local.kafka import EmbeddedKafka
from gateway.local.ports import LOOPBACK, require_free
from gateway.local.postgres import DATABASE, EmbeddedPostgres
from gateway.local.steps import Steps
from gateway.settings import Settings, Store
from gateway.store.ledger import open_engine
from gateway.store.schema import made_otherwise

SPENT = 32 << 20
"""Bytes. With less left a disk is full: PostgreSQL asks for 16 MB at a time, Kafka for 10."""

WITHIN = 60.0
"""Seconds a process of ours may take until it is ready, on a slow machine."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the processes listen. apart: LASARS that are played by a process of their own, by id."""

    intake: int
    dispatch: int
    recipients: int
    apart: Mapping[str, int] = field(default_factory=dict)

    def of(self, lasars: Lasars) -> int:
        """Where the stand-in of a LASARS listens."""
        return self.apart.get(lasars.id, self.recipients)

    def named(self) -> Iterator[tuple[str, int]]:
        """Each, with the name of who listens there."""
        yield "the gateway's API", self.intake
        yield "the gateway's dispatch", self.dispatch
        for port in {self.recipients, *self.apart.values()}:
            yield "a stand-in LASARS", port


@dataclass(frozen=True, slots=True)
class Plan:
    """What to start. fresh: forget what the last run left. changed: settings that differ from the base's, by group."""

    folder: Path
    base: Settings
    ports: Ports
    brokers: int = 1
    fresh: bool = False
    changed: Mapping[str, Any] = field(default_factory=dict)


class System:
    """A system whose PostgreSQL and Kafka run, made by `start`. It stops with the family it was started in.

    What its own methods start is not waited for, so that all of it starts side by side; `wait_until_ready` does.
    """

    def __init__(self, plan: Plan, settings: Settings, own: Installation, children: Children) -> None:
        self.plan = plan
        self.settings = settings
        self.own = own
        self.children = children
        self._starting: list[tuple[Child, str]] = []
        self._parts: dict[str, Child] = {}
        self._known = own.registered()

    @property
    def url(self) -> str:
        """Where the API is."""
        return self.settings.issuer

    def start_gateway(self) -> None:
        """Start the gateway's two processes."""
        ports = self.plan.ports
        for part, port in (("intake", ports.intake), ("dispatch", ports.dispatch)):
            self._parts[part] = self._start_part(part, port)

    @property
    def somebody_is_new(self) -> bool:
        """Whether a newcomer was registered that the gateway does not know yet."""
        return self.own.registered() != self._known

    def let_in(self) -> None:
        """Have the front door know who is registered by now: parties are read once at start, so it starts again.

        Returns once it answers. Whoever calls meanwhile tries again, as after any interruption.
        """
        self._known = self.own.registered()
        prepare(self.plan.folder, self.plan.ports.of)
        self.children.stop(self._parts["intake"])
        self._parts["intake"] = self._start_part("intake", self.plan.ports.intake)
        self.wait_until_ready()

    def play_recipients(self, cast: tuple[Lasars, ...], name: str) -> Child:
        """Start one process that plays these LASARS, all on one port. It listens once the gateway answers."""
        (port,) = {self.plan.ports.of(lasars) for lasars in cast}
        parties = [
            {
                "party": lasars.id,
                "client": lasars.id,
                "key": self.own.key(lasars.id),
                "books": str(self.own.book(lasars.id)),
                "mailbox": lasars.push is None,
            }
            for lasars in cast
        ]
        return self._play("recipient", name, port, {"gateway": self.url, "port": port, "parties": parties})

    def play_agencies(self, cast: tuple[Agency, ...], port: int) -> Child:
        """Start one process that plays these agencies, all on one port."""
        agencies = [
            {
                "agency": agency.id,
                "feed": agency.feed,
                "client": agency.id,
                "key": self.own.key(agency.id),
                "log": str(self.own.outbox(agency.id)),
                "folder": str(self.own.drop(agency.id)) if agency in AGENCIES else None,
            }
            for agency in cast
        ]
        return self._play("agency", "The agencies", port, {"gateway": self.url, "port": port, "agencies": agencies})

    def play_case_api(self, port: int) -> Child:
        """Start the process that plays probation's case API. `case_api_options` says how the gateway gets there."""
        secret = self.own.case_secret.read_text()
        told = {"port": port, "client": case_api.CLIENT, "secret": secret, "log": str(self.own.case_log)}
        return self._play("case_api", "The case API", port, told)

    def wait_until_ready(self) -> None:
        """Return once everything that was started answers. Raises ChildDied, ChildNotReady."""
        while self._starting:
            child, url = self._starting.pop(0)
            child.wait_until(answers(url), within=WITHIN)

    def _play(self, module: str, name: str, port: int, told: Mapping[str, object]) -> Child:
        stem = name.lower().replace(" ", "-")
        file = self.own.folder / "clients" / f"{stem}.settings.json"
        file.write_bytes(orjson.dumps(told))
        return self._start(name, (f"gateway.local.{module}", str(file)), stem, port, "/health")

    def _start_part(self, part: str, port: int) -> Child:
        return self._start(f"The gateway's {part}", ("gateway", part), part, port, "/health/ready")

    def _start(self, name: str, arguments: tuple[str, ...], stem: str, port: int, path: str) -> Child:
        program = Program(
            name=name,
            argv=(sys.executable, "-m", *arguments),
            log=self.own.logs / f"{stem}.log",
            env=environment(self.settings),
            folder=self.own.folder,
            patience=15.0,
        )
        child = self.children.start(program, lambda: True)
        self._starting.append((child, f"http://{LOOPBACK}:{port}{path}"))
        return child


@contextmanager
def family(data: Path, ports: Ports, steps: Steps) -> Iterator[tuple[Path, Children]]:
    """Have a data folder for ourselves, and a family of processes that is stopped at the end.

    Yields the folder's absolute path and the family. Raises FolderInUse, FolderNotWritable, DiskFull, PortInUse. Where
    a process ended because the disk is full, that is DiskFull, too.
    """
    with claimed(data) as folder, ExitStack() as stack:
        for name, port in ports.named():
            require_free(name, port)
        children = stack.enter_context(Children(steps.say))
        try:
            yield folder, children
        except KeyboardInterrupt:
            steps.fresh_line()  # a terminal writes ^C where the cursor stands
            raise
        except ChildDied:
            if shutil.disk_usage(folder).free < SPENT:
                require_room(folder)  # each process says it in words of its own, or does not get to say it
            raise
        finally:
            with steps.step("Stopping everything"):
                stack.close()


def start(children: Children, plan: Plan, steps: Steps) -> System:
    """Start PostgreSQL and Kafka, and return when they are ready. Raises LocalError.

    The caller has claimed the folder, given by its absolute path, and stops what was started with its family.
    """
    folder = plan.folder
    with steps.step("Starting PostgreSQL and Kafka"):
        broker = kafka.start(
            folder / "kafka",
            brokers=plan.brokers,
            java=plan.base.local.java,
            jar_folder=plan.base.local.kafka_jars,
            progress=steps.say,
            wait=False,
        )
        children.keep(broker)
        store = postgres.start(folder / "postgres", steps.say)
        children.keep(store)
        if plan.fresh:
            asyncio.run(_empty(store))
            for left in ("books", "drop"):
                shutil.rmtree(folder / left, ignore_errors=True)
        elif asyncio.run(_made_otherwise(store)):
            raise OtherVersionsData(folder=folder)
        broker.wait_until_ready()
        if plan.fresh:
            asyncio.run(_forget_topics(broker.bootstrap))
    own = prepare(folder, plan.ports.of)
    settings = _settings(plan, own, store, broker)
    own.remember(settings)
    return System(plan, settings, own, children)


def _settings(plan: Plan, own: Installation, store: EmbeddedPostgres, broker: EmbeddedKafka) -> Settings:
    base, ports = plan.base, plan.ports
    told = {
        "store": {"dsn": store.dsn},
        # Topics are deleted some time after they were said to be, so a fresh run has others.
        "kafka": {
            "bootstrap": broker.bootstrap,
            "prefix": f"run-{time.time_ns()}." if plan.fresh else "",
            "replicas": min(plan.brokers, 3),
        },
        "intake": {"port": ports.intake},
        "dispatch": {"port": ports.dispatch},
        "local": {"data": plan.folder, "brokers": plan.brokers},
        "parties": own.parties,
        "keys": own.keys,
        "issuer": f"http://{LOOPBACK}:{ports.intake}",
        # Here feeds are tried: a referral to any service is one to a LASARS, unless some are named.
        "adapters": {**TRYING, **base.adapters},
    }
    for group, values in (*told.items(), *plan.changed.items()):
        before = getattr(base, group)
        after = before.model_copy(update=values) if hasattr(before, "model_copy") else values
        base = base.model_copy(update={group: after})
    return base


def case_api_options(own: Installation, port: int) -> dict[str, str]:
    """The options of the probation adapter that has its pointers filled by the stand-in on that port."""
    base = f"http://{LOOPBACK}:{port}"
    return {
        "case_api": base + case_api.SECURE,
        "token_url": base + case_api.SIGN_IN,
        "client_id": case_api.CLIENT,
        "client_secret_file": str(own.case_secret),
    }


async def _made_otherwise(store: EmbeddedPostgres) -> bool:
    """Whether another version has made the gateway's tables."""
    engine = open_engine(Store(dsn=store.dsn))
    try:
        return await made_otherwise(engine)
    finally:
        await engine.dispose()


async def _empty(store: EmbeddedPostgres) -> None:
    """Make the gateway's database anew."""
    connection = await asyncpg.connect(store.dsn_of("postgres").replace("+asyncpg", ""))
    try:
        await connection.execute(f"drop database if exists {DATABASE} with (force)")
        await connection.execute(f"create database {DATABASE}")
    finally:
        await connection.close()


async def _forget_topics(bootstrap: str) -> None:
    """Delete the topics of earlier runs."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        old = [name for name in await admin.list_topics() if not name.startswith("__")]
        if old:
            await admin.delete_topics(old)
    finally:
        await admin.close()
