"""A client's key pair, made where it will be used: the private half goes into a file and nowhere else."""

import json
import os
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

from gateway.errors import ConfigurationError

ALGORITHMS: Final = ("Ed25519", "ES256")
LIFETIME: Final = timedelta(days=365)

_PUBLIC: Final = ("kty", "crv", "x", "y", "kid", "alg", "use", "exp")
_CLIENT: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")

Jwk = Mapping[str, Any]
"""A key as RFC 7517 writes it. `exp`, when it ends (seconds since 1970), is a member that registries of keys add."""


class KeyExists(ConfigurationError):
    """A file that would be overwritten, and with it a private key."""

    def __init__(self, file: Path) -> None:
        super().__init__(
            f"There is a file {file} already, which may be a key in use.",
            "Name another with --key, register the new key beside the old one, and delete the old one last.",
        )


def new_key(client: str, algorithm: str, ends: datetime) -> dict[str, Any]:
    """A new private key. Its id names the client and is the key's own: a change of keys never repeats one.

    Raises ConfigurationError for a client id that the gateway could not register.
    """
    if not _CLIENT.fullmatch(client):
        raise ConfigurationError(
            "A client id is up to 80 lower-case letters, digits, dots, hyphens and underscores.", "Choose another."
        )
    made = OKPKey.generate_key("Ed25519") if algorithm == "Ed25519" else ECKey.generate_key("P-256")
    told = made.as_dict(private=True)
    kid = f"{client}-{made.thumbprint()[:8]}"
    return {**told, "kid": kid, "alg": algorithm, "use": "sig", "exp": int(ends.timestamp())}


def public_half(key: Jwk) -> dict[str, Any]:
    """What is registered of a key, and may be shown to anybody."""
    return {name: key[name] for name in _PUBLIC if name in key}


def write_key(file: Path, key: Jwk) -> None:
    """Write a private key, readable by its owner only. Raises KeyExists, OSError; never replaces a file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeyExists(file) from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        json.dump(key, out)


def read_key(file: Path) -> dict[str, Any]:
    """A private key from its file. Raises ConfigurationError, which quotes nothing of it."""
    fix = "Make one with lgw keys new, or name another file with --key."
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        signing_key(told)
    except OSError as error:
        raise ConfigurationError(f"The key file {file} cannot be read ({error.strerror}).", fix) from None
    except (ValueError, TypeError, AttributeError, KeyError, JoseError):
        raise ConfigurationError(f"The file {file} holds no private JWK, Ed25519 or P-256.", fix) from None
    found: dict[str, Any] = told
    return found


def signing_key(key: Jwk) -> tuple[OKPKey | ECKey, str]:
    """A private key ready to sign, and the algorithm it signs by. Raises ValueError for one that cannot."""
    plain = {name: value for name, value in key.items() if name in ("kty", "crv", "x", "y", "d")}
    if "d" not in plain:
        raise ValueError("the private half is missing")
    if (plain.get("kty"), plain.get("crv")) == ("OKP", "Ed25519"):
        return OKPKey.import_key(plain), "Ed25519"
    if (plain.get("kty"), plain.get("crv")) == ("EC", "P-256"):
        return ECKey.import_key(plain), "ES256"
    raise ValueError("neither Ed25519 nor P-256")


def parties_entry(party: str, name: str, client: str, agency: str | None, key: Jwk) -> str:
    """The lines of a parties file that register this key. Every text in them is as valid in TOML as in JSON."""
    told = ", ".join(f"{member} = {json.dumps(value)}" for member, value in public_half(key).items())
    lines = [f"[parties.{party}]", f"name = {json.dumps(name)}"]
    if agency is not None:
        lines.append(f"agency = {json.dumps(agency)}")
    return "\n".join([*lines, f"clients = [{{ id = {json.dumps(client)}, keys = [{{ {told} }}] }}]", ""])
