"""Signatures, held against the vectors of Standard Webhooks."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.delivery.signing import NotSigned, read_key, sign, signed_content, verify, write_key
from gateway.sealing import Signer
from tests.support.samples import sample

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
OLD, NEW = bytes(range(32)), bytes(range(32, 64))
SIGNER = Signer((NEW,))
KEYS = [write_key(public) for public in SIGNER.public_keys()]
BODY = b'{"id": "x",  "data": {}}'


def vectors() -> list[dict[str, Any]]:
    """The published cases."""
    told = json.loads(sample("contract-suites/standard-webhooks/cases.json").read_text())
    cases: list[dict[str, Any]] = told["cases"]
    return cases


def test_what_is_signed_is_what_the_standard_signs() -> None:
    """The published symmetric signatures come out of our signed content: only the algorithm differs for v1a."""
    for case in (case for case in vectors() if case["valid"]):
        headers = case["headers"]
        content = signed_content(headers["webhook-id"], headers["webhook-timestamp"], case["body"].encode())
        secret = base64.b64decode(case["secret"].removeprefix("whsec_"))
        made = base64.b64encode(hmac.new(secret, content, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{made}"


def test_the_published_verdicts_are_ours() -> None:
    """Each published case, signed our way where its own signature is right, is judged as published."""
    for case in vectors():
        headers, body = dict(case["headers"]), case["body"].encode()
        now = datetime.fromtimestamp(case["now"], UTC)
        if case["name"] != "invalid signature":
            signed_at = datetime.fromtimestamp(int(headers.get("webhook-timestamp", case["now"])), UTC)
            made = sign(SIGNER, headers.get("webhook-id", "none"), signed_at, body)
            headers["webhook-signature"] = made["webhook-signature"]
        try:
            verify(KEYS, headers, body, now)
            verdict = True
        except NotSigned:
            verdict = False
        assert verdict is case["valid"], case["name"]


def test_a_message_verifies_by_either_key_while_keys_rotate() -> None:
    """Two signatures; a recipient that knows only one of the keys is served."""
    both = Signer((NEW, OLD))
    headers = sign(both, "d-1", NOW, BODY)
    assert headers["webhook-signature"].count("v1a,") == 2
    for public in both.public_keys():
        assert verify([write_key(public)], headers, BODY, NOW) == "d-1"


def test_what_is_at_fault_is_said() -> None:
    """Each part that can be wrong has its own sentence."""
    headers = sign(SIGNER, "d-1", NOW, BODY)
    wrong: list[tuple[dict[str, str], bytes, datetime, str]] = [
        ({**headers, "webhook-id": "d-2"}, BODY, NOW, "not by these keys"),
        (headers, json.dumps(json.loads(BODY)).encode(), NOW, "not by these keys"),
        (headers, BODY, NOW + timedelta(seconds=301), "too old"),
        (headers, BODY, NOW - timedelta(seconds=301), "in the future"),
        ({**headers, "webhook-timestamp": "now"}, BODY, NOW, "not a number"),
        ({**headers, "webhook-timestamp": "²"}, BODY, NOW, "not a number"),
        ({**headers, "webhook-signature": "v1,AAAA"}, BODY, NOW, "no signature of version v1a"),
        ({**headers, "webhook-signature": "v1a,%%%"}, BODY, NOW, "not by these keys"),
        ({k: v for k, v in headers.items() if k != "webhook-id"}, BODY, NOW, "webhook-id is missing"),
    ]
    for told, body, now, sentence in wrong:
        with pytest.raises(NotSigned, match=sentence):
            verify(KEYS, told, body, now)


@given(st.binary(max_size=200), st.integers(0, 10_000), st.integers(0, 7))
def test_a_body_changed_by_one_bit_does_not_verify(body: bytes, place: int, bit: int) -> None:
    """Whichever bit."""
    headers = sign(SIGNER, "d-1", NOW, body)
    assert verify(KEYS, headers, body, NOW) == "d-1"
    if body:
        changed = bytearray(body)
        changed[place % len(body)] ^= 1 << bit
        with pytest.raises(NotSigned):
            verify(KEYS, headers, bytes(changed), NOW)


@given(st.text(max_size=60))
def test_reading_a_key_gives_32_bytes_or_a_value_error(text: str) -> None:
    """Nothing else ever."""
    for candidate in (text, f"whpk_{text}"):
        try:
            assert len(read_key(candidate)) == 32
        except ValueError:
            continue
