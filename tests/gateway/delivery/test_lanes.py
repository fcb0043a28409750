"""The lanes against a model: a queue in a list, and a recipient that answers by chance."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gateway.delivery.delivery import Delivery
from gateway.delivery.lanes import FRESH, PER_LANE, Lanes
from tests.support.deliveries import person_of

FEW = 3
PERSONS = 3
START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def row(position: int, person: UUID, read: datetime, following: datetime | None = None) -> Delivery:
    """A queued delivery as it is read."""
    return Delivery(
        UUID(int=position),
        "lasars-a",
        position,
        person,
        uuid4(),
        "kind",
        "fact",
        "home",
        START,
        None,
        0,
        following,
        None,
        b"",
        b"",
        read=read,
    )


class Courier(RuleBasedStateMachine):
    """What a carrier does with lanes, in any order of events; the list stands for the table."""

    @initialize()
    def begin(self) -> None:
        """Nothing is queued."""
        self.lanes = Lanes(FEW)
        self.now = START
        self.last = 0
        self.state: dict[int, str] = {}
        self.person: dict[int, UUID] = {}
        self.next: dict[int, datetime] = {}
        self.under_way: dict[UUID, int] = {}
        self.done: set[int] = set()

    @rule(persons=st.lists(st.integers(0, PERSONS - 1), min_size=1, max_size=4 * FEW))
    def queue(self, persons: list[int]) -> None:
        """Addressing commits deliveries."""
        for number in persons:
            self.last += 1
            self.state[self.last] = "queued"
            self.person[self.last] = person_of(number)

    def queued(self, person: UUID | None = None) -> list[int]:
        return [p for p, s in self.state.items() if s == "queued" and person in (None, self.person[p])]

    def read(self, position: int) -> Delivery:
        return row(position, self.person[position], self.now, self.next.get(position))

    @rule(most=st.integers(1, 20))
    def page(self, most: int) -> None:
        """The reader reads on."""
        found = [p for p in self.queued() if p > self.lanes.cursor][:most]
        self.lanes.add([self.read(p) for p in found], self.now)

    @rule()
    def read_again(self) -> None:
        """The reader reads the lanes whose turn has come."""
        persons = self.lanes.due(self.now, 3)
        found = [p for person in persons for p in [q for q in self.queued(person) if q <= self.lanes.cursor][:FEW]]
        self.lanes.add_again(persons, [self.read(p) for p in sorted(found)], self.now)

    @rule()
    def take(self) -> None:
        """A worker takes the next: always the person's first, never a second one of a person, never too early."""
        taken = self.lanes.take(self.now)
        if taken is None:
            return
        assert taken.person_id not in self.under_way
        waiting = self.queued(taken.person_id)
        if taken.position in waiting:
            assert taken.position == waiting[0]
        assert not [p for p, s in self.state.items() if s == "parked" and self.person[p] == taken.person_id]
        assert taken.position not in self.done
        assert self.next.get(taken.position, self.now) <= self.now
        assert self.now - taken.read <= FRESH
        self.under_way[taken.person_id] = taken.position

    @rule(times=st.integers(1, PERSONS))
    def carry_on(self, times: int) -> None:
        """What a carrier does all the time."""
        for _ in range(times):
            self.page(20)
            self.read_again()
            self.take()

    @rule(outcome=st.sampled_from(["offered", "again", "parked"]), which=st.integers(0, PERSONS - 1))
    def settle(self, outcome: str, which: int) -> None:
        """An attempt is settled."""
        if not self.under_way:
            return
        person = sorted(self.under_way)[which % len(self.under_way)]
        position = self.under_way.pop(person)
        if self.state[position] != "queued":
            self.lanes.left(person, self.now)
        elif outcome == "again":
            self.next[position] = self.now + timedelta(seconds=30)
            self.lanes.put_off(person, self.next[position])
        elif outcome == "parked":
            self.state[position] = "parked"
            self.lanes.parked(person, position)
        else:
            self.state[position] = "offered"
            self.done.add(position)
            self.lanes.left(person, self.now)

    @rule(which=st.integers(0, 50), to=st.sampled_from(["queued", "offered"]))
    def somebody_deals_with_a_parked_one(self, which: int, to: str) -> None:
        """It is driven again or collected; the reader learns it at its next look."""
        parked = [p for p, s in self.state.items() if s == "parked"]
        if parked:
            position = parked[which % len(parked)]
            self.state[position] = to
            self.next.pop(position, None)
        self.look()

    @rule()
    def look(self) -> None:
        """The reader looks who is blocked."""
        parked: dict[UUID, int] = {}
        for position, state in self.state.items():
            if state == "parked":
                parked.setdefault(self.person[position], position)
        self.lanes.block(parked, self.now)

    @rule(which=st.integers(0, 50))
    def collect(self, which: int) -> None:
        """The recipient reads one from its mailbox meanwhile."""
        queued = self.queued()
        if queued:
            self.state[queued[which % len(queued)]] = "offered"

    @rule(seconds=st.integers(1, 40))
    def wait(self, seconds: int) -> None:
        """Time passes."""
        self.now += timedelta(seconds=seconds)

    @rule()
    def restart(self) -> None:
        """The circuit opens, or it is time to read everything anew."""
        self.lanes.restart()

    @invariant()
    def memory_is_bounded(self) -> None:
        """No lane holds more than its part, whatever is queued."""
        assert 0 <= self.lanes.held <= FEW * PERSONS
        assert self.lanes.under_way == len(self.under_way)

    def teardown(self) -> None:
        """Left alone, with a recipient that takes everything, all that is not blocked arrives in order."""
        if not hasattr(self, "lanes"):
            return
        for person in list(self.under_way):
            self.settle("offered", 0)
            assert person not in self.under_way or self.under_way
        self.look()
        for _ in range(20 * (self.last + 10)):
            self.page(20)
            self.read_again()
            self.take()
            self.settle("offered", 0)
            self.now += timedelta(seconds=1)
        blocked = {self.person[p] for p, s in self.state.items() if s == "parked"}
        assert [p for p in self.queued() if self.person[p] not in blocked] == []
        # Those that were parked and driven again apart, a person's deliveries went out in order.
        assert len(self.lanes) <= len(blocked)


TestCourier = Courier.TestCase
TestCourier.settings = settings(max_examples=120, stateful_step_count=60, deadline=None)


def test_a_person_with_thousands_queued_takes_no_room_from_others() -> None:
    """Of one person's ten thousand a few are held; the next person's one is ready at once."""
    lanes = Lanes()
    one, other = person_of(1), person_of(2)
    lanes.add([row(p, one, START) for p in range(1, 10_001)] + [row(10_001, other, START)], START)
    assert lanes.held == PER_LANE + 1
    assert [d.person_id for d in (lanes.take(START), lanes.take(START)) if d] == [one, other]


def test_what_was_read_long_ago_is_read_again_before_it_is_sent() -> None:
    """It may have been erased or withdrawn meanwhile."""
    lanes = Lanes()
    lanes.add([row(1, person_of(1), START)], START)
    later = START + FRESH + timedelta(seconds=1)
    assert lanes.take(later) is None
    assert lanes.due(later, 10) == [person_of(1)]


def test_the_trial_of_an_open_circuit_goes_out_whatever_its_time() -> None:
    """And alone."""
    lanes = Lanes()
    trial = row(3, person_of(1), START, START + timedelta(hours=1))
    lanes.admit(trial)
    assert lanes.take(START) is trial
    assert lanes.take(START) is None
