"""Ids that the gateway gives out itself, and how it reads those it was given.

Those that follow from others and those read back are the database driver's UUIDs, as every id out of the store is: they
equal the standard library's, and being made and written costs them a fifth.
"""

import hashlib
import os
import uuid
from datetime import datetime

from asyncpg.pgproto.pgproto import UUID


def new_id(now: datetime) -> uuid.UUID:
    """A version 7 UUID (RFC 9562 section 5.7): 48 bits of milliseconds, then 74 random bits.

    So ids are in the order of their making, and indexes stay narrow.
    """
    milliseconds = int(now.timestamp() * 1000)
    drawn = int.from_bytes(os.urandom(10), "big")
    value = (milliseconds & 0xFFFFFFFFFFFF) << 80 | 0x7 << 76 | (drawn >> 66 & 0xFFF) << 64
    return uuid.UUID(int=value | 0b10 << 62 | (drawn & 0x3FFFFFFFFFFFFFFF))


def derived_id(namespace: uuid.UUID, name: str) -> uuid.UUID:
    """The version 5 UUID of a name (RFC 9562 section 5.5): the same one that `uuid.uuid5` gives."""
    value = bytearray(hashlib.sha1(namespace.bytes + name.encode(), usedforsecurity=False).digest()[:16])
    value[6] = value[6] & 0x0F | 0x50
    value[8] = value[8] & 0x3F | 0x80
    return UUID(bytes(value))


def delivery_id(namespace: uuid.UUID, event: uuid.UUID, recipient: str, role: str, decision: int) -> uuid.UUID:
    """UUIDv5(event, recipient, role, decision number): the same decision made again is the same delivery."""
    return derived_id(namespace, f"{event}|{recipient}|{role}|{decision}")


def read_id(text: str) -> uuid.UUID:
    """An id as `str` writes it. Raises ValueError for what is none."""
    return UUID(text)
