"""When something is due."""

from datetime import UTC, datetime

import pytest

from gateway.addressing.working_time import one_working_day_after


@pytest.mark.parametrize(
    ("day", "due"),
    [(2, 3), (5, 6), (6, 9), (7, 9), (8, 9)],
    ids=["Monday", "Thursday", "Friday", "Saturday", "Sunday"],
)
def test_one_working_day(day: int, due: int) -> None:
    """The next day that is no weekend, at the same time."""
    assert one_working_day_after(datetime(2026, 3, day, 17, 5, tzinfo=UTC)) == datetime(2026, 3, due, 17, 5, tzinfo=UTC)
