"""The search finds every personal value in every spelling, and nothing else."""

import base64
import random
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.local import people
from gateway.local.people import HOMES
from tests.support.canary import Canaries, Leak

SPELLINGS = {
    "as it is": str.encode,
    "in capitals": lambda value: value.upper().encode(),
    "URL-encoded": lambda value: quote(value, safe="").encode(),
    "in a form": lambda value: quote_plus(value).encode(),
    "every character URL-encoded": lambda value: "".join(f"%{ord(one):02x}" for one in value).encode(),
    "in hexadecimal": lambda value: value.encode().hex().encode(),
    "in base64": lambda value: base64.b64encode(value.encode()),
    "in base64 for URLs": lambda value: base64.urlsafe_b64encode(value.encode()).rstrip(b"="),
}
numbers = st.integers(min_value=0, max_value=999_999)


@pytest.mark.parametrize("spelling", SPELLINGS)
@given(number=numbers, home=st.sampled_from([*HOMES, "elsewhere"]))
def test_every_value_is_found_in_every_spelling(spelling: str, number: int, home: str) -> None:
    """Whichever personal field of whomever it is, and however it is written."""
    search = Canaries()
    for value in search.person(number, home).personal:
        assert search.find([("there", b'{"x":"' + SPELLINGS[spelling](value) + b'"}')])


@given(number=numbers, before=st.binary(max_size=40), after=st.binary(max_size=40))
def test_a_value_inside_something_longer_is_found_wherever_it_begins(number: int, before: bytes, after: bytes) -> None:
    """A whole document in base64 or hexadecimal hides nobody."""
    search = Canaries()
    document = before + b" " + search.person(number).surname.encode() + b" " + after
    for blob in (base64.b64encode(document), base64.urlsafe_b64encode(document), document.hex().encode()):
        assert search.find([("there", blob)])


@given(number=numbers, other=numbers)
def test_somebody_else_is_not_found(number: int, other: int) -> None:
    """Only those who are looked for: the ordinary invented people of examples set nothing off."""
    search = Canaries([people.person(number, None, canary=True)])
    values = people.person(other, "enfield", canary=other != number).personal
    shared = {str(people.person(number, None).born), *people.person(number, None).personal}
    assert search.find([("there", value.encode()) for value in values if value not in shared]) == set()


def test_random_bytes_are_nobody() -> None:
    """What is sealed looks like nobody: a million bytes of noise, and a thousand people to find in it."""
    search = Canaries(people.person(number, "stockport", canary=True) for number in range(1000))
    noise = random.Random(5).randbytes(1 << 20)
    assert search.find(
        [("noise", noise), ("as base64", base64.b64encode(noise)), ("as hex", noise.hex().encode())]
    ) == (set())


def test_a_leak_says_where_and_of_what_and_not_whose() -> None:
    """The message of a leak is no leak."""
    search = Canaries()
    person = search.person(7)
    found = search.find([("the log", b"first\nsecond " + person.surname.encode())])
    assert found == {Leak("the log, line 2", "surname", "as it is")}
    assert not search.find([("what was told", str(one).encode()) for one in found])
