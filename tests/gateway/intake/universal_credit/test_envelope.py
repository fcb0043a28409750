"""Universal Credit's messages, taken apart and decrypted as its topics carry them."""

import base64
import os
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.intake.universal_credit.envelope import Encrypted, Undecodable, read_encrypted
from gateway.sealing import open_counter_mode
from tests.support.universal_credit import SEALING_KEY, Keys, claimant, published

DOCUMENT = claimant("3e7c5f7c-5a0a-4c8e-8f7e-1d2c3b4a5f60")


def test_aes_in_counter_mode_is_the_published_one() -> None:
    """NIST SP 800-38A, F.5.1: the first block of CTR-AES128."""
    key = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
    counter = bytes.fromhex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
    sealed = bytes.fromhex("874d6191b620e3261bef6864990db6ce")
    assert open_counter_mode(key, counter, sealed).hex() == "6bc1bee22e409f96e93d7e117393172a"


def test_a_message_is_decrypted_into_what_the_adapter_reads() -> None:
    """The document stands where its sealed form stood, and how it was sealed is gone."""
    keys = Keys()
    encrypted = read_encrypted(published(keys, DOCUMENT))
    told = orjson.loads(encrypted.decrypted(keys.known[SEALING_KEY, encrypted.sealed_key]))
    assert told["message"]["dbObject"] == DOCUMENT
    assert told["message"]["collection"] == "claimant"
    assert "encryption" not in told["message"]
    assert told["timestamp"] == "2026-01-10T07:27:36.105+0000"


@pytest.mark.parametrize("key", [os.urandom(16), b"short", b""])
def test_another_key_opens_nothing(key: bytes) -> None:
    """Counter mode proves nothing, so what comes out must be a JSON object."""
    with pytest.raises(Undecodable, match="undecryptable"):
        read_encrypted(published(Keys(), DOCUMENT)).decrypted(key)


def test_an_empty_document_is_none() -> None:
    """Nothing decrypts to nothing."""
    keys = Keys()
    message = orjson.loads(published(keys, DOCUMENT))
    (key,) = keys.known.values()
    encrypted = read_encrypted(orjson.dumps(message))
    empty = Encrypted(encrypted.key_id, encrypted.sealed_key, encrypted.counter, b"", encrypted.envelope)
    with pytest.raises(Undecodable, match="undecryptable"):
        empty.decrypted(key)


def without(*path: str) -> bytes:
    """A good message from which something is missing."""
    told: dict[str, Any] = orjson.loads(published(Keys(), DOCUMENT))
    inner = told
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return orjson.dumps(told)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\x00\xff",
        b"[]",
        b"{}",
        b'{"message": "text"}',
        without("message"),
        without("message", "dbObject"),
        without("message", "encryption"),
        without("message", "encryption", "keyEncryptionKeyId"),
        without("message", "encryption", "encryptedEncryptionKey"),
        without("message", "encryption", "initialisationVector"),
        published(Keys(), DOCUMENT, dbObject={"_id": 1}),
        published(Keys(), DOCUMENT, dbObject="no base64!"),
        published(Keys(), DOCUMENT, encryption=None),
    ],
)
def test_what_is_no_such_message_is_named(value: bytes) -> None:
    """It names why, and no value."""
    with pytest.raises(Undecodable) as fault:
        read_encrypted(value)
    assert str(fault.value) == "undecodable"


@given(st.binary(max_size=400))
def test_whatever_bytes_come_nothing_else_is_raised(value: bytes) -> None:
    """Bytes of anybody's making."""
    for tried in (value, published(Keys(), DOCUMENT, dbObject=base64.b64encode(value).decode())):
        try:
            read_encrypted(tried).decrypted(os.urandom(16))
        except Undecodable as fault:
            assert str(fault) in ("undecodable", "undecryptable")  # noqa: PT017 - being refused is one right answer
