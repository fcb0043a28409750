"""Ids that the gateway gives out itself: random, and in the order of their making so that indexes stay narrow."""

import os
import uuid
from datetime import datetime


def new_id(now: datetime) -> uuid.UUID:
    """A version 7 UUID (RFC 9562 section 5.7): 48 bits of milliseconds, then 74 random bits."""
    milliseconds = int(now.timestamp() * 1000)
    drawn = int.from_bytes(os.urandom(10), "big")
    value = (milliseconds & 0xFFFFFFFFFFFF) << 80 | 0x7 << 76 | (drawn >> 66 & 0xFFF) << 64
    return uuid.UUID(int=value | 0b10 << 62 | (drawn & 0x3FFFFFFFFFFFFFFF))
