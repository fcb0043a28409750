"""How somebody who is new takes part in a local system: its public key is registered in the data folder.

In a system that others run, operations enter the same lines into their parties file.
"""

import re
import tomllib
from pathlib import Path

from gateway.connecting.keys import Jwk, parties_entry
from gateway.errors import ConfigurationError
from gateway.local.cast import AGENCIES, LASARS, SENDERS
from gateway.local.installation import Installation
from gateway.parties import load_parties


def register(folder: Path, client: str, agency: str, key: Jwk) -> str:
    """Register a client, with a party of its own that sends an agency's feed; the lines that do it.

    Raises ConfigurationError where that name is taken or cannot be a party's. A running system soon lets it in.
    """
    own = Installation(folder)
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", client):
        raise ConfigurationError(
            f"{client} cannot be the name of a client and its party.", "Use small letters, digits and hyphens alone."
        )
    if client in {one.id for one in (*AGENCIES, *LASARS)} or client in _registered(own):
        raise ConfigurationError(f"There is a client {client} in {folder} already.", "Choose another name.")
    entry = parties_entry(client, client, client, agency, key)
    unfinished = own.newcomers.with_suffix(".unfinished")
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    unfinished.write_text(f"{own.registered()}{entry}\n")
    load_parties(unfinished)
    unfinished.replace(own.newcomers)
    return entry


def senders(folder: Path, agency: str) -> list[str]:
    """The clients of a local system that send an agency's feed, newcomers first, then who is cast to send it.

    Raises ConfigurationError.
    """
    own = Installation(folder)
    new = _registered(own)
    cast = {one.id for one in SENDERS if one.feed == agency}
    sending = [client.id for party in load_parties(own.parties).all if party.sends(agency) for client in party.clients]
    return sorted(sending, key=lambda client: (client not in new, client not in cast))


def _registered(own: Installation) -> frozenset[str]:
    return frozenset(tomllib.loads(own.registered()).get("parties", {}))
