"""Client assertions: how a client proves itself to the token endpoint (RFC 7523 section 3, `private_key_jwt`).

The algorithm follows from the registered key, never from the assertion's header, and only keys of parties.toml are
tried: a header that names `none`, or makes a MAC of a public key, finds nothing to be verified with.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey
from joserfc.util import urlsafe_b64decode

from gateway.errors import ConfigurationError
from gateway.parties import Parties

LEEWAY = 60
"""Seconds by which a client's clock may differ from ours."""

LIFETIME = 300
"""Seconds an assertion may be valid for, at most."""

_LONGEST_ID = 256
_HEADER = frozenset({"alg", "typ", "kid"})


class AssertionRefused(Exception):
    """An assertion that proves nothing, and the sentence its sender is told."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Assertion:
    """A proved one. id: hash of its jti, to be used once; expires: when it can be forgotten (Unix seconds)."""

    client: str
    id: bytes
    expires: int


class _Registry(jws.JWSRegistry):
    """Knows the one algorithm of the key at hand, under the names that mean it.

    "EdDSA" is what most libraries still write for what RFC 9864 names "Ed25519"; with an Ed25519 key both are the same.
    """

    names: Mapping[str, str] = {"Ed25519": "Ed25519", "EdDSA": "Ed25519", "ES256": "ES256"}

    def __init__(self, algorithm: str) -> None:
        super().__init__(algorithms=[algorithm])

    def get_alg(self, name: str) -> Any:
        return super().get_alg(self.names.get(name, name))


@dataclass(frozen=True, slots=True)
class _Key:
    """expires: when it ceases to serve (Unix seconds); None where its registration names no end."""

    key: OKPKey | ECKey
    id: str | None
    registry: _Registry
    expires: float | None


class Assertions:
    """Verifies client assertions against the registered public keys."""

    def __init__(self, parties: Parties, audiences: frozenset[str]) -> None:
        """audiences: what `aud` may name: the issuer and the token endpoint.

        Raises ConfigurationError for a registered key that cannot be used.
        """
        self._audiences = audiences
        self._keys = {
            client.id: tuple(_key(client.id, key) for key in client.keys)
            for party in parties.all
            for client in party.clients
        }

    def read(self, assertion: str, now: float) -> Assertion:
        """What the assertion proves. Raises AssertionRefused.

        Until a registered key has verified the signature every failure reads the same, so that nobody learns which
        clients exist; after that the sentence says which claim to mend.
        """
        try:
            header, claims = _unverified(assertion)
        except (ValueError, TypeError):
            raise AssertionRefused("The assertion is not a signed JWT of a JSON object.") from None
        client = claims.get("iss")
        if not isinstance(client, str) or not self._signed(assertion, client, header, now):
            raise AssertionRefused("No registered key of a client of this name made this signature.")
        return self._claims(claims, client, now)

    def _signed(self, assertion: str, client: str, header: Mapping[str, Any], now: float) -> bool:
        kid = header.get("kid")
        for known in self._keys.get(client, ()):
            if kid is not None and known.id is not None and known.id != kid:
                continue
            if known.expires is not None and known.expires <= now:
                continue
            try:
                jws.deserialize_compact(assertion, known.key, registry=known.registry)
            except (JoseError, ValueError, TypeError):
                continue
            return True
        return False

    def _claims(self, claims: Mapping[str, Any], client: str, now: float) -> Assertion:
        if claims.get("sub") != client:
            raise AssertionRefused("The claims iss and sub must both be the client id.")
        told = claims.get("aud")
        audience = told if isinstance(told, list) else [told]
        if len(audience) != 1 or audience[0] not in self._audiences:
            raise AssertionRefused("The claim aud must be this gateway's issuer or token endpoint, and nothing else.")
        expires = _instant(claims, "exp")
        if expires is None:
            raise AssertionRefused("The claim exp is missing.")
        if expires <= now - LEEWAY:
            raise AssertionRefused("The assertion has expired.")
        if expires > now + LIFETIME + LEEWAY:
            raise AssertionRefused(f"The claim exp may be at most {LIFETIME} seconds ahead; is the clock right?")
        for name in ("iat", "nbf"):
            since = _instant(claims, name)
            if since is not None and since > now + LEEWAY:
                raise AssertionRefused(f"The claim {name} is in the future; is the clock right?")
        jti = claims.get("jti")
        if not isinstance(jti, str) or not 1 <= len(jti) <= _LONGEST_ID:
            raise AssertionRefused(f"The claim jti is missing, empty or longer than {_LONGEST_ID} characters.")
        return Assertion(client, hashlib.sha256(jti.encode(errors="surrogatepass")).digest(), int(expires) + LEEWAY + 1)


def _key(client: str, told: Mapping[str, Any]) -> _Key:
    """A registered key with the one algorithm it serves. Raises ConfigurationError."""
    fix = "Register a public JWK: kty OKP with crv Ed25519, or kty EC with crv P-256; exp, if any, in Unix seconds."
    public = {name: value for name, value in told.items() if name in ("kty", "crv", "x", "y")}
    expires = told.get("exp")
    try:
        if expires is not None and (isinstance(expires, bool) or not isinstance(expires, int | float)):
            raise ValueError("exp is not a time")
        match told.get("kty"), told.get("crv"):
            case "OKP", "Ed25519":
                return _Key(OKPKey.import_key(public), told.get("kid"), _Registry("Ed25519"), expires)
            case "EC", "P-256":
                return _Key(ECKey.import_key(public), told.get("kid"), _Registry("ES256"), expires)
    except (JoseError, ValueError, TypeError):
        pass
    raise ConfigurationError(f"A key of client {client} in the parties file cannot be used.", fix)


def _unverified(assertion: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The header and the claims as written, before anything is believed. Raises ValueError."""
    head, body, signature = assertion.encode("ascii").split(b".")
    header, claims = orjson.loads(urlsafe_b64decode(head)), orjson.loads(urlsafe_b64decode(body))
    if not isinstance(header, dict) or not isinstance(claims, dict) or not signature:
        raise ValueError("not a signed JWT")
    if not header.keys() <= _HEADER:
        raise ValueError("a header parameter that asks for more than a signature")
    return header, claims


def _instant(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1 << 40:
        raise AssertionRefused(f"The claim {name} is not a time in seconds since 1970.")
    return float(value)
