"""A message of Universal Credit's topics: an envelope in the clear, and in it a document sealed by a key of its own.

`message.dbObject` is AES in counter mode under a data key; `message.encryption` tells the counter block, the data key
as it was sealed, and the id of what sealed it (as the department's public consumers read it).
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.sealing import Unreadable, open_counter_mode


class Undecodable(Exception):
    """The message is not what this topic carries. The message of this names why, and no value."""


@dataclass(frozen=True, slots=True)
class Encrypted:
    """A message whose document is still sealed. key_id: of what sealed the data key, `sealed_key`."""

    key_id: str
    sealed_key: str
    counter: bytes
    document: bytes
    envelope: Mapping[str, Any]

    def decrypted(self, key: bytes) -> bytes:
        """The message as the adapter reads it: the document in the clear, and nothing of how it was sealed.

        Raises Undecodable where the key does not open it: what comes out is no JSON object then.
        """
        try:
            document = orjson.loads(open_counter_mode(key, self.counter, self.document))
        except (ValueError, Unreadable):
            raise Undecodable("undecryptable") from None
        if not isinstance(document, dict):
            raise Undecodable("undecryptable")
        message = {name: value for name, value in self.envelope["message"].items() if name != "encryption"}
        return orjson.dumps({**self.envelope, "message": {**message, "dbObject": document}})


def read_encrypted(value: bytes) -> Encrypted:
    """Take a message apart. Raises Undecodable."""
    try:
        envelope = orjson.loads(value)
        message = envelope["message"]
        encryption = message["encryption"]
        return Encrypted(
            key_id=_text(encryption["keyEncryptionKeyId"]),
            sealed_key=_text(encryption["encryptedEncryptionKey"]),
            counter=base64.b64decode(_text(encryption["initialisationVector"]), validate=True),
            document=base64.b64decode(_text(message["dbObject"]), validate=True),
            envelope=envelope,
        )
    except (ValueError, KeyError, TypeError):
        raise Undecodable("undecodable") from None


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError
    return value
