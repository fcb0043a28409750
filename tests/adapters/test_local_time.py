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
        ("2026-03-29T00:59:59", "2026-03-29T00:59:59", Precision.SECOND, True, None),
        ("2026-03-29T01:00", "2026-03-29T01:00:00", Precision.MINUTE, True, Doubt.SKIPPED),
        ("2026-03-29T01:59:59", "2026-03-29T01:59:59", Precision.SECOND, True, Doubt.SKIPPED),
        ("2026-03-29T02:00", "2026-03-29T01:00:00", Precision.MINUTE, True, None),
        ("2026-03-29T01:30Z", "2026-03-29T01:30:00", Precision.MINUTE, False, None),
        ("2026-10-25T00:59", "2026-10-24T23:59:00", Precision.MINUTE, True, None),
        ("2026-10-25T01:00", "2026-10-25T00:00:00", Precision.MINUTE, True, Doubt.AMBIGUOUS),
        ("2026-10-25T01:59", "2026-10-25T00:59:00", Precision.MINUTE, True, Doubt.AMBIGUOUS),
        ("2026-10-25T01:59+01:00", "2026-10-25T00:59:00", Precision.MINUTE, False, None),
        ("2026-10-25T01:59+00:00", "2026-10-25T01:59:00", Precision.MINUTE, False, None),
        ("2026-10-25T02:00", "2026-10-25T02:00:00", Precision.MINUTE, True, None),
        ("2028-02-29T23:59", "2028-02-29T23:59:00", Precision.MINUTE, True, None),
        ("2000-02-29T12:00", "2000-02-29T12:00:00", Precision.MINUTE, True, None),
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
    [
        "",
        "2011-02-29T10:00",
        "2026-02-29T10:00",
        "1900-02-29T10:00",
        "2012-05-04",
        "04/05/2012 10:00",
        "2012-05-04T24:00",
        "2012-05-04T10:00+24:00",
        "2012-05-04T10:00:60",
        "２０１２-05-04T10:00",
        "0001-01-01T00:00:00+14:00",
        "0001-01-01T00:00:00Z",
        "2012-05-04T10:00 BST",
    ],
)
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


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2012-02-29", date(2012, 2, 29)),
        ("2028-02-29", date(2028, 2, 29)),
        ("2000-02-29", date(2000, 2, 29)),
        ("2026-02-29", None),
        ("1900-02-29", None),
        ("2026-02-30", None),
    ],
)
def test_the_29th_of_february_is_a_day_in_leap_years_alone(written: str, day: date | None) -> None:
    """A day that is none is told so, and never moved to the day before or after."""
    assert read_day(written) == day


@pytest.mark.parametrize(
    ("day", "midnight"),
    [
        (date(2026, 3, 29), datetime(2026, 3, 29, 0, tzinfo=UTC)),
        (date(2026, 3, 30), datetime(2026, 3, 29, 23, tzinfo=UTC)),
        (date(2026, 10, 25), datetime(2026, 10, 24, 23, tzinfo=UTC)),
        (date(2026, 10, 26), datetime(2026, 10, 26, 0, tzinfo=UTC)),
        (date(2012, 3, 25), datetime(2012, 3, 25, 0, tzinfo=UTC)),
        (date(2012, 10, 28), datetime(2012, 10, 27, 23, tzinfo=UTC)),
    ],
)
def test_the_days_the_clocks_change_begin_at_their_own_midnight(day: date, midnight: datetime) -> None:
    """The day of a change begins by the old clock and the next by the new."""
    assert day_moment(day).at == midnight


def test_a_day_is_its_midnight_in_london() -> None:
    """A day in summer begins at eleven the evening before, in UTC."""
    assert day_moment(date(2012, 6, 1)).at == datetime(2012, 5, 31, 23, tzinfo=UTC)
