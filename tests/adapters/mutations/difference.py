"""Where the facts of two readings differ."""

from collections.abc import Iterator, Sequence
from typing import Any

from schemas.base import Fact


def differences(before: Sequence[Fact], after: Sequence[Fact]) -> set[str]:
    """The path of every value that is not the same, "person.addresses.postcode"; "facts" where they are not as many."""
    if len(before) != len(after):
        return {"facts"}
    return {path for one, other in zip(before, after, strict=True) for path in _paths(_plain(one), _plain(other), "")}


def _plain(fact: Fact) -> dict[str, Any]:
    told = fact.event.model_dump(mode="json") if fact.event is not None else {}
    return told | {
        "key": fact.key,
        "lane": fact.lane,
        "kind": fact.kind,
        "version": fact.version,
        "withdrawn": fact.withdrawn,
        "settles": fact.settles,
        "reverses": fact.reverses,
        "follows": fact.follows,
    }


def _paths(one: Any, other: Any, at: str) -> Iterator[str]:
    match one, other:
        case dict(), dict():
            for name in one.keys() | other.keys():
                yield from _paths(one.get(name), other.get(name), f"{at}.{name}" if at else name)
        case list(), list() if len(one) == len(other):
            for left, right in zip(one, other, strict=True):
                yield from _paths(left, right, at)
        case _ if one != other:
            yield at


def not_as_said(found: set[str], said: Sequence[str]) -> list[str]:
    """The paths that differ and were not said to, and those that were said to and do not: none, if all is as said."""
    surprising = [path for path in found if not any(_within(path, place) for place in said)]
    unmoved = [place for place in said if not any(_within(path, place) for path in found)]
    return [*(f"{path} differs" for path in sorted(surprising)), *(f"{place} does not differ" for place in unmoved)]


def _within(path: str, place: str) -> bool:
    return path == place or path.startswith(f"{place}.")
