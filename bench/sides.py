"""The two things that are compared: the gateway's own processes, and the bare loop's.

Each run of a side has a database and topics of its own on the one PostgreSQL and the one Kafka both sides share.
"""

import asyncio
import os
import secrets
import sys
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from joserfc import jwt
from joserfc.jwk import OKPKey

from bench import bare
from gateway.kafka.topics import all_topics, create_topics
from gateway.local import ports
from gateway.local.children import Child, Children, Program, answers
from gateway.local.kafka import EmbeddedKafka
from gateway.local.postgres import EmbeddedPostgres
from gateway.parties import Parties, load_parties
from gateway.sealing import Secrets
from gateway.settings import Kafka, Store
from gateway.store.ledger import open_engine
from gateway.store.schema import migrate

ROOT = Path(__file__).parent.parent
AREAS = ("bracknell-forest", "enfield", "kent", "lincolnshire", "oxfordshire", "stockport", "wakefield", "wigan")
PARTITIONS = 12


@dataclass(frozen=True, slots=True)
class Services:
    """What both sides stand on. folder: for logs and settings."""

    postgres: EmbeddedPostgres
    kafka: EmbeddedKafka
    folder: Path

    def dsn(self, database: str) -> str:
        """Where a database is, as asyncpg takes it."""
        return self.postgres.dsn_of(database).replace("+asyncpg", "")

    async def execute(self, statement: str, database: str = "postgres") -> None:
        """Run one statement by itself."""
        connection = await asyncpg.connect(self.dsn(database))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    def program(self, name: str, *arguments: str, env: Mapping[str, str] | None = None) -> Program:
        """A Python program of ours, `python -m ...`."""
        return Program(
            name=name,
            argv=(sys.executable, "-m", *arguments),
            log=self.folder / f"{name.replace(' ', '-')}.log",
            env={**os.environ, **(env or {})},
            folder=ROOT,
        )


class Side(ABC):
    """One side, with a database and topics of its own."""

    name: str
    path: str
    """Where records are posted; `{person}` and `{recipients}` stand for the record's own."""

    def __init__(self, services: Services, tag: str) -> None:
        self.services = services
        self.tag = tag
        self.port = 0
        self.processes: tuple[Child, ...] = ()

    @abstractmethod
    async def prepare(self) -> None:
        """Make the database and the topics."""

    @abstractmethod
    def start(self, children: Children, sink: int) -> None:
        """Start the processes; they post to that port. Returns when they are ready."""

    @abstractmethod
    async def bearer(self) -> str:
        """An access token for the sender."""

    def stop(self, children: Children) -> None:
        """Stop the processes. The database stays, and can be started on again."""
        for child in reversed(self.processes):
            children.stop(child)
        self.processes = ()

    async def forget(self) -> None:
        """Drop the database and the topics."""
        await self.services.execute(f"drop database {self.tag} with (force)")
        admin = AIOKafkaAdminClient(bootstrap_servers=self.services.kafka.bootstrap)
        await admin.start()
        try:
            await admin.delete_topics([name for name in await admin.list_topics() if name.startswith(self.tag)])
        finally:
            await admin.close()


class Bare(Side):
    """The bare loop (bench/bare.py)."""

    name = "bare"
    path = "/{person}/{recipients}"

    async def prepare(self) -> None:
        """Two tables and two lists of what is still to do; one topic."""
        await self.services.execute(f"create database {self.tag}")
        await self.services.execute(bare.SCHEMA, self.tag)
        admin = AIOKafkaAdminClient(bootstrap_servers=self.services.kafka.bootstrap)
        await admin.start()
        try:
            await admin.create_topics([NewTopic(self.tag, PARTITIONS, 1)])
        finally:
            await admin.close()

    def start(self, children: Children, sink: int) -> None:
        """Both processes."""
        [self.port] = ports.free(1)
        told = ("--store", self.services.dsn(self.tag), "--kafka", self.services.kafka.bootstrap, "--topic", self.tag)
        self.processes = tuple(
            children.start(self.services.program(f"bare {part}", "bench.bare", part, *told, *own), ready=lambda: True)
            for part, own in (
                ("receive", ("--port", str(self.port))),
                ("deliver", ("--recipients", f"http://127.0.0.1:{sink}")),
            )
        )
        self.processes[0].wait_until(lambda: not ports.is_free(self.port))
        # The second process says nothing when its consumer has joined; three seconds are ample.
        time.sleep(3)

    async def bearer(self) -> str:
        """None is asked for; a token's bytes are sent all the same, so that both sides read as much."""
        return secrets.token_urlsafe(300)


class Gateway(Side):
    """The whole gateway, as `python -m gateway intake` and `python -m gateway dispatch`."""

    name = "gateway"
    path = "/v1/feeds/police_custody/records"

    def __init__(self, services: Services, tag: str, like: "Gateway | None" = None) -> None:
        """like: another one whose secrets this one shares, for a database copied from it."""
        super().__init__(services, tag)
        self._folder = services.folder / tag
        self._folder.mkdir()
        self._client: OKPKey = OKPKey.generate_key("Ed25519") if like is None else like._client
        self._keys = self._folder / "keys.json"
        (Secrets.generate() if like is None else Secrets.read(like._keys)).write(self._keys)

    @property
    def _kafka(self) -> Kafka:
        return Kafka(bootstrap=self.services.kafka.bootstrap, prefix=f"{self.tag}.", partitions=PARTITIONS)

    @property
    def _issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def prepare(self) -> None:
        """The schema by its migrations, the topics by the gateway's own hand."""
        await self.services.execute(f"create database {self.tag}")
        engine = open_engine(Store(dsn=self.services.postgres.dsn_of(self.tag)))
        try:
            await migrate(engine)
        finally:
            await engine.dispose()
        await self.prepare_topics()

    async def prepare_topics(self) -> None:
        """Make the topics."""
        await create_topics(self._kafka, all_topics(self._kafka, self._parties(0)))

    def start(self, children: Children, sink: int) -> None:
        """Both processes, ready by their own word."""
        self.port, dispatch = ports.free(2)
        self._parties(sink)
        env = {
            "GATEWAY_STORE__DSN": self.services.postgres.dsn_of(self.tag),
            "GATEWAY_KAFKA__BOOTSTRAP": self._kafka.bootstrap,
            "GATEWAY_KAFKA__PREFIX": self._kafka.prefix,
            "GATEWAY_KAFKA__PARTITIONS": str(PARTITIONS),
            "GATEWAY_INTAKE__PORT": str(self.port),
            "GATEWAY_DISPATCH__PORT": str(dispatch),
            # Each start is a member of its own, so that none waits for the session of the last one to end.
            "GATEWAY_DISPATCH__INSTANCE": f"dispatch-{uuid.uuid4().hex[:8]}",
            "GATEWAY_PARTIES": str(self._folder / "parties.toml"),
            "GATEWAY_KEYS": str(self._keys),
            "GATEWAY_ISSUER": self._issuer,
        }
        started = []
        for part, port in (("intake", self.port), ("dispatch", dispatch)):
            program = self.services.program(f"gateway {part}", "gateway", part, env=env)
            started.append(children.start(program, answers(f"http://127.0.0.1:{port}/health/ready")))
        self.processes = tuple(started)

    async def bearer(self) -> str:
        """Sign in as the force does (RFC 7523)."""
        now = int(time.time())
        claims = {
            "iss": "force", "sub": "force", "aud": self._issuer, "jti": secrets.token_urlsafe(), "iat": now,
            "exp": now + 120,
        }  # fmt: skip
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": jwt.encode({"alg": "Ed25519"}, claims, self._client, algorithms=["Ed25519"]),
        }
        async with httpx.AsyncClient() as client:
            answer = await client.post(f"{self._issuer}/oauth2/token", data=form)
        answer.raise_for_status()
        token: str = answer.json()["access_token"]
        return token

    def _parties(self, sink: int) -> Parties:
        """Write the parties file: one force, and the eight LASARS with their push address at the sink."""
        public = self._client.as_dict(private=False)
        text = (
            "[parties.bench-force]\nname = 'The force of the bench'\nagency = 'police_custody'\n"
            f"clients = [{{ id = 'force', keys = [{{ kty = 'OKP', crv = 'Ed25519', x = '{public['x']}' }}] }}]\n"
        )
        for number, area in enumerate(AREAS):
            text += (
                f"\n[parties.lasars-{area}]\nname = 'LASARS {area}'\nrecipient = true\nservice = 'lasars'\n"
                f"area = '{area}'\npush = {{ url = 'http://127.0.0.1:{sink}/{number}', body = 'full' }}\n"
            )
        file = self._folder / "parties.toml"
        file.write_text(text)
        return load_parties(file)


async def settle() -> None:
    """Let what the last run left behind (fsync, log cleaning) come to rest."""
    await asyncio.sleep(1)
