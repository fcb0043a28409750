"""Mutations of a message: mostly of its parts, which are dropped, doubled, swapped, emptied or made absurd.

Bytes changed at random seldom get past the first check of a form; these do.
"""

import json
import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

MOST = 1 << 16
"""Bytes of what is made."""

ABSURD = (b"", b" ", b"0", b"-1", b"9" * 40, b"null", b"\x00", b"\xff\xfe", "é😀ل".encode(), b"29/02/2025", b"24:60")
"""What may stand where nobody expects it."""

_PARTS: Sequence[tuple[bytes, re.Pattern[bytes]]] = (
    (b"<", re.compile(rb"(<[^>]*>)")),
    (b"UNA", re.compile(rb"([+:'])")),
    (b"UNB", re.compile(rb"([+:'])")),
    (b"MSH", re.compile(rb"([|^~&\r\n])")),
    (b"FHS", re.compile(rb"([|^~&\r\n])")),
)
"""How a form is cut into its parts, by what it begins with; anything else is lines of cells."""

_CELLS = re.compile(rb"([,\r\n])")


def mutated(data: bytes, random: Random) -> bytes:
    """The message with one to four changes; no longer than a fuzzer's message may be."""
    for _ in range(random.randint(1, 4)):
        data = _bytes(data, random) if random.random() < 0.2 else _json(data, random) or _parts(data, random)
    return data[:MOST]


def _bytes(data: bytes, random: Random) -> bytes:
    """Some bytes changed, put in, taken out or cut off, wherever they are."""
    changed = bytearray(data)
    at, length = random.randrange(len(data) + 1), random.choice((1, 1, 2, 8, 64))
    match random.randrange(4):
        case 0:
            changed[at : at + length] = random.randbytes(length)
        case 1:
            changed[at:at] = random.randbytes(length)
        case 2:
            del changed[at : at + length]
        case _:
            del changed[at:]
    return bytes(changed)


def _json(data: bytes, random: Random) -> bytes | None:
    """A JSON document with one of its nodes changed; None for what is no document."""
    if not data.lstrip().startswith((b"{", b"[")) or len(data) > MOST:
        return None
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return None
    holders = list(_holders(document))
    if not holders:
        return None
    holder = random.choice(holders)
    key = random.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    random.choice(_CHANGES)(holder, key, random)
    try:
        return json.dumps(document).encode("utf-8", "surrogatepass")
    except (ValueError, RecursionError):
        return None


def _holders(document: Any) -> list[Any]:
    """Every object and array that holds anything, from the outside in."""
    found, waiting = [], [document]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict | list) and node:
            found.append(node)
            waiting += node.values() if isinstance(node, dict) else node
    return found


def _drop(holder: Any, key: Any, _: Random) -> None:
    del holder[key]


def _rename(holder: Any, key: Any, _: Random) -> None:
    if isinstance(holder, dict):
        holder[f"{key}X"] = holder.pop(key)


def _retype(holder: Any, key: Any, random: Random) -> None:
    values = (None, True, 0, -1.5e300, 10**25, "", " ", "\x00", "\ud800", [], {}, [[]], {"a": {}})
    holder[key] = random.choice(values)


def _wrap(holder: Any, key: Any, _: Random) -> None:
    holder[key] = [holder[key]]


def _many(holder: Any, key: Any, random: Random) -> None:
    holder[key] = [holder[key]] * random.choice((2, 50))


def _inner(holder: Any, key: Any, random: Random) -> None:
    """A text that holds a document of its own (SNS) is changed within."""
    if isinstance(holder[key], str) and (changed := _json(holder[key].encode("utf-8", "surrogatepass"), random)):
        holder[key] = changed.decode()


_CHANGES: Sequence[Callable[[Any, Any, Random], None]] = (_drop, _rename, _retype, _wrap, _many, _inner)


def _parts(data: bytes, random: Random) -> bytes:
    cut = next((pattern for start, pattern in _PARTS if data.lstrip().startswith(start)), _CELLS)
    parts = cut.split(data)
    at, other = random.randrange(len(parts)), random.randrange(len(parts))
    match random.randrange(6):
        case 0:
            del parts[at]
        case 1:
            parts.insert(other, parts[at])
        case 2:
            parts[at], parts[other] = parts[other], parts[at]
        case 3:
            parts[at] = random.choice(ABSURD)
        case 4:
            parts[at] *= min(random.choice((2, 300)), 1 + MOST // (len(parts[at]) or 1))
        case _:
            del parts[min(at, other) : max(at, other)]
    return b"".join(parts)
