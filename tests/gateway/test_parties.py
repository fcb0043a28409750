"""Which feeds a party may send, and what no two parties may share."""

from pathlib import Path

import pytest

from gateway.errors import ConfigurationError
from gateway.parties import Party, load_parties

LASARS = {"recipient": True, "service": "lasars", "area": "enfield"}


@pytest.mark.parametrize(
    ("party", "sends"),
    [
        (Party(id="dwp", name="DWP", agency="dwp"), {"dwp"}),
        (Party(id="lasars", name="Enfield", **LASARS), {"self_referral"}),
        (Party(id="lasars", name="Enfield", agency="gp", **LASARS), {"gp", "self_referral"}),
        (Party(id="verifier", name="Verifier", recipient=True), set()),
    ],
)
def test_a_party_sends_its_agencys_feed_and_a_lasars_what_it_is_asked(party: Party, sends: set[str]) -> None:
    """A LASARS needs no entry of its own to hand on a self-referral; nobody else may."""
    feeds = {"dwp", "gp", "police_custody", "prison", "probation", "self_referral"}
    assert {feed for feed in feeds if party.sends(feed)} == sends


CLIENT = 'name = "x"\nagency = "gp"\n[[parties.{0}.clients]]\nid = "one"\nkeys = [{{ kty = "OKP" }}]\n'
FOLDER = 'name = "x"\nagency = "gp"\ndrop = {{ folder = "{1}" }}\n'
PORT = 'name = "x"\nagency = "gp"\nmllp = {{ port = 2575 }}\n'
AREA = 'name = "x"\nrecipient = true\nservice = "lasars"\narea = "enfield"\n'


@pytest.mark.parametrize(
    ("entry", "shared"),
    [(CLIENT, "client"), (FOLDER, "folder"), (PORT, "port"), (AREA, "area")],
    ids=["client", "folder", "port", "area"],
)
def test_what_says_whose_a_message_is_belongs_to_one_party(tmp_path: Path, entry: str, shared: str) -> None:
    """Two parties with one of it stop the start, by name: else the one would send as the other."""
    (tmp_path / "in").mkdir()
    (tmp_path / "also").symlink_to(tmp_path / "in")
    file = tmp_path / "parties.toml"
    alone = "[parties.a]\n" + entry.format("a", tmp_path / "in")
    file.write_text(alone)
    assert [party.id for party in load_parties(file).all] == ["a"]
    file.write_text(alone + "[parties.b]\n" + entry.format("b", tmp_path / "also"))
    with pytest.raises(ConfigurationError, match=rf"a and b have the same {shared}"):
        load_parties(file)
