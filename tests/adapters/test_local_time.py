"""Local time is read as London's, and what the clocks leave open is said."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.local_time import LONDON, Doubt, day_moment, read_day, read_moment
from schemas.base import Precision


@pytest.mark.parametrize(
    ("written", "instant", "precision", "assumed", "doubt"),
    [
        ("2012-05-04T23:41", "2012-05-04T22:41:00", Precision.MINUTE, True, None),
        ("2012-01-04 23:41:09", "2012-01-04T23:41:09", Precision.SECOND, True, None),
        ("2012-05-04T23:41:00Z", "2012-05-04T23:41:00", Precision.SECOND, False, None),
        ("2012-05-04T23:41+01:00", "2012-05-04T22:41:00", Precision.MINUTE, False, None),
        ("2012-05-04T23:41:00.123456789Z", "2012-05-04T23:41:00.123456", Precision.SECOND, False, None),
        ("2012-10-28T01:30", "2012-10-28T00:30:00", Precision.MINUTE, True, Doubt.AMBIGUOUS),
        ("2012-10-28T01:30+00:00", "2012-10-28T01:30:00", Precision.MINUTE, False, None),
        ("2012-03-25T01:30", "2012-03-25T01:30:00", Precision.MINUTE, True, Doubt.SKIPPED),
        ("2012-03-25T02:00", "2012-03-25T01:00:00", Precision.MINUTE, True, None),
        ("2012-02-29T00:00", "2012-02-29T00:00:00", Precision.MINUTE, True, None),
    ],
)
def test_times_are_read(written: str, instant: str, precision: Precision, assumed: bool, doubt: Doubt | None) -> None:
    """A time is one instant, with what was assumed to get there."""
    told = read_moment(written)
    assert told is not None
    assert told.moment.at == datetime.fromisoformat(instant).replace(tzinfo=UTC)
    assert (told.moment.precision, told.moment.zone_assumed, told.doubt) == (precision, assumed, doubt)


@pytest.mark.parametrize(
    "written",
    ["", "2011-02-29T10:00", "2012-05-04", "04/05/2012 10:00", "2012-05-04T24:00", "2012-05-04T10:00+24:00",
     "2012-05-04T10:00:60", "２０１２-05-04T10:00", "0001-01-01T00:00:00+14:00", "2012-05-04T10:00 BST"],
)  # fmt: skip
def test_what_is_no_time_is_none(written: str) -> None:
    """Nothing is guessed: not a day for a time, not a form we did not agree, not the 29th of February 2011."""
    assert read_moment(written) is None


@given(st.text(max_size=40))
def test_any_text_is_read_or_not(text: str) -> None:
    """No text raises."""
    read_moment(text)
    read_day(text)


@given(st.integers(0, 2**31).map(lambda second: datetime.fromtimestamp(second, UTC).replace(tzinfo=None)))
def test_only_the_two_nights_are_in_doubt(at: datetime) -> None:
    """A London time that exists once reads back as itself; every other one is named."""
    told = read_moment(at.isoformat())
    assert told is not None
    back = told.moment.at.astimezone(LONDON).replace(tzinfo=None)
    if told.doubt is Doubt.SKIPPED:
        assert back - at == timedelta(hours=1)
    else:
        assert back == at


def test_a_day_is_its_midnight_in_london() -> None:
    """A day in summer begins at eleven the evening before, in UTC."""
    assert day_moment(date(2012, 6, 1)).at == datetime(2012, 5, 31, 23, tzinfo=UTC)
