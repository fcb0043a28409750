"""Working days, as far as due times need them."""

from datetime import datetime, timedelta

_SATURDAY = 5


def one_working_day_after(now: datetime) -> datetime:
    """The same time on the next day that is neither Saturday nor Sunday. Bank holidays count as working days."""
    due = now + timedelta(days=1)
    while due.weekday() >= _SATURDAY:
        due += timedelta(days=1)
    return due
