"""Client assertions: what proves a client, and the forgeries that do not."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OKPKey, RSAKey

from gateway.access.assertions import AssertionRefused, Assertions
from gateway.errors import ConfigurationError
from gateway.parties import Client, Parties, Party
from tests.support.doors import FORCE, ISSUER, NOW, OTHER_FORCE, PARTIES, Signer

AUDIENCES = frozenset({ISSUER, f"{ISSUER}/oauth2/token"})
ASSERTIONS = Assertions(PARTIES, AUDIENCES)
AT = NOW.timestamp()
UNPROVED = "No registered key of a client of this name made this signature."


def refused(assertion: str, now: float = AT) -> str:
    """The sentence an assertion is refused with."""
    with pytest.raises(AssertionRefused) as caught:
        ASSERTIONS.read(assertion, now)
    return caught.value.sentence


def part(told: Any) -> str:
    """One part of a compact JWS."""
    return urlsafe_b64encode(json.dumps(told).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("signer", [FORCE, OTHER_FORCE])
@pytest.mark.parametrize("audience", [ISSUER, f"{ISSUER}/oauth2/token", [ISSUER]])
def test_a_registered_key_proves_its_client(signer: Signer, audience: Any) -> None:
    """Ed25519 and ES256 keys both do, for the issuer and for the token endpoint."""
    proved = ASSERTIONS.read(signer.assertion(aud=audience, jti="one"), AT)
    assert proved.client == signer.id
    assert proved.id == hashlib.sha256(b"one").digest()
    assert proved.expires > AT + 60


def test_the_older_name_of_ed25519_is_understood() -> None:
    """Most libraries still write EdDSA for what RFC 9864 names Ed25519."""
    header, claims, _ = FORCE.assertion().split(".")
    signing = f"{part({'alg': 'EdDSA', 'kid': '2026'})}.{claims}"
    signature = FORCE.key.private_key.sign(signing.encode())
    assert header
    assert ASSERTIONS.read(f"{signing}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}", AT).client == FORCE.id


def test_a_second_key_serves_while_keys_are_changed() -> None:
    """Both of a client's keys prove it, so that a change needs no instant at which everything changes."""
    old, new = OKPKey.generate_key("Ed25519"), ECKey.generate_key("P-256")
    keys = ({**old.as_dict(private=False), "kid": "old"}, {**new.as_dict(private=False), "kid": "new"})
    both = Assertions(Parties((Party(id="p", name="p", clients=(Client(id="c", keys=keys),)),)), AUDIENCES)
    for signer in (Signer("c", old, "Ed25519", "old"), Signer("c", new, "ES256", "new"), Signer("c", new, "ES256")):
        assert both.read(signer.assertion(), AT).client == "c"


def test_a_key_past_its_end_proves_nothing() -> None:
    """To the second; a key that is registered beside it goes on serving."""
    ends = int(NOW.timestamp()) + 100
    keys = ({**FORCE.public(), "exp": ends}, OTHER_FORCE.public())
    ending = Assertions(Parties((Party(id="p", name="p", clients=(Client(id=FORCE.id, keys=keys),)),)), AUDIENCES)
    assert ending.read(FORCE.assertion(), ends - 1).client == FORCE.id
    with pytest.raises(AssertionRefused, match="No registered key"):
        ending.read(FORCE.assertion(), ends)
    other = Signer(FORCE.id, OTHER_FORCE.key, OTHER_FORCE.algorithm)
    assert ending.read(other.assertion(), ends).client == FORCE.id


def test_another_key_proves_nothing() -> None:
    """A signature by a key that is not registered for this client is refused, whoever it belongs to."""
    stranger = Signer(FORCE.id, OKPKey.generate_key("Ed25519"), "Ed25519")
    colleague = Signer(FORCE.id, OTHER_FORCE.key, "ES256")
    assert refused(stranger.assertion()) == UNPROVED
    assert refused(colleague.assertion()) == UNPROVED


def test_an_unknown_client_is_told_the_same_as_a_wrong_key() -> None:
    """Nobody learns which clients exist."""
    assert refused(Signer("nobody", FORCE.key, "Ed25519").assertion()) == UNPROVED


def test_an_unknown_key_id_proves_nothing() -> None:
    """A header that names a key we do not know is refused, although the signature would hold."""
    assert refused(FORCE.assertion(header={"kid": "2019"})) == UNPROVED
    assert refused(FORCE.assertion(header={"kid": OTHER_FORCE.key.thumbprint()})) == UNPROVED


def test_no_algorithm_proves_nothing() -> None:
    """`none`, in any spelling, with or without a signature."""
    claims = part(FORCE.claims())
    for name in ("none", "None", "NONE", "nOnE"):
        assert "not a signed JWT" in refused(f"{part({'alg': name})}.{claims}.")
        assert refused(f"{part({'alg': name})}.{claims}.AAAA") == UNPROVED


def test_a_mac_made_of_the_public_key_proves_nothing() -> None:
    """The key decides the algorithm, so a public key is never taken for a shared secret."""
    signing = f"{part({'alg': 'HS256', 'kid': '2026'})}.{part(FORCE.claims())}"
    for secret in (
        FORCE.key.private_key.public_key().public_bytes_raw(),
        FORCE.key.as_pem(private=False),
        FORCE.public()["x"],
    ):
        made = secret if isinstance(secret, bytes) else secret.encode()
        signature = hmac.new(made, signing.encode(), hashlib.sha256).digest()
        assert refused(f"{signing}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}") == UNPROVED


def test_an_algorithm_of_another_key_proves_nothing() -> None:
    """An ES256 header over an Ed25519 key's signature is refused, and the other way round."""
    claims = part(FORCE.claims())
    signing = f"{part({'alg': 'ES256'})}.{claims}"
    signature = urlsafe_b64encode(FORCE.key.private_key.sign(signing.encode())).rstrip(b"=").decode()
    assert refused(f"{signing}.{signature}") == UNPROVED
    rsa = Signer(FORCE.id, RSAKey.generate_key(2048), "RS256")  # type: ignore[arg-type]
    assert refused(rsa.assertion()) == UNPROVED


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c", "crit", "b64"])
def test_a_header_may_not_bring_its_own_key(name: str) -> None:
    """Parameters that say where a key is, or how else to read the JWT, are refused before any is tried."""
    header, claims, signature = FORCE.assertion().split(".")
    assert header
    told = {"alg": "Ed25519", name: FORCE.public() if name == "jwk" else "https://elsewhere.test"}
    assert "not a signed JWT" in refused(f"{part(told)}.{claims}.{signature}")


def test_an_altered_claim_proves_nothing() -> None:
    """The signature covers every byte."""
    header, _, signature = FORCE.assertion().split(".")
    assert refused(f"{header}.{part(FORCE.claims(exp=int(AT) + 200))}.{signature}") == UNPROVED


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"sub": OTHER_FORCE.id}, "iss and sub"),
        ({"sub": None}, "iss and sub"),
        ({"aud": "https://another.test"}, "aud"),
        ({"aud": None}, "aud"),
        ({"aud": []}, "aud"),
        ({"aud": [ISSUER, "https://another.test"]}, "aud"),
        ({"exp": None}, "exp is missing"),
        ({"exp": int(AT) - 61}, "expired"),
        ({"exp": int(AT) + 361}, "at most 300 seconds"),
        ({"exp": "soon"}, "not a time"),
        ({"exp": True}, "not a time"),
        ({"exp": float("inf")}, "not a time|not a signed JWT"),
        ({"iat": int(AT) + 61}, "iat is in the future"),
        ({"nbf": int(AT) + 61}, "nbf is in the future"),
        ({"jti": None}, "jti"),
        ({"jti": ""}, "jti"),
        ({"jti": 7}, "jti"),
        ({"jti": "x" * 257}, "jti"),
    ],
)
def test_a_wrong_claim_is_named(changed: dict[str, Any], sentence: str) -> None:
    """Once the signature holds, the sentence says which claim to mend."""
    told = refused(FORCE.assertion(**changed))
    assert any(one in told for one in sentence.split("|"))


def test_clocks_may_differ_by_a_minute_and_no_more() -> None:
    """A minute either way is taken; ten minutes, as of a clock that was never set, is refused."""
    for minutes in (-1, 1):
        assert ASSERTIONS.read(FORCE.assertion(NOW + timedelta(minutes=minutes)), AT).client == FORCE.id
    for minutes in (-10, 10):
        refused(FORCE.assertion(NOW + timedelta(minutes=minutes)))


def test_an_assertion_is_remembered_for_as_long_as_it_would_be_taken() -> None:
    """When we forget it, its own time is over: there is no instant at which it can serve again."""
    assertion = FORCE.assertion()
    forgotten = ASSERTIONS.read(assertion, AT).expires
    assert refused(assertion, float(forgotten)) == "The assertion has expired."


@given(st.one_of(st.text(), st.lists(st.text(), min_size=3, max_size=3).map(".".join)))
def test_whatever_is_sent_is_refused_by_a_sentence(assertion: str) -> None:
    """No text makes the reader raise anything else."""
    assert refused(assertion)


@given(st.dictionaries(st.sampled_from(["iss", "sub", "aud", "exp", "iat", "nbf", "jti"]), st.from_type(object)))
def test_whatever_is_claimed_is_refused_by_a_sentence(told: dict[str, Any]) -> None:
    """Claims of any JSON type, unsigned."""
    body = urlsafe_b64encode(json.dumps(told, default=str).encode()).rstrip(b"=").decode()
    assert refused(f"{part({'alg': 'Ed25519'})}.{body}.AAAA")


@pytest.mark.parametrize(
    "key",
    [
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "OKP", "crv": "X25519", "x": "AAAA"},
        {"kty": "OKP", "crv": "Ed25519", "x": "AAAA"},
        {"kty": "EC", "crv": "P-256", "x": "AAAA"},
        {"kty": "EC", "crv": "P-521", "x": "AAAA", "y": "AAAA"},
        {},
    ],
)
def test_a_registered_key_that_cannot_be_used_stops_the_start(key: dict[str, Any]) -> None:
    """A parties file with such a key is a fault of the installation, told at once with the client's name."""
    parties = Parties((Party(id="p", name="p", clients=(Client(id="c", keys=(key,)),)),))
    with pytest.raises(ConfigurationError, match="client c"):
        Assertions(parties, AUDIENCES)
