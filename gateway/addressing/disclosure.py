"""What of an event goes into a delivery: built up from the list of an agreement, never cut down from the whole.

A path names one plain value: "cocaine", "suite.force", "person.date_of_birth", "person.identifiers[pnc].value". Of
identifiers and addresses, which are many, one kind is chosen in brackets. Two values are shared whole because their
parts mean nothing apart: a name, and a moment. `person.addresses[...].area` is not in the event: it is the area that
the address lies in, told in place of the address.
"""

import enum
import re
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from schemas.base import AddressClaim, AddressKind, Event, Moment, Name, Sensitivity
from schemas.identifiers import Identifier, Scheme

AreaOf = Callable[[str], str | None]
"""The area a canonical postcode lies in, by id."""

_WHOLE = (Moment, Name)
_CHOSEN_BY: Mapping[type[BaseModel], tuple[str, type[enum.StrEnum]]] = {
    Identifier: ("scheme", Scheme),
    AddressClaim: ("kind", AddressKind),
}
_RESTRICTED = frozenset({Sensitivity.LAO, Sensitivity.MAPPA})
_STEP = re.compile(r"([a-z][a-z0-9_]*)(?:\[([a-z_]+)\])?")


class UnknownPath(Exception):
    """A path names nothing that can be disclosed. The message names the path, which is ours."""


@dataclass(slots=True)
class _Chosen:
    """Of many, those whose `key` is one of `plans`, each as its plan says."""

    key: str
    plans: dict[str, "_Plan"]


class _Lies(enum.Enum):
    """Told in place of an address: the area its postcode lies in."""

    IN = "area"


_Plan = dict[str, Union["_Plan", _Chosen, _Lies, None]]
"""By field: None is the value itself."""


@dataclass(frozen=True, slots=True)
class Plans:
    """What is picked, usually and of a person whose whereabouts are protected."""

    usual: _Plan
    restricted: _Plan


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What one version of an agreement lets one role see of one kind. agreement: "name@version"."""

    agreement: str
    plans: Plans

    @property
    def silent(self) -> bool:
        """Whether it is agreed that this role is told nothing of this kind, not even that it happened."""
        return not self.plans.usual

    def of(self, event: Event, told: dict[str, Any], area_of: AreaOf) -> dict[str, Any]:
        """The data of a delivery. `told` is the event as `dump` gives it, made once for all recipients."""
        plan = self.plans.usual if _RESTRICTED.isdisjoint(event.sensitivity) else self.plans.restricted
        return _pick(told, plan, area_of)

    def of_stay(self, told: dict[str, Any]) -> dict[str, Any]:
        """The stay that a case opens with."""
        return _pick(told, self.plans.usual, lambda _: None)


def dump(event: BaseModel) -> dict[str, Any]:
    """An event as plain JSON values, without what it does not tell."""
    return event.model_dump(mode="json", exclude_none=True)


def compile_paths(model: type[BaseModel], paths: Iterable[str]) -> Plans:
    """The plan for these paths over this model. Raises UnknownPath."""
    usual: _Plan = {}
    restricted: _Plan = {}
    for path in paths:
        _add(usual, model, path)
        if not path.startswith("person.addresses"):
            _add(restricted, model, path)
    return Plans(usual, restricted)


def _add(plan: _Plan, model: type[BaseModel], path: str) -> None:
    steps = [_STEP.fullmatch(step) for step in path.split(".")]
    for place, step in enumerate(steps):
        if step is None:
            raise UnknownPath(f"{path!r} is no path")
        name, choice = step.groups()
        last = place == len(steps) - 1
        if model is AddressClaim and name == _Lies.IN.value and last and choice is None:
            plan[name] = _Lies.IN
            return
        inner, many = _field(model, name, path)
        if not isinstance(inner, type) or not issubclass(inner, BaseModel) or inner in _WHOLE:
            if not last or choice is not None or (many and inner in _WHOLE):
                raise UnknownPath(f"{path!r} goes on where {name!r} ends")
            plan[name] = None
            return
        if many:
            plan = _choose(plan, name, inner, choice, path)
        elif choice is not None:
            raise UnknownPath(f"{path!r}: {name!r} is one, and has no kinds to choose from")
        else:
            plan = _below(plan, name, path)
        model = inner
    raise UnknownPath(f"{path!r} is not a plain value; name what is inside it")


def _below(plan: _Plan, name: str, path: str) -> _Plan:
    inner = plan.setdefault(name, {})
    if not isinstance(inner, dict):
        raise UnknownPath(f"{path!r} is inside what another path shares whole")
    return inner


def _choose(plan: _Plan, name: str, inner: type[BaseModel], choice: str | None, path: str) -> _Plan:
    key, kinds = _CHOSEN_BY.get(inner, (None, None))
    if key is None or kinds is None:
        raise UnknownPath(f"{path!r}: {name!r} cannot be shared")
    if choice is None or choice not in list(kinds):
        raise UnknownPath(f"{path!r}: choose one of {name!r} in brackets")
    chosen = plan.setdefault(name, _Chosen(key, {}))
    assert isinstance(chosen, _Chosen)  # noqa: S101 - only this branch writes a field of many
    return chosen.plans.setdefault(choice, {})


def _field(model: type[BaseModel], name: str, path: str) -> tuple[Any, bool]:
    """The type a field holds, and whether it holds many."""
    field = model.model_fields.get(name)
    if field is None:
        raise UnknownPath(f"{path!r}: {model.__name__} has no {name!r}")
    kind, many = field.annotation, False
    while True:
        origin, inner = get_origin(kind), get_args(kind)
        if origin is Annotated:
            kind = inner[0]
        elif origin in (Union, types.UnionType):
            told = [one for one in inner if one is not type(None)]
            if len(told) != 1:
                raise UnknownPath(f"{path!r}: {name!r} may be of several types")
            kind = told[0]
        elif origin in (tuple, frozenset, list):
            kind, many = inner[0], True
        elif origin in (dict, Mapping) or kind is Any:
            raise UnknownPath(f"{path!r}: {name!r} is open, and cannot be shared")
        else:
            return kind, many


def _pick(told: dict[str, Any], plan: _Plan, area_of: AreaOf) -> dict[str, Any]:
    picked: dict[str, Any] = {}
    for name, inner in plan.items():
        value: Any = told.get("postcode" if inner is _Lies.IN else name)
        if inner is _Lies.IN and value is not None:
            value = area_of(value)
        if value is None:
            continue
        if isinstance(inner, _Chosen):
            value = [one for one in (_pick_chosen(one, inner, area_of) for one in value) if one]
        elif isinstance(inner, dict):
            value = _pick(value, inner, area_of)
        if value or value not in ([], {}):
            picked[name] = value
    return picked


def _pick_chosen(told: dict[str, Any], chosen: _Chosen, area_of: AreaOf) -> dict[str, Any] | None:
    kind = told[chosen.key]
    plan = chosen.plans.get(kind)
    picked = _pick(told, plan, area_of) if plan is not None else None
    return {chosen.key: kind, **picked} if picked else None
