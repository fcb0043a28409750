"""Signatures by Standard Webhooks 1.0 (standardwebhooks.com), asymmetric: Ed25519, `v1a`.

Signed is `id.timestamp.body` with the body's bytes as sent: parsing and writing them again breaks the signature.
While keys rotate every message carries one signature by each; one that verifies is enough.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.sealing import Signer

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
TOLERANCE = timedelta(minutes=5)
"""How far a message's timestamp may lie from the verifier's clock."""

_KEY = "whpk_"
_VERSION = "v1a,"
_SECONDS = re.compile(r"[0-9]{1,15}")


class NotSigned(Exception):
    """A message is not what one of the keys signed, or not of now. The text says which part is at fault."""


def signed_content(message_id: str, timestamp: str, body: bytes) -> bytes:
    """The bytes a signature is over."""
    return b".".join((message_id.encode(), timestamp.encode(), body))


def sign(signer: Signer, message_id: str, now: datetime, body: bytes) -> dict[str, str]:
    """The three headers of a message."""
    timestamp = str(int(now.timestamp()))
    signatures = signer.sign(signed_content(message_id, timestamp, body))
    return {
        ID: message_id,
        TIMESTAMP: timestamp,
        SIGNATURE: " ".join(_VERSION + base64.b64encode(signature).decode() for signature in signatures),
    }


def write_key(public: bytes) -> str:
    """A public key as recipients are told it: `whpk_` and base64."""
    return _KEY + base64.b64encode(public).decode()


def read_key(text: str) -> bytes:
    """The 32 bytes of a public key. Raises ValueError."""
    if not text.startswith(_KEY):
        raise ValueError(f"a public key begins with {_KEY}")
    try:
        public = base64.b64decode(text[len(_KEY) :], validate=True)
    except binascii.Error:
        raise ValueError("a public key is not base64") from None
    if len(public) != 32:
        raise ValueError("a public key has 32 bytes")
    return public


def verify(keys: Sequence[str], headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """The id of a message that one of these public keys signed. Raises NotSigned.

    headers: with lower-case names. body: exactly the bytes that arrived.
    """
    missing = [name for name in (ID, TIMESTAMP, SIGNATURE) if not headers.get(name)]
    if missing:
        raise NotSigned(f"{missing[0]} is missing")
    message_id, timestamp = headers[ID], headers[TIMESTAMP]
    if not _SECONDS.fullmatch(timestamp):
        raise NotSigned(f"{TIMESTAMP} is not a number of seconds")
    age = now.timestamp() - int(timestamp)
    if age > TOLERANCE.total_seconds():
        raise NotSigned(f"{TIMESTAMP} is too old")
    if age < -TOLERANCE.total_seconds():
        raise NotSigned(f"{TIMESTAMP} is in the future")
    content = signed_content(message_id, timestamp, body)
    candidates = [part.removeprefix(_VERSION) for part in headers[SIGNATURE].split(" ") if part.startswith(_VERSION)]
    if not candidates:
        raise NotSigned(f"{SIGNATURE} has no signature of version v1a")
    publics = [Ed25519PublicKey.from_public_bytes(read_key(key)) for key in keys]
    if not any(_verifies(public, candidate, content) for public in publics for candidate in candidates):
        raise NotSigned(f"{SIGNATURE} is not by these keys over these bytes")
    return message_id


def _verifies(public: Ed25519PublicKey, candidate: str, content: bytes) -> bool:
    try:
        public.verify(base64.b64decode(candidate, validate=True), content)
    except (InvalidSignature, binascii.Error):
        return False
    return True
