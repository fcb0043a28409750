"""Keys made where they are used."""

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.access.assertions import Assertions
from gateway.connecting.keys import ALGORITHMS, KeyExists, new_key, parties_entry, public_half, read_key, write_key
from gateway.connecting.sign_in import Identity, assertion
from gateway.errors import ConfigurationError
from gateway.parties import load_parties

ENDS = datetime(2027, 11, 22, tzinfo=UTC)
NOW = datetime(2026, 11, 22, tzinfo=UTC)
GATEWAY = "http://gateway.test"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_registered_key_signs_its_client_in_until_its_end(algorithm: str, tmp_path: Path) -> None:
    """The lines for the parties file are what the gateway reads, and the assertion is what it verifies."""
    key = new_key("my-force", algorithm, ENDS)
    file = tmp_path / "parties.toml"
    file.write_text(parties_entry("my-force", 'The "Force"', "my-force", "police_custody", key))
    assertions = Assertions(load_parties(file), frozenset({GATEWAY}))
    proved = assertions.read(assertion(Identity(GATEWAY, "my-force", key), NOW), NOW.timestamp())
    assert proved.client == "my-force"


def test_the_private_half_is_in_the_file_alone(tmp_path: Path) -> None:
    """Readable by its owner only; the public half lacks it."""
    key = new_key("my-force", "Ed25519", ENDS)
    file = tmp_path / "my-force.key.json"
    write_key(file, key)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert read_key(file) == key
    assert "d" not in public_half(key)
    assert key["d"] not in parties_entry("my-force", "My Force", "my-force", "prison", key)


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    """A second key under the same name is refused, and the first is still there."""
    file = tmp_path / "key.json"
    first = new_key("my-force", "Ed25519", ENDS)
    write_key(file, first)
    with pytest.raises(KeyExists):
        write_key(file, new_key("my-force", "Ed25519", ENDS))
    assert read_key(file) == first


def test_two_keys_of_one_client_have_two_ids() -> None:
    """So that both can be registered while one follows the other."""
    assert new_key("my-force", "Ed25519", ENDS)["kid"] != new_key("my-force", "Ed25519", ENDS)["kid"]


@pytest.mark.parametrize("client", ["My Force", "", "-", "a" * 81, "a/b"])
def test_a_client_id_that_cannot_be_registered_is_refused(client: str) -> None:
    """Before any key is made."""
    with pytest.raises(ConfigurationError):
        new_key(client, "Ed25519", ENDS)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}', '{"kty": "RSA"}', "\x00"]
)
def test_what_is_no_private_key_is_named_and_not_quoted(text: str, tmp_path: Path) -> None:
    """The sentence names the file, and nothing of what stands in it."""
    file = tmp_path / "key.json"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as raised:
        read_key(file)
    assert str(raised.value) == f"The file {file} holds no private JWK, Ed25519 or P-256."
