"""Who takes part: the parties, the clients that act for them, and how each recipient is reached.

A client is bound to one party. A party has the sender role for one agency's feed, the recipient role, or both (a
LASARS is both), and sees only its own.
"""

import enum
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gateway.errors import ConfigurationError

SELF_REFERRAL: Final = "self_referral"
"""The feed that every LASARS sends, beside whatever else it does."""


class Body(enum.StrEnum):
    """What a push carries: the whole body, or ids and kind only (the recipient fetches the rest)."""

    FULL = "full"
    NOTICE = "notice"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Push(_Part):
    """Where a recipient wants its deliveries posted. in_flight: how many persons' may be under way at once."""

    url: str = Field(pattern=r"^https?://")
    body: Body = Body.NOTICE
    in_flight: int = Field(default=8, ge=1, le=64)


class Drop(_Part):
    """The folder a sender lays its files in. media_types: by the ends of names ("csv"), where these say too little."""

    folder: Path
    media_types: Mapping[str, str] = Field(default_factory=dict)


class Workflow(_Part):
    """What messages of one MESH workflow are. answer: the workflow of what is sent back; `<workflow>_ACK` if unsaid."""

    media_type: str
    answer: str | None = None


class MeshSender(_Part):
    """The MESH mailboxes a sender sends from, and what it sends by workflow."""

    mailboxes: tuple[str, ...] = Field(min_length=1)
    workflows: Mapping[str, Workflow] = Field(min_length=1)


class Mllp(_Part):
    """The port a sender's HL7 v2 messages come in at. MLLP has no sign-in: who reaches the port is its sender.

    allow: networks that may connect; without any, loopback alone, or whoever has a certificate. certificate, key: the
    gateway's own, for TLS (PEM files). clients: the certificates of those let in, or of who signed them.
    """

    host: str = "127.0.0.1"
    port: int = Field(ge=0, le=65535)
    allow: tuple[IPv4Network | IPv6Network, ...] = ()
    certificate: Path | None = None
    key: Path | None = None
    clients: Path | None = None

    @model_validator(mode="after")
    def _certificates_belong_together(self) -> "Mllp":
        if self.clients is not None and self.certificate is None:
            raise ValueError("clients needs certificate: only over TLS does anybody show one")
        return self


class Client(_Part):
    """A system that may sign in: its id and the public keys (JWK, Ed25519 or P-256) its assertions are signed with."""

    id: str = Field(min_length=1, max_length=80, pattern=r"^[a-z0-9][a-z0-9._-]*$")
    keys: tuple[Mapping[str, Any], ...] = Field(min_length=1)


class Party(_Part):
    """One organisation. `agency` gives it the sender role, `recipient` the recipient role.

    area: the area whose LASARS it is. push, kafka: accelerators on its mailbox. drop: where it may lay files.
    mllp: where its HL7 v2 messages come in.
    mesh: from where it sends through the NHS's message exchange.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    name: str
    agency: str | None = None
    recipient: bool = False
    service: Literal["lasars"] | None = None
    area: str | None = None
    push: Push | None = None
    kafka: bool = False
    drop: Drop | None = None
    mllp: Mllp | None = None
    mesh: MeshSender | None = None
    clients: tuple[Client, ...] = ()

    def sends(self, agency: str) -> bool:
        """Whether this party has the sender role for a feed. A LASARS also sends what people ask it for themselves."""
        return agency == self.agency or (agency == SELF_REFERRAL and self.service == "lasars")

    @model_validator(mode="after")
    def _reached_only_if_recipient(self) -> "Party":
        if (self.push or self.kafka or self.area) and not self.recipient:
            raise ValueError("area, push and kafka belong to a party with recipient = true")
        return self

    @model_validator(mode="after")
    def _sends_only_if_of_an_agency(self) -> "Party":
        if (self.drop or self.mesh or self.mllp) and not self.agency:
            raise ValueError("drop, mesh and mllp belong to a party with an agency")
        return self


class Parties:
    """All parties of an installation, found by id, by client, or by the area whose LASARS they are."""

    def __init__(self, parties: tuple[Party, ...]) -> None:
        self.all = parties
        self._by_id = {party.id: party for party in parties}
        self._by_client = {client.id: (party, client) for party in parties for client in party.clients}
        self._lasars = {party.area: party for party in parties if party.service == "lasars" and party.area}

    def party(self, party_id: str) -> Party | None:
        """The party of this id."""
        return self._by_id.get(party_id)

    def client(self, client_id: str) -> tuple[Party, Client] | None:
        """The client and the party it is bound to."""
        return self._by_client.get(client_id)

    def lasars_of(self, area: str) -> Party | None:
        """The LASARS that serves an area."""
        return self._lasars.get(area)

    def recipients(self) -> tuple[Party, ...]:
        """Every party with the recipient role."""
        return tuple(party for party in self.all if party.recipient)


def load_parties(file: Path) -> Parties:
    """Read the parties file (TOML: a table `parties.<id>` each). Raises ConfigurationError naming what to mend."""
    try:
        told = tomllib.loads(file.read_text())
    except OSError as error:
        raise ConfigurationError(
            f"The parties file {file} cannot be read ({error.strerror}).", "Set GATEWAY_PARTIES."
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"The parties file {file} is not TOML: {error}.", "Mend the line it names.") from None
    parties = []
    for party_id, table in told.get("parties", {}).items():
        try:
            parties.append(Party.model_validate({"id": party_id, **table}))
        except ValidationError as error:
            fault = error.errors(include_input=False, include_context=False, include_url=False)[0]
            where = ".".join(str(part) for part in fault["loc"])
            raise ConfigurationError(
                f"The parties file {file}: parties.{party_id}.{where}: {fault['msg']}.", "Mend that entry."
            ) from None
    _check_nothing_is_shared(file, parties)
    return Parties(tuple(parties))


def _check_nothing_is_shared(file: Path, parties: Sequence[Party]) -> None:
    """Raises ConfigurationError where two parties claim what tells whose a message is."""
    claimed: dict[tuple[str, object], str] = {}
    for party in parties:
        for claim in _claims(party):
            other = claimed.setdefault(claim, party.id)
            if other != party.id:
                raise ConfigurationError(
                    f"The parties file {file}: {other} and {party.id} have the same {claim[0]}, {claim[1]}.",
                    "Give each its own: whose a message is would be anybody's guess.",
                )


def _claims(party: Party) -> Iterator[tuple[str, object]]:
    """What no other party may have: who signs in, which folder and port it sends by, whose LASARS it is."""
    for client in party.clients:
        yield "client", client.id
    if party.drop is not None:
        yield "folder", party.drop.folder.resolve()
    if party.mllp is not None and party.mllp.port:
        yield "port", f"{party.mllp.host}:{party.mllp.port}"
    if party.service == "lasars" and party.area is not None:
        yield "area", party.area
