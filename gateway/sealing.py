"""The only module that touches a cipher.

Every body (raw record, event, delivery, quarantine) is sealed with its record's own data key: AES-256-GCM, a fresh
96-bit nonce in front, the record id and the body's id as associated data, so that a body moved to another place does
not open. The data key is wrapped by the key-encryption key. Destroying a record's wrapped key darkens every copy of
its bodies at once: journal, topics, mailboxes and backups.

Identifiers are looked up through blind indexes: keyed hashes that say "the same" and nothing else.
"""

import base64
import json
import os
import secrets
import uuid
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12
_INDEX = 16


class Unreadable(Exception):
    """A sealed body does not open: its key was destroyed, or the bytes are not what was sealed."""


class DataKey:
    """One record's key, unwrapped, in memory only. wrapped: as the key table has it."""

    __slots__ = ("_cipher", "record_id", "wrapped")

    def __init__(self, record_id: uuid.UUID, plain: bytes, wrapped: bytes) -> None:
        self.record_id = record_id
        self.wrapped = wrapped
        self._cipher = AESGCM(plain)

    def seal(self, body_id: uuid.UUID, plain: bytes) -> bytes:
        """The nonce and the ciphertext of this body."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, plain, self.record_id.bytes + body_id.bytes)

    def open(self, body_id: uuid.UUID, sealed: bytes) -> bytes:
        """The body again. Raises Unreadable."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], self.record_id.bytes + body_id.bytes)
        except (InvalidTag, ValueError):
            raise Unreadable("a sealed body does not open with its record's key") from None


@dataclass(frozen=True)
class Secrets:
    """What an installation keeps to itself. The key file is the one thing to back up apart from the database.

    kek: 32 bytes, wraps data keys. pepper: 32 bytes, keys the blind indexes. namespace: the root of all ids.
    signing: Ed25519 seeds (32 bytes each), newest first; deliveries carry a signature by each. tokens: the Ed25519
    seed that signs access tokens.
    """

    kek: bytes
    pepper: bytes
    namespace: uuid.UUID
    signing: tuple[bytes, ...]
    tokens: bytes

    def __repr__(self) -> str:
        return "Secrets(...)"

    @classmethod
    def generate(cls) -> "Secrets":
        """Fresh secrets for a new installation."""
        return cls(
            kek=secrets.token_bytes(32),
            pepper=secrets.token_bytes(32),
            namespace=uuid.uuid4(),
            signing=(secrets.token_bytes(32),),
            tokens=secrets.token_bytes(32),
        )

    def write(self, file: Path) -> None:
        """Write the key file, readable by its owner only. An existing file is never overwritten."""
        text = json.dumps(
            {
                "kek": base64.b64encode(self.kek).decode(),
                "pepper": base64.b64encode(self.pepper).decode(),
                "namespace": str(self.namespace),
                "signing": [base64.b64encode(seed).decode() for seed in self.signing],
                "tokens": base64.b64encode(self.tokens).decode(),
            },
            indent=2,
        )
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())

    @classmethod
    def read(cls, file: Path) -> "Secrets":
        """Read a key file. Raises OSError, or ValueError naming what is wrong with it."""
        try:
            told = json.loads(file.read_text())
            return cls(
                kek=_thirty_two(told["kek"]),
                pepper=_thirty_two(told["pepper"]),
                namespace=uuid.UUID(told["namespace"]),
                signing=tuple(_thirty_two(seed) for seed in told["signing"]),
                tokens=_thirty_two(told["tokens"]),
            )
        except (KeyError, TypeError, ValueError):
            raise ValueError(f"the key file {file} is damaged: restore it from its backup") from None


def _thirty_two(text: str) -> bytes:
    value = base64.b64decode(text, validate=True)
    if len(value) != 32:
        raise ValueError("a key has the wrong length")
    return value


class Sealer:
    """Makes and unwraps data keys."""

    def __init__(self, kek: bytes) -> None:
        self._kek = AESGCM(kek)

    def new_key(self, record_id: uuid.UUID) -> tuple[DataKey, bytes]:
        """A new record's key, and its wrapped form for the key table."""
        plain = os.urandom(32)
        nonce = os.urandom(_NONCE)
        wrapped = nonce + self._kek.encrypt(nonce, plain, record_id.bytes)
        return DataKey(record_id, plain, wrapped), wrapped

    def unwrap(self, record_id: uuid.UUID, wrapped: bytes) -> DataKey:
        """The record's key again. Raises Unreadable."""
        try:
            plain = self._kek.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], record_id.bytes)
            return DataKey(record_id, plain, wrapped)
        except (InvalidTag, ValueError):
            raise Unreadable("a data key does not unwrap: is this the installation's own key file?") from None


def open_counter_mode(key: bytes, counter: bytes, sealed: bytes) -> bytes:
    """What another organisation sealed by AES in counter mode: a key of 16, 24 or 32 bytes, a counter block of 16.

    The mode proves nothing: with the wrong key it gives other bytes, which only their reader can tell. Raises
    Unreadable for a key or a counter that is none. Nothing of our own is sealed so.
    """
    try:
        opening = Cipher(algorithms.AES(key), modes.CTR(counter)).decryptor()
    except ValueError:
        raise Unreadable("the key or the counter has the wrong length") from None
    return opening.update(sealed) + opening.finalize()


class BlindIndex:
    """Keyed hashes for what must be found again but not read: 16 bytes of HMAC-SHA-256 under a purpose of its own."""

    def __init__(self, pepper: bytes) -> None:
        self._pepper = hmac.HMAC(pepper, hashes.SHA256())

    def of(self, purpose: str, value: str | bytes) -> bytes:
        """The index of a value for one purpose ("lane", "fact", "noms"); other purposes give other hashes."""
        mac = self._pepper.copy()
        mac.update(purpose.encode() + b"\x00")
        mac.update(value.encode() if isinstance(value, str) else value)
        return mac.finalize()[:_INDEX]


class Signer:
    """Ed25519 over what a recipient must be able to verify: one signature per key while keys rotate."""

    def __init__(self, seeds: tuple[bytes, ...]) -> None:
        self._keys = tuple(Ed25519PrivateKey.from_private_bytes(seed) for seed in seeds)

    def sign(self, message: bytes) -> tuple[bytes, ...]:
        """A 64-byte signature by each key, newest first."""
        return tuple(key.sign(message) for key in self._keys)

    def public_keys(self) -> tuple[bytes, ...]:
        """The 32-byte public keys, newest first."""
        return tuple(key.public_key().public_bytes_raw() for key in self._keys)
