"""Somebody new in a local system."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.connecting.keys import new_key
from gateway.errors import ConfigurationError
from gateway.local.installation import prepare
from gateway.local.newcomers import register, senders
from gateway.parties import load_parties

ENDS = datetime(2027, 11, 22, tzinfo=UTC)


def key(client: str) -> dict[str, object]:
    """A key of a client."""
    return new_key(client, "Ed25519", ENDS)


def test_a_newcomer_takes_part_from_every_start_on(tmp_path: Path) -> None:
    """Registered before the first start or after it, and still there after the next, with the key it gave."""
    first = key("my-force")
    register(tmp_path, "my-force", "police_custody", first)
    own = prepare(tmp_path, lambda _: 9000)
    register(tmp_path, "my-prison", "prison", key("my-prison"))
    prepare(tmp_path, lambda _: 9000)
    parties = load_parties(own.parties)
    found = parties.client("my-force")
    assert found is not None
    party, client = found
    assert (party.agency, client.keys[0]["x"]) == ("police_custody", first["x"])
    assert parties.client("my-prison") is not None
    assert parties.client("met-police") is not None


def test_a_newcomer_is_the_first_to_send_its_feed(tmp_path: Path) -> None:
    """Before the agencies that every local system has."""
    register(tmp_path, "zz-force", "police_custody", key("zz-force"))
    prepare(tmp_path, lambda _: 9000)
    assert senders(tmp_path, "police_custody")[0] == "zz-force"
    assert "met-police" in senders(tmp_path, "police_custody")


def test_every_lasars_sends_what_people_ask_it_for(tmp_path: Path) -> None:
    """Its clients are found as senders of self-referrals, and first the one that is cast as such."""
    prepare(tmp_path, lambda _: 9000)
    found = senders(tmp_path, "self_referral")
    assert found[0] == "lasars-enfield"
    assert "lasars-kent" in found


@pytest.mark.parametrize("client", ["my-force", "met-police", "lasars-kent"])
def test_a_name_is_given_once(client: str, tmp_path: Path) -> None:
    """Neither to somebody else's key nor to one of the stand-ins'."""
    register(tmp_path, "my-force", "police_custody", key("my-force"))
    before = (tmp_path / "newcomers.toml").read_text()
    with pytest.raises(ConfigurationError):
        register(tmp_path, client, "police_custody", key("x"))
    assert (tmp_path / "newcomers.toml").read_text() == before


def test_what_could_not_be_started_is_not_registered(tmp_path: Path) -> None:
    """A client id that is no party's name leaves everything as it was."""
    register(tmp_path, "my-force", "police_custody", key("my-force"))
    before = (tmp_path / "newcomers.toml").read_text()
    with pytest.raises(ConfigurationError):
        register(tmp_path, "my.force", "police_custody", key("my.force"))
    assert (tmp_path / "newcomers.toml").read_text() == before
