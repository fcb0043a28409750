"""Access tokens and the callers they name."""

import os
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwt
from joserfc.jwk import OctKey
from starlette.requests import Request

from gateway.access.caller import Access
from gateway.access.tokens import LIFETIME, Tokens
from gateway.parties import Parties
from gateway.problems import Problem
from tests.support.doors import FORCE, ISSUER, NOW, PARTIES, SECRETS, STOCKPORT, Standing, access, bearer, token


def refused(who: Access, value: str | None) -> Problem:
    """The problem an Authorization header is answered with."""
    with pytest.raises(Problem) as caught:
        who.from_header(value)
    assert caught.value.kind.status == 401
    assert caught.value.headers["www-authenticate"].startswith("Bearer ")
    return caught.value


def request(*headers: tuple[str, str]) -> Request:
    """A request with these headers."""
    return Request({"type": "http", "headers": [(name.encode(), value.encode()) for name, value in headers]})


def test_a_token_names_its_client_and_party() -> None:
    """Whoever carries a token is the client it was issued to, acting for the party that client is bound to."""
    caller = access().from_header(bearer(STOCKPORT)["authorization"])
    assert (caller.client, caller.party.id) == (STOCKPORT.id, "lasars-stockport")


def test_a_token_lasts_ten_minutes_also_when_it_is_remembered() -> None:
    """Remembering a verified token does not lengthen its life."""
    clock = Standing()
    who = access(clock)
    value = bearer()["authorization"]
    for _ in range(2):
        assert who.from_header(value).client == FORCE.id
    clock.move(timedelta(seconds=LIFETIME))
    assert "expired" in refused(who, value).detail


def test_what_is_no_token_of_ours_is_refused() -> None:
    """No header, another scheme, another installation's token, an altered one, one for another issuer."""
    who = access()
    mine = token()
    head, body, signature = mine.split(".")
    foreign = Tokens(os.urandom(32), ISSUER).issue(FORCE.id, NOW.timestamp())
    elsewhere = Tokens(SECRETS.tokens, "https://elsewhere.test").issue(FORCE.id, NOW.timestamp())
    for value in (None, "", "Bearer", "Bearer ", f"Basic {mine}", mine, f"Bearer {foreign}", f"Bearer {elsewhere}"):
        refused(who, value)
    for altered in (f"{head}.{body}.", f"{head}.{body[:-2]}.{signature}", f"{head}.{body}", "x" * 5000, "é.é.é"):
        assert 'error="invalid_token"' in refused(who, f"Bearer {altered}").headers["www-authenticate"]


def test_a_token_signed_by_other_means_is_refused() -> None:
    """An HMAC made with our public key, and an assertion carried as if it were a token."""
    key = OctKey.import_key(Ed25519PrivateKey.from_private_bytes(SECRETS.tokens).public_key().public_bytes_raw())
    claims = {"iss": ISSUER, "aud": ISSUER, "sub": FORCE.id, "exp": int(NOW.timestamp()) + 60}
    made = jwt.encode({"alg": "HS256", "typ": "at+jwt"}, claims, key, algorithms=["HS256"])
    for value in (made, FORCE.assertion()):
        refused(access(), f"Bearer {value}")


def test_a_client_that_is_no_longer_registered_is_refused() -> None:
    """A token outlives no registration."""
    who = Access(Tokens(SECRETS.tokens, ISSUER), Parties(()), Standing())
    assert "no longer registered" in refused(who, bearer()["authorization"]).detail


def test_two_authorization_headers_are_none() -> None:
    """Which of two would count is for nobody to choose."""
    one = bearer()["authorization"]
    assert access().caller(request(("authorization", one))).client == FORCE.id
    with pytest.raises(Problem):
        access().caller(request(("authorization", one), ("authorization", one)))


def test_what_is_remembered_has_an_end() -> None:
    """Many tokens do not fill the memory, and each is still known by its signature."""
    who = Access(Tokens(SECRETS.tokens, ISSUER), PARTIES, Standing(), remembered=3)
    values = [bearer()["authorization"] for _ in range(10)]
    for value in [*values, *values]:
        assert who.from_header(value).client == FORCE.id
        assert len(who.remembered) <= 3
