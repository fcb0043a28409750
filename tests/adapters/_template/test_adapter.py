"""What a template agency's records tell. What becomes of wrong fields stands in the table."""

from adapters._template.adapter import FEED
from schemas.care import Referred, Urgency
from tests.support.flat import example, fact, unlisted

REFERRAL = example("_template", "accepted/referrals.csv")


def test_a_referral_is_told_with_its_particulars() -> None:
    """What they wrote is what a LASARS reads."""
    event = fact(FEED, REFERRAL | {"postcode": "sk41bs"}).event
    assert isinstance(event, Referred)
    assert event.urgency is Urgency.URGENT
    assert event.reference == "REF-20419"
    assert [address.postcode for address in event.person.addresses] == ["SK4 1BS"]


def test_a_referral_is_taken_back() -> None:
    """The reason is told, under the key of what it takes back."""
    stands, taken_back = fact(FEED, REFERRAL), fact(FEED, REFERRAL | {"record_version": "2", "withdrawn": "W"})
    assert taken_back.withdrawn == "person_withdrew"
    assert taken_back.key == stands.key


def test_every_field_stands_in_the_contract() -> None:
    """What is read is what was agreed, by the names it has there."""
    assert unlisted(FEED) == set(), "each wants a line in the table of fields of the contract's README"
