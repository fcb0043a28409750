"""Access tokens: JWTs (RFC 9068) signed by this installation, ten minutes long, bound to one client.

The algorithm is written here, never taken from the token.
"""

import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

LIFETIME = 600
"""Seconds a token lasts."""

_ALGORITHM = "Ed25519"
_TYPE = "at+jwt"
_LONGEST = 2048


class TokenRefused(Exception):
    """An access token that opens nothing, and the sentence its carrier is told."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Grant:
    """What a valid token says: which client carries it, and until when (Unix seconds)."""

    client: str
    expires: float


class Tokens:
    """Issues and reads the access tokens of one installation."""

    def __init__(self, seed: bytes, issuer: str) -> None:
        private = Ed25519PrivateKey.from_private_bytes(seed)
        self._issuer = issuer
        self._key = OKPKey.import_key(
            {
                "kty": "OKP",
                "crv": "Ed25519",
                "d": urlsafe_b64encode(seed).rstrip(b"=").decode(),
                "x": urlsafe_b64encode(private.public_key().public_bytes_raw()).rstrip(b"=").decode(),
            }
        )

    def issue(self, client: str, now: float) -> str:
        """A token for this client, from now on."""
        claims = {
            "iss": self._issuer,
            "aud": self._issuer,
            "sub": client,
            "client_id": client,
            "iat": int(now),
            "exp": int(now) + LIFETIME,
            "jti": secrets.token_urlsafe(16),
        }
        return jwt.encode({"alg": _ALGORITHM, "typ": _TYPE}, claims, self._key, algorithms=[_ALGORITHM])

    def read(self, token: str, now: float) -> Grant:
        """What a token grants. Raises TokenRefused for anything but our own, unexpired, unaltered token."""
        if len(token) > _LONGEST:
            raise TokenRefused("The access token is not one of this gateway's.")
        try:
            told = jwt.decode(token, self._key, algorithms=[_ALGORITHM])
        except (JoseError, ValueError, TypeError):
            raise TokenRefused("The access token is not one of this gateway's.") from None
        claims: dict[str, Any] = told.claims
        if told.header.get("typ") != _TYPE or claims.get("iss") != self._issuer or claims.get("aud") != self._issuer:
            raise TokenRefused("The access token was made for something else.")
        client, expires = claims.get("sub"), claims.get("exp")
        if not isinstance(client, str) or not isinstance(expires, int):
            raise TokenRefused("The access token was made for something else.")
        if expires <= now:
            raise TokenRefused("The access token has expired.")
        return Grant(client=client, expires=float(expires))
