"""A front door to knock at: senders and a LASARS with keys of their own, a clock that stands, a journal in memory."""

import asyncio
import secrets
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.base import Adapter
from adapters.registry import adapters as every_adapter
from gateway.access.caller import Access
from gateway.access.tokens import Tokens
from gateway.intake.door import Limits
from gateway.intake.entry import Clash, Entry, Taken
from gateway.intake.http import build_app
from gateway.intake.journal import Journal
from gateway.intake.record import Commits
from gateway.intake.refusals import Refusal
from gateway.parties import Client, Parties, Party
from gateway.sealing import BlindIndex, Sealer, Secrets
from gateway.settings import Intake, Settings

EXAMPLES = Path(__file__).parents[2] / "contracts" / "inbound"
ISSUER = "http://gateway.test"
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SECRETS = Secrets.generate()
ADAPTERS: Mapping[str, Adapter] = every_adapter()


@dataclass
class Standing:
    """A clock that stands until it is moved."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def move(self, by: timedelta) -> None:
        """Let time pass."""
        self.now += by


STILL = Standing()


@dataclass(frozen=True)
class Signer:
    """A client with its private key. algorithm: the name it writes into its assertions' headers."""

    id: str
    key: OKPKey | ECKey
    algorithm: str
    kid: str | None = None

    def public(self) -> dict[str, Any]:
        """What is registered of it."""
        return {**self.key.as_dict(private=False), **({"kid": self.kid} if self.kid else {})}

    def claims(self, now: datetime = NOW, **changed: Any) -> dict[str, Any]:
        """The claims of a good assertion, but for what is changed; None leaves a claim out."""
        told = {
            "iss": self.id,
            "sub": self.id,
            "aud": ISSUER,
            "iat": int(now.timestamp()),
            "exp": int(now.timestamp()) + 60,
            "jti": secrets.token_urlsafe(8),
        }
        return {name: value for name, value in (told | changed).items() if value is not None}

    def assertion(self, now: datetime = NOW, header: Mapping[str, Any] | None = None, **changed: Any) -> str:
        """A signed assertion."""
        head = {"alg": self.algorithm, **({"kid": self.kid} if self.kid else {}), **(header or {})}
        return jwt.encode(head, self.claims(now, **changed), self.key, algorithms=[head["alg"]])


FORCE = Signer("met-police.custody", OKPKey.generate_key("Ed25519"), "Ed25519", kid="2026")
OTHER_FORCE = Signer("gmp.custody", ECKey.generate_key("P-256"), "ES256")
PRISON = Signer("hmp.events", OKPKey.generate_key("Ed25519"), "Ed25519")
PRACTICE = Signer("heaton-moor.practice", OKPKey.generate_key("Ed25519"), "Ed25519")
OTHER_PRACTICE = Signer("mesnes.practice", OKPKey.generate_key("Ed25519"), "Ed25519")
STOCKPORT = Signer("stockport.lasars", OKPKey.generate_key("Ed25519"), "Ed25519")


def party(party_id: str, client: Signer, **told: Any) -> Party:
    """A party with one client."""
    return Party(id=party_id, name=party_id, clients=(Client(id=client.id, keys=(client.public(),)),), **told)


PARTIES = Parties(
    (
        party("met-police", FORCE, agency="police_custody"),
        party("gmp", OTHER_FORCE, agency="police_custody"),
        party("hmpps", PRISON, agency="prison"),
        party("heaton-moor", PRACTICE, agency="gp"),
        party("mesnes", OTHER_PRACTICE, agency="gp"),
        party("lasars-stockport", STOCKPORT, recipient=True, service="lasars", area="stockport"),
    )
)


def token(signer: Signer = FORCE, now: datetime = NOW) -> str:
    """An access token of this gateway for a client."""
    return Tokens(SECRETS.tokens, ISSUER).issue(signer.id, now.timestamp())


def bearer(signer: Signer = FORCE, now: datetime = NOW) -> dict[str, str]:
    """The header a signed-in client sends."""
    return {"authorization": f"Bearer {token(signer, now)}"}


def access(clock: Callable[[], datetime] = STILL) -> Access:
    """Who is calling, among the parties of this module."""
    return Access(Tokens(SECRETS.tokens, ISSUER), PARTIES, clock)


@dataclass
class FakeJournal:
    """Commits to memory. waiting can be set; fails raises what it holds."""

    waiting: int = 0
    fails: Exception | None = None
    entries: list[Entry] = field(default_factory=list)
    _known: dict[tuple[str, bytes], tuple[bytes, Taken]] = field(default_factory=dict)

    async def take(self, entry: Entry) -> Taken | Clash:
        """As the journal does."""
        if self.fails is not None:
            raise self.fails
        place = (entry.sender, entry.transport)
        if place in self._known:
            body_hash, first = self._known[place]
            if body_hash != entry.body_hash:
                return Clash(first.record_id)
            return Taken(first.record_id, first.state, repeat=True)
        state = {"Accepted": "translated", "Held": "held", "Ignored": "ignored"}[type(entry.outcome).__name__]
        taken = Taken(uuid.uuid4(), state, repeat=False)
        self._known[place] = (entry.body_hash, taken)
        self.entries.append(entry)
        return taken


@dataclass
class FakeRefusals:
    """Keeps refusals in memory."""

    kept: list[Refusal] = field(default_factory=list)

    async def keep(self, refused: list[Refusal]) -> None:
        """As the refusals do."""
        self.kept += refused


def limits(max_body: int = 1 << 20, max_waiting: int = 100, patience: timedelta = timedelta(seconds=30)) -> Limits:
    """Limits of a door."""
    return Limits(max_body, max_waiting, patience)


def application(
    engine: AsyncEngine,
    journal: Commits,
    *,
    clock: Callable[[], datetime] = STILL,
    adapters: Mapping[str, Adapter] = ADAPTERS,
    **intake: Any,
) -> FastAPI:
    """The whole application. intake: limits that differ from their defaults."""
    settings = Settings(issuer=ISSUER, intake=Intake(**intake))
    return build_app(settings, PARTIES, SECRETS, adapters, journal, engine, clock)


@asynccontextmanager
async def real_journal(engine: AsyncEngine, clock: Callable[[], datetime] = STILL) -> AsyncIterator[Journal]:
    """The journal itself, committing."""
    journal = Journal(
        engine,
        index=BlindIndex(SECRETS.pepper),
        sealer=Sealer(SECRETS.kek),
        namespace=SECRETS.namespace,
        clock=clock,
        settle=timedelta(minutes=45),
        max_batch=500,
        published=lambda _: None,
    )
    running = asyncio.create_task(journal.run())
    try:
        yield journal
    finally:
        running.cancel()
        await asyncio.wait([running])


@asynccontextmanager
async def knocking(app: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of this application that meets what a caller over the network would meet."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport, base_url=ISSUER) as client:
        yield client
