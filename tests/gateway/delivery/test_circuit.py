"""When a recipient is left alone, and when it is tried again."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gateway.delivery.circuit import PERSONS, Circuit
from tests.support.deliveries import person_of

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def failed(circuit: Circuit, person: int, *, shut: bool = False, asked: timedelta | None = None) -> bool:
    """A delivery of this person failed."""
    return circuit.failed(person_of(person), NOW, shut=shut, asked=asked)


def test_one_persons_failures_open_nothing() -> None:
    """However often: that says something about the delivery, not about the recipient."""
    circuit = Circuit(MINUTE)
    assert not any(failed(circuit, 1) for _ in range(100))
    assert not circuit.is_open


def test_several_persons_failures_in_a_row_open_it_once() -> None:
    """Opening is told once; the next trial is a minute away."""
    circuit = Circuit(MINUTE)
    assert [failed(circuit, person) for person in range(PERSONS + 2)] == [False] * (PERSONS - 1) + [True, False, False]
    assert circuit.probe_at == NOW + MINUTE


def test_a_success_between_failures_keeps_it_closed() -> None:
    """The count begins again."""
    circuit = Circuit(MINUTE)
    for person in range(100):
        assert not failed(circuit, person)
        if person % (PERSONS - 1) == PERSONS - 2:
            circuit.succeeded()


def test_a_shut_door_opens_it_at_once() -> None:
    """401, 403, 404, 410: one is enough."""
    assert failed(Circuit(MINUTE), 1, shut=True)


def test_what_waited_because_the_recipient_was_down_is_forgiven() -> None:
    """But a circuit that one delivery opened alone forgives nothing, or that delivery would open it again at once."""
    down, poison = Circuit(MINUTE), Circuit(MINUTE)
    for person in range(PERSONS):
        failed(down, person)
    failed(poison, 1, shut=True)
    assert (down.succeeded(), poison.succeeded()) == (True, False)
    assert not down.is_open
    assert not poison.is_open


@given(st.timedeltas(timedelta(0), timedelta(hours=1)))
def test_a_recipient_that_asks_for_rest_gets_it(asked: timedelta) -> None:
    """The next trial comes no sooner than it asked, and no sooner than our own pause."""
    circuit = Circuit(MINUTE)
    failed(circuit, 1, shut=True, asked=asked)
    assert circuit.probe_at == NOW + max(asked, MINUTE)
