"""What a template agency's records tell. What becomes of a field that is missing or wrong stands in the table."""

from adapters._template import rules
from adapters._template.adapter import FEED
from adapters.base import Refused
from schemas.care import Referred, Urgency
from tests.support.flat import example, fact, outcome

REFERRAL = example("_template", "accepted/referrals.csv")


def test_a_referral_is_told_with_its_particulars() -> None:
    """What they wrote is what a LASARS reads."""
    event = fact(FEED, REFERRAL | {"postcode": "sk42hd"}).event
    assert isinstance(event, Referred)
    assert event.urgency is Urgency.URGENT
    assert event.reference == "REF-20419"
    assert [address.postcode for address in event.person.addresses] == ["SK4 2HD"]


def test_a_referral_is_taken_back() -> None:
    """The reason is told, under the key of what it takes back."""
    stands, taken_back = fact(FEED, REFERRAL), fact(FEED, REFERRAL | {"record_version": "2", "withdrawn": "W"})
    assert taken_back.withdrawn == "person_withdrew"
    assert taken_back.key == stands.key


def test_a_referral_was_made_before_it_comes() -> None:
    """A day that is yet to come is a mistake."""
    refused = outcome(FEED, REFERRAL | {"referred_on": "2026-02-12"})
    assert isinstance(refused, Refused)
    assert [(finding.rule, finding.field) for finding in refused.findings] == [(rules.REFERRED_LATER, "referred_on")]
