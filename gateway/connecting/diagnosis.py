"""Why a signature does not verify: which part of a signed message is not what was signed.

A signature says only yes or no. So what usually goes wrong is undone, one thing at a time, and whatever makes the
signature verify was the fault: a body written anew, a header changed on the way, another key.
"""

import base64
import binascii
import enum
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from gateway.delivery.signing import ID, SIGNATURE, TIMESTAMP, NotSigned, verify

_AROUND: Final = timedelta(hours=1)
"""How far around a timestamp the one that was signed is looked for."""


class Part(enum.StrEnum):
    """What can be wrong, by the part it is wrong in."""

    NOTHING = "nothing"
    HEADER_MISSING = "header_missing"
    ID = "id"
    TIMESTAMP_FORM = "timestamp_form"
    TIMESTAMP_CHANGED = "timestamp_changed"
    TIMESTAMP_OLD = "timestamp_old"
    TIMESTAMP_FUTURE = "timestamp_future"
    SIGNATURE_FORM = "signature_form"
    SIGNATURE_VERSION = "signature_version"
    BODY = "body"
    KEY = "key"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is wrong with a signed message, and what to do about it. Neither sentence holds a value of the body."""

    part: Part
    sentence: str
    fix: str

    @property
    def good(self) -> bool:
        """Whether the signature verifies, and is of now."""
        return self.part is Part.NOTHING


_FINE: Final = Diagnosis(Part.NOTHING, "The signature verifies: id, timestamp and body are what was signed.", "")
_OLD: Final = Diagnosis(
    Part.TIMESTAMP_OLD,
    "The signature verifies, but its timestamp is more than five minutes old.",
    "A message that was kept is no attack; one that arrives so late is refused. Is the verifier's clock right?",
)
_FUTURE: Final = Diagnosis(
    Part.TIMESTAMP_FUTURE,
    "The signature verifies, but its timestamp is more than five minutes ahead.",
    "Set the verifier's clock right.",
)
_FORM: Final = Diagnosis(
    Part.SIGNATURE_FORM,
    f"{SIGNATURE} holds no Ed25519 signature: each is v1a, a comma, and 64 bytes in base64.",
    "Keep the header whole; several signatures have one space between them.",
)
_VERSION: Final = Diagnosis(
    Part.SIGNATURE_VERSION,
    f"{SIGNATURE} holds signatures of other versions only; this gateway signs as v1a (Ed25519).",
    "Look for v1a. A library that knows v1 alone cannot verify these.",
)
_UNKNOWN: Final = Diagnosis(
    Part.UNKNOWN,
    "None of these keys signed this. The id, the body, or the key is another one.",
    "Take the keys from /v1/keys of the gateway that sent it, and id and body as they came.",
)


def diagnose(
    keys: Sequence[str], headers: Mapping[str, str], body: bytes, now: datetime, others: Sequence[str] = ()
) -> Diagnosis:
    """Which part of a signed message differs from what was signed.

    headers: with lower-case names. keys: what the recipient verifies with. others: what the gateway signs with now.
    Raises ValueError for a key that is none.
    """
    wrong = _form(headers)
    if wrong is not None:
        return wrong
    signed_at = datetime.fromtimestamp(int(headers[TIMESTAMP]), now.tzinfo)
    if _verifies(keys, headers, body):
        age = now - signed_at
        return _OLD if age > timedelta(minutes=5) else _FUTURE if age < -timedelta(minutes=5) else _FINE
    if _verifies(others, headers, body):
        return Diagnosis(
            Part.KEY,
            "It is signed by a key of this gateway that is not among yours.",
            "Take the keys from /v1/keys again: they change.",
        )
    every = [*keys, *others]
    for how, written in _rewritten(body):
        if _verifies(every, headers, written):
            return Diagnosis(
                Part.BODY,
                f"The body is not the bytes that were signed: {how}.",
                "Verify the bytes as they arrived, before anything parses them.",
            )
    for name in _ids(body):
        if _verifies(every, {**headers, ID: name}, body):
            return Diagnosis(Part.ID, f"{ID} is not the id that was signed.", f"Pass {ID} on as it came.")
    for seconds in range(1, int(_AROUND.total_seconds()) + 1):
        for moved in (seconds, -seconds):
            told = {**headers, TIMESTAMP: str(int(headers[TIMESTAMP]) + moved)}
            if _verifies(every, told, body):
                way = "later" if moved > 0 else "earlier"
                return Diagnosis(
                    Part.TIMESTAMP_CHANGED,
                    f"{TIMESTAMP} is not what was signed; that was {abs(moved)} s {way}.",
                    f"Pass {TIMESTAMP} on as it came; it is not the time of arrival.",
                )
    return _UNKNOWN


def _form(headers: Mapping[str, str]) -> Diagnosis | None:
    """What is wrong with the headers before any key is tried."""
    for name in (ID, TIMESTAMP, SIGNATURE):
        if not headers.get(name):
            return Diagnosis(
                Part.HEADER_MISSING, f"{name} is missing.", "Does a proxy or a framework on the way drop or rename it?"
            )
    timestamp = headers[TIMESTAMP]
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 11):
        what = "in milliseconds" if timestamp.isdigit() else "not a number"
        return Diagnosis(
            Part.TIMESTAMP_FORM, f"{TIMESTAMP} is {what}; it is in seconds since 1970.", "Pass it on as it came."
        )
    signatures = headers[SIGNATURE].split(" ")
    ours = [one.removeprefix("v1a,") for one in signatures if one.startswith("v1a,")]
    if not ours:
        return _VERSION if any("," in one for one in signatures) else _FORM
    return None if any(_is_signature(one) for one in ours) else _FORM


def _is_signature(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == 64
    except (binascii.Error, ValueError):
        return False


def _verifies(keys: Sequence[str], headers: Mapping[str, str], body: bytes) -> bool:
    """Whether one of the keys signed this, whenever that was."""
    then = datetime.fromtimestamp(int(headers[TIMESTAMP])).astimezone()
    try:
        verify(keys, headers, body, then)
    except NotSigned:
        return False
    return True


def _rewritten(body: bytes) -> Iterator[tuple[str, bytes]]:
    """What the body may have been before something on the way wrote it anew."""
    yield "an empty line was added at its end", body.rstrip(b"\r\n")
    yield "the line break at its end is gone", body + b"\n"
    yield "the line break at its end is gone", body + b"\r\n"
    yield "its line breaks were changed", body.replace(b"\r\n", b"\n")
    yield "its line breaks were changed", body.replace(b"\n", b"\r\n")
    yield "a byte order mark was put before it", body.removeprefix(b"\xef\xbb\xbf")
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return
    for write in _WRITERS:
        yield "it was parsed and written again (re-serialised)", write(told).encode("utf-8", "surrogatepass")


def _writer(**how: Any) -> Callable[[object], str]:
    return lambda told: json.dumps(told, **how)


_WRITERS: Final = tuple(
    _writer(separators=separators, ensure_ascii=escaped, sort_keys=ordered, indent=indent)
    for separators, indent in (((",", ":"), None), ((", ", ": "), None), (None, 2), (None, 4))
    for escaped in (False, True)
    for ordered in (False, True)
)


def _ids(body: bytes) -> Iterator[str]:
    """The id that the body itself gives, if it gives one."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return
    if isinstance(told, dict) and isinstance(told.get("id"), str):
        yield told["id"]
