"""Blind indexes, by the standard library's own hand."""

import hashlib
import hmac

from hypothesis import given
from hypothesis import strategies as st

from gateway.sealing import BlindIndex


@given(pepper=st.binary(min_size=32, max_size=32), purpose=st.sampled_from(("lane", "fact")), value=st.text())
def test_an_index_is_found_again(pepper: bytes, purpose: str, value: str) -> None:
    """What is stored under an index today is found under it tomorrow, whatever library makes the hash."""
    expected = hmac.new(pepper, f"{purpose}\0{value}".encode(), hashlib.sha256).digest()[:16]
    index = BlindIndex(pepper)
    assert index.of(purpose, value) == index.of(purpose, value.encode()) == expected
