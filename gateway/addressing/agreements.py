"""Sharing agreements: which fields of which events a recipient may see, from when, and why. Deny by default.

Each file of `contracts/agreements` is one agreement. Reading it checks every path against the models of the catalogue,
so that an agreement names only what exists, and names it down to the plain value.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.addressing.determination import Role
from gateway.addressing.disclosure import Disclosure, UnknownPath, compile_paths
from gateway.addressing.stays import PLACEMENT, StayTold
from gateway.errors import ConfigurationError
from schemas.catalogue import CATALOGUE

_SHAPES: Mapping[str, type[BaseModel]] = {
    **{name: kind.event for name, kind in CATALOGUE.items()},
    PLACEMENT: StayTold,
}
"""What can be disclosed: every kind of event, and the stay that is told when a case opens."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Clause(_Part):
    """What is told of some kinds to some roles. include: names of sets of fields; fields: further ones.

    Neither of them says that it is agreed to tell these roles nothing. No clause at all says that nothing is agreed:
    what is owed to such a role is held.
    """

    kinds: tuple[str, ...] = Field(min_length=1)
    roles: tuple[Role, ...] = Field(min_length=1)
    include: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()


class _Agreement(_Part):
    """One file. sender: an agency; recipient: a service. in_force, until: the first day and the day after the last."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    version: str = Field(pattern=r"^[0-9]+$")
    sender: str
    recipient: str
    purpose: str = Field(min_length=1)
    lawful_basis: str = Field(min_length=1)
    in_force: date
    until: date | None = None
    sets: Mapping[str, tuple[str, ...]] = {}
    disclosures: tuple[_Clause, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class _Dated:
    in_force: date
    until: date | None
    disclosure: Disclosure

    def holds(self, on: date) -> bool:
        return self.in_force <= on and (self.until is None or on < self.until)

    def meets(self, other: "_Dated") -> bool:
        """Whether there is a day on which both hold."""
        return (other.until is None or self.in_force < other.until) and (
            self.until is None or other.in_force < self.until
        )


_Place = tuple[str, str, str, str]


class Agreements:
    """All agreements, found by who tells whom what, in which role, on which day."""

    def __init__(self, disclosures: Mapping[_Place, tuple[_Dated, ...]]) -> None:
        self._disclosures = disclosures

    def find(self, *, sender: str, recipient: str, kind: str, role: str, on: date) -> Disclosure | None:
        """What may be told, or None: nothing is agreed, so nothing is."""
        for dated in self._disclosures.get((sender, recipient, kind, role), ()):
            if dated.holds(on):
                return dated.disclosure
        return None

    def places(self) -> Iterable[_Place]:
        """Sender, recipient, kind and role of everything that is agreed."""
        return self._disclosures.keys()


def load_agreements(folder: Path) -> Agreements:
    """Read every agreement of a folder. Raises ConfigurationError naming the file and what is wrong in it."""
    disclosures: dict[_Place, list[_Dated]] = {}
    for file in sorted(folder.glob("*.toml")):
        agreement = _read(file)
        for place, dated in _disclosures(file, agreement):
            held = disclosures.setdefault(place, [])
            if any(dated.meets(other) for other in held):
                raise _wrong(file, f"{place[2]} to {place[3]} is agreed twice for the same days", "End one of them")
            held.append(dated)
    if not disclosures:
        raise ConfigurationError(f"There is no agreement in {folder}.", "Nothing can be delivered without one.")
    return Agreements({place: tuple(held) for place, held in disclosures.items()})


def _read(file: Path) -> _Agreement:
    try:
        return _Agreement.model_validate(tomllib.loads(file.read_text()))
    except tomllib.TOMLDecodeError as error:
        raise _wrong(file, f"it is not TOML: {error}", "Mend the line it names") from None
    except ValidationError as error:
        fault = error.errors(include_input=False, include_context=False, include_url=False)[0]
        where = ".".join(str(part) for part in fault["loc"])
        raise _wrong(file, f"{where}: {fault['msg']}", "Mend that entry") from None


def _disclosures(file: Path, agreement: _Agreement) -> Iterable[tuple[_Place, _Dated]]:
    for number, clause in enumerate(agreement.disclosures):
        paths = _paths(file, agreement, clause)
        for kind in clause.kinds:
            shape = _SHAPES.get(kind)
            if shape is None:
                raise _wrong(file, f"disclosures.{number}: there is no kind {kind!r}", "Take one of the catalogue")
            try:
                plan = compile_paths(shape, paths)
            except UnknownPath as error:
                raise _wrong(
                    file, f"disclosures.{number}, {kind}: {error}", "Name a plain value of this kind"
                ) from None
            disclosure = Disclosure(f"{agreement.name}@{agreement.version}", plan)
            for role in clause.roles:
                place = (agreement.sender, agreement.recipient, kind, role.value)
                yield place, _Dated(agreement.in_force, agreement.until, disclosure)


def _paths(file: Path, agreement: _Agreement, clause: _Clause) -> tuple[str, ...]:
    paths: list[str] = []
    for name in clause.include:
        if name not in agreement.sets:
            raise _wrong(file, f"there is no set {name!r}", "Declare it under [sets]")
        paths.extend(agreement.sets[name])
    return (*paths, *clause.fields)


def _wrong(file: Path, problem: str, fix: str) -> ConfigurationError:
    return ConfigurationError(f"The agreement {file.name}: {problem}.", f"{fix}.")
