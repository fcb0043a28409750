"""Universal Credit as it publishes: documents sealed by data keys, and a key service that opens those."""

import base64
import os
from dataclasses import dataclass, field
from typing import Any

import orjson
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from gateway.intake.universal_credit.data_keys import KeyRefused, KeyServiceAway

SEALING_KEY = "cloudhsm:7,14"


@dataclass
class Keys:
    """Data keys by their sealed form. away: how often it does not answer, before it does."""

    known: dict[tuple[str, str], bytes] = field(default_factory=dict)
    away: int = 0
    asked: int = 0

    def new(self) -> tuple[str, bytes]:
        """A data key: its sealed form, and the key."""
        sealed, key = base64.b64encode(os.urandom(48)).decode(), os.urandom(16)
        self.known[SEALING_KEY, sealed] = key
        return sealed, key

    async def data_key(self, key_id: str, sealed: str) -> bytes:
        """As a key service does."""
        self.asked += 1
        if self.away > 0:
            self.away -= 1
            raise KeyServiceAway("the data key service does not answer")
        if (key_id, sealed) not in self.known:
            raise KeyRefused
        return self.known[key_id, sealed]


def claimant(citizen: str, version: int = 1, **changed: Any) -> dict[str, Any]:
    """A claimant's document."""
    return {
        "_id": {"citizenId": citizen},
        "firstName": "Orla",
        "lastName": "Quennell",
        "createdDateTime": {"$date": "2025-11-03T09:00:00.000000Z"},
        "_version": version,
        **changed,
    }


def published(keys: Keys, document: dict[str, Any], collection: str = "claimant", **changed: Any) -> bytes:
    """A document as its topic carries it."""
    sealed_key, key = keys.new()
    counter = os.urandom(16)
    sealing = Cipher(algorithms.AES(key), modes.CTR(counter)).encryptor()
    message = {
        "@type": "MONGO_UPDATE",
        "_id": document["_id"],
        "_lastModifiedDateTime": "2026-01-10T07:27:35.104+0000",
        "collection": collection,
        "db": "core",
        "dbObject": base64.b64encode(sealing.update(orjson.dumps(document)) + sealing.finalize()).decode(),
        "encryption": {
            "keyEncryptionKeyId": SEALING_KEY,
            "initialisationVector": base64.b64encode(counter).decode(),
            "encryptedEncryptionKey": sealed_key,
        },
        **changed,
    }
    envelope = {"@type": "V4", "message": message, "version": "core-4", "timestamp": "2026-01-10T07:27:36.105+0000"}
    return orjson.dumps(envelope)
