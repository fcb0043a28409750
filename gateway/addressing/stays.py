"""What a LASARS is told, when a case opens, of a stay in prison that began before it had anything to do with it."""

from datetime import date, datetime
from typing import Any

from schemas.base import Model
from schemas.imprisonment import LegalStatus, PrisonId

PLACEMENT = "placement"
"""The name under which agreements list what may be told of a stay."""


class StayTold(Model):
    """A stay in prison as it stands: where, since when, in what right, and when it is expected to end."""

    prison: PrisonId | None = None
    since: datetime | None = None
    legal_status: LegalStatus | None = None
    expected_release: date | None = None
    confirmed_release: date | None = None


def tell(since: datetime, place: dict[str, Any], dates: dict[str, Any]) -> StayTold:
    """The stay, from the details kept with where the person is and with when they are expected out."""
    return StayTold(
        prison=place.get("prison"),
        since=since,
        legal_status=dates.get("legal_status") or place.get("legal_status"),
        expected_release=dates.get("expected_release"),
        confirmed_release=dates.get("confirmed_release"),
    )
