"""Which feeds a party may send."""

import pytest

from gateway.parties import Party

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
