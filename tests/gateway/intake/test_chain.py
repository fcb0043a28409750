"""What one more statement about a fact amounts to."""

import uuid
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from gateway.intake.chain import SHARDS, Head, Minted, Repeat, Settling, chain, shard_of
from schemas.base import Change, Fact, Moment, body_of
from tests.support.facts import INDEX, NAMESPACE, NOW, SETTLE, reception

SENDER = "met-police"


def tell(fact: Fact, heads: dict[bytes, Head], settling: dict[uuid.UUID, Settling] | None = None) -> Minted | Repeat:
    """Chain a fact at a fixed time."""
    return chain(fact, SENDER, heads, settling if settling is not None else {}, INDEX, NAMESPACE, NOW, SETTLE)


def minted(link: Minted | Repeat) -> Minted:
    """The link, which must be a new event."""
    assert isinstance(link, Minted)
    return link


def test_the_first_statement_is_a_fact() -> None:
    """What nobody told before supersedes nothing."""
    first = minted(tell(reception(), {}))
    assert (first.change, first.supersedes, first.state) == (Change.FACT, None, None)


def test_the_same_statement_again_is_no_event() -> None:
    """A record sent three times makes one event."""
    heads: dict[bytes, Head] = {}
    tell(reception(), heads)
    assert isinstance(tell(reception(), heads), Repeat)
    assert isinstance(tell(reception(), heads), Repeat)


def test_what_stands_the_same_at_another_time_is_no_event() -> None:
    """Of what lasts the same told an hour later is a repeat, and what is written down still says when."""
    heads: dict[bytes, Head] = {}
    standing = replace(reception(), lasting=True)
    assert standing.event is not None
    later = standing.event.model_copy(update={"occurred": Moment(at=NOW + timedelta(hours=1))})
    first = minted(tell(standing, heads))
    assert first.body == body_of(standing.event)
    assert isinstance(tell(replace(standing, event=later), heads), Repeat)
    moved = later.model_copy(update={"prison": "NSI"})
    second = minted(tell(replace(standing, event=moved), heads))
    assert (second.supersedes, second.body) == (first.id, body_of(moved))
    assert isinstance(tell(replace(reception("two"), event=later), {}), Minted)


def test_changed_and_changed_back_are_two_corrections() -> None:
    """A, B, A are three events, each superseding the one before."""
    heads: dict[bytes, Head] = {}
    a, b, again = (minted(tell(reception(prison=prison), heads)) for prison in ("LII", "NSI", "LII"))
    assert [b.change, again.change] == [Change.CORRECTION, Change.CORRECTION]
    assert [b.supersedes, again.supersedes] == [a.id, b.id]
    assert len({a.id, b.id, again.id}) == 3


def test_a_withdrawal_retracts_and_keeps_nothing_of_the_content() -> None:
    """A retraction says the kind and the reason, and nothing else."""
    heads: dict[bytes, Head] = {}
    first = minted(tell(reception(), heads))
    gone = minted(tell(reception(withdrawn="deleted"), heads))
    assert (gone.change, gone.supersedes) == (Change.RETRACTION, first.id)
    assert gone.body == b'{"kind":"imprisonment.received","reason":"deleted"}'
    assert isinstance(tell(reception(withdrawn="deleted"), heads), Repeat)


def test_told_again_after_its_withdrawal_is_a_correction() -> None:
    """What was withdrawn may be told again; it supersedes the withdrawal."""
    heads: dict[bytes, Head] = {}
    tell(reception(), heads)
    gone = minted(tell(reception(withdrawn="deleted"), heads))
    again = minted(tell(reception(), heads))
    assert (again.change, again.supersedes) == (Change.CORRECTION, gone.id)


def test_an_older_version_is_late_and_moves_nothing() -> None:
    """A late statement is kept as superseded and the head stays."""
    heads: dict[bytes, Head] = {}
    newest = minted(tell(reception(prison="LII", version=3), heads))
    late = minted(tell(reception(prison="NSI", version=2), heads))
    assert (late.state, late.supersedes) == ("superseded", None)
    assert [head.event_id for head in heads.values()] == [newest.id]
    assert minted(tell(reception(prison="NSI", version=2), heads)).id == late.id


def test_a_repeat_with_a_newer_version_moves_the_version() -> None:
    """Version 5 of the same facts makes a later version 4 of other facts late."""
    heads: dict[bytes, Head] = {}
    tell(reception(version=3), heads)
    assert isinstance(tell(reception(version=5), heads), Repeat)
    assert minted(tell(reception(prison="NSI", version=4), heads)).state == "superseded"


def test_the_lane_is_fixed_by_the_first_record() -> None:
    """A correction that names the person differently stays in the lane of its fact."""
    heads: dict[bytes, Head] = {}
    first = minted(tell(reception(noms="A1234BC"), heads))
    later = minted(tell(reception(noms="A1234BD"), heads))
    assert later.lane == first.lane
    assert shard_of(later.lane) < SHARDS


def test_a_settling_fact_has_a_due_time() -> None:
    """The immediate family waits before it is published."""
    assert minted(tell(reception(settles=True), {})).due == NOW + SETTLE
    assert minted(tell(reception(), {})).due is None


def test_a_withdrawal_inside_the_settling_time_publishes_nothing() -> None:
    """Both the fact and its withdrawal are suppressed."""
    heads: dict[bytes, Head] = {}
    settling: dict[uuid.UUID, Settling] = {}
    first = minted(tell(reception(settles=True), heads, settling))
    gone = minted(tell(reception(withdrawn="deleted", settles=True), heads, settling))
    assert gone.state == "suppressed"
    assert gone.silences is not None
    assert gone.silences[:2] == (first.id, "suppressed")


def test_a_reversal_by_another_fact_inside_the_settling_time_publishes_nothing() -> None:
    """A movement that undoes one of the same person suppresses both, though their fact keys differ."""
    heads: dict[bytes, Head] = {}
    settling: dict[uuid.UUID, Settling] = {}
    first = minted(tell(reception("one", settles=True), heads, settling))
    undone = minted(tell(reception("two", settles=True, reverses="imprisonment.received"), heads, settling))
    assert undone.state == "suppressed"
    assert undone.silences is not None
    assert undone.silences[0] == first.id


def test_a_reversal_of_somebody_else_suppresses_nothing() -> None:
    """Only the same lane is undone."""
    heads: dict[bytes, Head] = {}
    settling: dict[uuid.UUID, Settling] = {}
    tell(reception("one", settles=True), heads, settling)
    other = reception("two", noms="B4321CD", settles=True, reverses="imprisonment.received")
    assert minted(tell(other, heads, settling)).state is None


def test_a_correction_inside_the_settling_time_goes_out_alone_at_the_first_due_time() -> None:
    """The first version is never published; the corrected one keeps its due time."""
    heads: dict[bytes, Head] = {}
    settling: dict[uuid.UUID, Settling] = {}
    first = minted(tell(reception(prison="LII", settles=True), heads, settling))
    second = minted(tell(reception(prison="NSI", settles=True), heads, settling))
    assert second.silences == (first.id, "superseded", "corrected_while_settling")
    assert second.due == first.due == NOW + timedelta(minutes=45)


def test_withdrawn_while_its_correction_settles_what_went_out_before_is_taken_back() -> None:
    """Somebody has the first version: the unpublished correction is silenced, and the withdrawal goes out at once."""
    heads: dict[bytes, Head] = {}
    minted(tell(reception(prison="LII"), heads))
    settling: dict[uuid.UUID, Settling] = {}
    second = minted(tell(reception(prison="NSI", settles=True), heads, settling))
    gone = minted(tell(reception(withdrawn="deleted", settles=True), heads, settling))
    assert (gone.state, gone.due, gone.supersedes) == (None, None, second.id)
    assert gone.silences == (second.id, "superseded", "withdrawn_while_settling")


@given(st.lists(st.tuples(st.sampled_from(["LII", "NSI", "WDI", None]), st.none() | st.integers(1, 4)), max_size=12))
def test_any_history_is_one_chain(history: list[tuple[str | None, int | None]]) -> None:
    """Whatever is told, the events that are not late form one unbroken chain, and no two ids are the same."""
    heads: dict[bytes, Head] = {}
    links = []
    for prison, version in history:
        fact = (
            reception(withdrawn="deleted", version=version)
            if prison is None
            else reception(prison=prison, version=version)
        )
        link = tell(fact, heads)
        if isinstance(link, Minted) and link.state is None:
            links.append(link)
    assert [link.supersedes for link in links] == [None, *(link.id for link in links)][: len(links)]
    assert len({link.id for link in links}) == len(links)
    if links:
        assert [head.event_id for head in heads.values()] == [links[-1].id]
