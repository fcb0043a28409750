"""What a local system keeps in its data folder: its secrets, its parties, their clients' keys, its settings.

keys.json            the installation's secrets, made at the first start and never again
case-api.secret      what the gateway signs in with to the stand-in for probation's case API, made once
books/               what each stand-in wrote down: what it was told is taken, what it was asked, what arrived
drop/<id>/           where each stand-in agency may lay files
clients/<id>.json    the private key each stand-in signs in with (JWK, Ed25519), mode 0600
parties.toml         who takes part, written at every start, because the ports of the stand-ins are in it
newcomers.toml       who else takes part: entries that lgw keys new adds, which every start puts into parties.toml
settings.json        the settings of the system that runs, or ran last, for `lgw ... --data`
"""

import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from joserfc.jwk import OKPKey
from pydantic import BaseModel, ValidationError

from gateway.errors import ConfigurationError
from gateway.local.cast import AGENCIES, LASARS, Lasars
from gateway.local.ports import LOOPBACK
from gateway.sealing import Secrets
from gateway.settings import Settings


class Installation:
    """The files of one data folder. Made by `prepare`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keys = folder / "keys.json"
        self.parties = folder / "parties.toml"
        self.newcomers = folder / "newcomers.toml"
        self.logs = folder / "logs"
        self.books = folder / "books"

    def key_file(self, client: str) -> Path:
        """Where a client's private key is."""
        return self.folder / "clients" / f"{client}.json"

    def book(self, recipient: str) -> Path:
        """Where a stand-in recipient writes what arrived."""
        return self.books / f"{recipient}.jsonl"

    def outbox(self, agency: str) -> Path:
        """Where a stand-in agency writes what was accepted. A LASARS that sends has a book, too."""
        return self.books / f"{agency}.sent.jsonl"

    @property
    def case_log(self) -> Path:
        """Where the stand-in for the case API writes what it was asked."""
        return self.books / "case-api.jsonl"

    @property
    def case_secret(self) -> Path:
        """What the gateway signs in with to the case API."""
        return self.folder / "case-api.secret"

    def drop(self, agency: str) -> Path:
        """Where an agency may lay files."""
        return self.folder / "drop" / agency

    def key(self, client: str) -> dict[str, Any]:
        """A client's private key, as a JWK. Raises ConfigurationError."""
        try:
            read: dict[str, Any] = json.loads(self.key_file(client).read_text())
        except (OSError, ValueError):
            raise ConfigurationError(
                f"There is no key of a client {client} in {self.folder}.",
                "Start the system once with lgw up, or make one with "
                f"lgw keys new --client {client} --as AGENCY --data {self.folder}.",
            ) from None
        return read

    def registered(self) -> str:
        """The entries of newcomers, as they are by now."""
        return self.newcomers.read_text() if self.newcomers.exists() else ""

    def remember(self, settings: Settings) -> None:
        """Write down the settings of the system that runs."""
        _write(self.folder / "settings.json", settings.model_dump_json(indent=2))


def prepare(folder: Path, recipients: Callable[[Lasars], int]) -> Installation:
    """Make what is missing in a data folder. recipients: the port each LASARS's stand-in listens on.

    Secrets and client keys that are there stay as they are, so that everything sealed and signed stays readable.
    """
    own = Installation(folder)
    own.logs.mkdir(parents=True, exist_ok=True)
    own.books.mkdir(exist_ok=True)
    own.key_file("any").parent.mkdir(mode=0o700, exist_ok=True)
    if not own.keys.exists():
        Secrets.generate().write(own.keys)
    if not own.case_secret.exists():
        _write(own.case_secret, secrets.token_urlsafe())
    for agency in AGENCIES:
        own.drop(agency.id).mkdir(parents=True, exist_ok=True)
    for client in _clients():
        if not own.key_file(client).exists():
            made = OKPKey.generate_key("Ed25519", {"kid": f"{client}-1"}, private=True)
            _write(own.key_file(client), json.dumps(made.as_dict(private=True)))
    own.parties.write_text("\n".join(_parties(own, recipients)))
    return own


def settings_of(folder: Path) -> Settings:
    """The settings of the local system in a data folder. Raises ConfigurationError where none was started yet."""
    try:
        told = json.loads((folder / "settings.json").read_text())
        return Settings(**told)
    except (OSError, ValidationError, ValueError):
        raise ConfigurationError(
            f"There is no local system in {folder}.", f"Start one with lgw up --data {folder}."
        ) from None


def environment(settings: Settings) -> dict[str, str]:
    """The environment a process of ours runs in: this machine's, with exactly these settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    return kept | {f"GATEWAY_{name.upper()}": _told(getattr(settings, name)) for name in _set(settings)}


def _set(settings: Settings) -> Iterator[str]:
    return (name for name in type(settings).model_fields if getattr(settings, name) is not None)


def _told(value: Any) -> str:
    if isinstance(value, BaseModel):
        return value.model_dump_json()
    return json.dumps(value) if isinstance(value, Mapping) else str(value)


def _clients() -> tuple[str, ...]:
    return (*(agency.id for agency in AGENCIES), *(lasars.id for lasars in LASARS))


def _parties(own: Installation, recipients: Callable[[Lasars], int]) -> Iterator[str]:
    """The lines of the parties file. Every text in it is ours, and as valid in TOML as in JSON."""
    yield "# Written by lgw at every start: whoever changes it changes it until then."
    for agency in AGENCIES:
        yield f"\n[parties.{agency.id}]"
        yield f"name = {json.dumps(agency.name)}"
        yield f"agency = {json.dumps(agency.feed)}"
        yield f"drop = {{ folder = {json.dumps(str(own.drop(agency.id).absolute()))} }}"
        yield _client(own, agency.id)
    for lasars in LASARS:
        yield f"\n[parties.{lasars.id}]"
        yield f"name = {json.dumps(f'LASARS {lasars.name}')}"
        yield "recipient = true"
        yield 'service = "lasars"'
        yield f"area = {json.dumps(lasars.area)}"
        if lasars.push is not None:
            url = f"http://{LOOPBACK}:{recipients(lasars)}/{lasars.id}"
            yield f'push = {{ url = "{url}", body = "{lasars.push}" }}'
        yield _client(own, lasars.id)
    yield f"\n{own.registered()}"


def _client(own: Installation, client: str) -> str:
    public = {name: value for name, value in own.key(client).items() if name in ("kty", "crv", "x", "kid")}
    told = ", ".join(f"{name} = {json.dumps(value)}" for name, value in public.items())
    return f'clients = [{{ id = "{client}", keys = [{{ {told} }}] }}]'


def _write(file: Path, text: str) -> None:
    """Write a file whole or not at all, readable by its owner only."""
    unfinished = file.with_suffix(".unfinished")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(text)
    unfinished.replace(file)
