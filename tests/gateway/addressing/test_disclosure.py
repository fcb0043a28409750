"""What a recipient may see: the list of its agreement, and nothing beside it."""

import enum
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import pytest
from pydantic import BaseModel

from gateway.addressing.agreements import load_agreements
from gateway.addressing.stays import PLACEMENT, StayTold
from gateway.errors import ConfigurationError
from schemas.base import Event, Sensitivity
from schemas.catalogue import CATALOGUE
from tests.support.addressing import AGREEMENTS, agreements, drug_test, person

ON = date(2026, 3, 3)
SHAPES: dict[str, type[BaseModel]] = {**{name: kind.event for name, kind in CATALOGUE.items()}, PLACEMENT: StayTold}
ROLES = ("home", "holding")
FILES = [tomllib.loads(file.read_text()) for file in sorted(AGREEMENTS.glob("*.toml"))]
CLAUSES = sorted(
    {
        (told["sender"], kind, role)
        for told in FILES
        for clause in told["disclosures"]
        for kind in clause["kinds"]
        for role in clause["roles"]
    }
)
"""Who is told something of what: sender, kind and role."""


def _a_day_of(sender: str, kind: str, role: str) -> date:
    """A day on which an agreement covers this: ours, or the one it begins on where that is yet to come."""
    begins: date = min(
        told["in_force"]
        for told in FILES
        if told["sender"] == sender
        for clause in told["disclosures"]
        if kind in clause["kinds"] and role in clause["roles"]
    )
    return max(ON, begins)


def _told(kind: str) -> Event:
    return drug_test(person()).model_copy(update={"sensitivity": frozenset()})


# --- A whole event of canaries: every plain value is its own path ----------------------------------------------------


def canaries(shape: Any, path: str = "") -> Any:
    """A value of this type in which every plain value says where it stands, and of many there is one of each kind."""
    origin, inner = get_origin(shape), get_args(shape)
    if origin is Annotated:
        return canaries(inner[0], path)
    if origin in (Union, UnionType):
        return canaries(next(one for one in inner if one is not type(None)), path)
    if origin in (tuple, frozenset):
        return list(_each(inner[0], path))
    if isinstance(shape, type) and issubclass(shape, BaseModel):
        dot = f"{path}." if path else ""
        return {name: canaries(field.annotation, f"{dot}{name}") for name, field in shape.model_fields.items()}
    return f"canary {path}"


def _each(shape: Any, path: str) -> Iterator[Any]:
    chosen = {"Identifier": "scheme", "AddressClaim": "kind"}.get(getattr(shape, "__name__", ""))
    if chosen is None:
        yield canaries(shape, path)
        return
    kinds: type[enum.StrEnum] = shape.model_fields[chosen].annotation
    for kind in kinds:
        yield {**canaries(shape, f"{path}[{kind}]"), chosen: kind.value}


def values(told: Any) -> Iterator[str]:
    """Every plain value, without the words that say which of many something is."""
    if isinstance(told, dict):
        for name, value in told.items():
            if name not in ("scheme", "kind"):
                yield from values(value)
    elif isinstance(told, list):
        for value in told:
            yield from values(value)
    else:
        yield told


def listed(kind: str, role: str, sender: str | None = None) -> set[str]:
    """The paths that the agreement files list, all or one sender's, read without the gateway's own reader."""
    paths: set[str] = set()
    for told in FILES:
        for clause in told["disclosures"]:
            if kind in clause["kinds"] and role in clause["roles"] and sender in (None, told["sender"]):
                paths |= set(clause.get("fields", ()))
                paths |= {path for name in clause.get("include", ()) for path in told["sets"][name]}
    return paths


def test_of_every_kind_somebody_is_told_something() -> None:
    """No kind is in the catalogue that would be held for want of an agreement whoever sends it."""
    assert {kind for _, kind, _ in CLAUSES} == set(SHAPES)


@pytest.mark.parametrize(("sender", "kind", "role"), CLAUSES)
def test_nothing_passes_that_is_not_listed(sender: str, kind: str, role: str) -> None:
    """Of an event in which everything is told, exactly what is listed for this sender, kind and role gets through."""
    on = _a_day_of(sender, kind, role)
    disclosure = agreements().find(sender=sender, recipient="lasars", kind=kind, role=role, on=on)
    assert disclosure is not None
    told = canaries(SHAPES[kind])
    data = disclosure.of(_told(kind), told, lambda postcode: postcode.replace(".postcode", ".area"))
    passed = {value.removeprefix("canary ") for value in values(data)}
    allowed = listed(kind, role, sender)
    assert {_listed_as(path, allowed) for path in passed} == allowed


def _listed_as(path: str, allowed: set[str]) -> str:
    """The listed path that lets this one through: itself, or the whole it is a part of; else itself, unlisted."""
    return next((one for one in allowed if path == one or path.startswith(f"{one}.")), path)


@pytest.mark.parametrize("kind", SHAPES)
def test_no_list_holds_an_address_an_offence_or_a_number_typed_wrong(kind: str) -> None:
    """Whatever else agreements come to say: no address, no raw identifier, no reason of arrest goes to a LASARS.

    Where a person who asks for help themselves says they live is told as they gave it: it is theirs to give.
    """
    never = (".raw",) if kind == "care.self-referred" else (".lines", ".postcode", ".raw")
    for role in ROLES:
        paths = listed(kind, role)
        assert not any(path.endswith(never) for path in paths)
        assert not paths & {"case_urn", "arrested"}


@pytest.mark.parametrize("flag", [Sensitivity.LAO, Sensitivity.MAPPA])
def test_whereabouts_of_a_protected_person_are_not_told(flag: Sensitivity) -> None:
    """Of a person whose record is restricted at its source, not even the area they go to is told."""
    disclosure = agreements().find(
        sender="prison", recipient="lasars", kind="imprisonment.released", role="home", on=ON
    )
    assert disclosure is not None
    told = canaries(SHAPES["imprisonment.released"])
    plain = disclosure.of(_told(""), told, lambda _: "wigan")
    protected = disclosure.of(
        drug_test(person()).model_copy(update={"sensitivity": frozenset({flag})}), told, lambda _: "wigan"
    )
    assert plain["person"].pop("addresses")
    assert protected == plain


def test_what_is_not_told_leaves_no_empty_place() -> None:
    """A field the event does not tell is absent, not null."""
    disclosure = agreements().find(
        sender="police_custody", recipient="lasars", kind="custody.drug-test.recorded", role="home", on=ON
    )
    assert disclosure is not None
    assert disclosure.of(_told(""), {"person": {"identifiers": []}, "cocaine": "positive"}, lambda _: None) == {
        "cocaine": "positive"
    }


@pytest.mark.parametrize(
    ("sender", "recipient", "kind", "role", "on"),
    [
        ("prison", "lasars", "custody.charged", "home", ON),
        ("police_custody", "verifier", "custody.charged", "home", ON),
        ("police_custody", "lasars", "custody.charged", "destination", ON),
        ("police_custody", "lasars", "custody.charged", "home", date(2012, 3, 31)),
    ],
)
def test_deny_by_default(sender: str, recipient: str, kind: str, role: str, on: date) -> None:
    """Another sender, recipient, role or day than an agreement names is not covered by it."""
    assert agreements().find(sender=sender, recipient=recipient, kind=kind, role=role, on=on) is None


# --- The reader ------------------------------------------------------------------------------------------------------

GOOD = """
name = "trial"
version = "1"
sender = "prison"
recipient = "lasars"
purpose = "p"
lawful_basis = "b"
in_force = 2012-04-01
[[disclosures]]
kinds = ["imprisonment.received"]
roles = ["home"]
fields = ["prison"]
"""


@pytest.mark.parametrize(
    ("was", "made", "says"),
    [
        ('["prison"]', '["wing"]', "'wing': Received has no 'wing'"),
        ('["prison"]', '["person"]', "'person' is not a plain value"),
        ('["prison"]', '["dates"]', "'dates' is not a plain value"),
        ('["prison"]', '["person.identifiers"]', "choose one of 'identifiers'"),
        ('["prison"]', '["person.identifiers[email].value"]', "choose one of 'identifiers'"),
        ('["prison"]', '["person.addresses[discharge]"]', "is not a plain value"),
        ('["prison"]', '["person.aliases"]', "goes on where 'aliases' ends"),
        ('["prison"]', '["prison.name"]', "goes on where 'prison' ends"),
        ('["prison"]', '["person[x].name"]', "has no kinds to choose from"),
        ('["prison"]', '["Prison!"]', "is no path"),
        ("imprisonment.received", "imprisonment.escaped", "there is no kind 'imprisonment.escaped'"),
        ('roles = ["home"]', 'roles = ["friend"]', "disclosures.0.roles.0"),
        ('fields = ["prison"]', 'include = ["who"]', "there is no set 'who'"),
        ('purpose = "p"', 'purpose = ""', "purpose"),
        ("in_force = 2012-04-01", "", "in_force: Field required"),
        ('name = "trial"', "name =", "is not TOML"),
        ('sender = "prison"', 'sender = "prison"\nsurprise = 1', "surprise"),
    ],
)
def test_an_agreement_that_cannot_be_kept_is_refused_by_file_and_place(
    tmp_path: Path, was: str, made: str, says: str
) -> None:
    """A wrong agreement stops the start, and says which file and what in it."""
    assert was in GOOD
    (tmp_path / "trial.toml").write_text(GOOD.replace(was, made))
    with pytest.raises(ConfigurationError, match=r"trial\.toml") as refused:
        load_agreements(tmp_path)
    assert says in str(refused.value)


def test_two_agreements_on_one_thing_must_not_overlap(tmp_path: Path) -> None:
    """On no day may it be unclear which agreement holds; one may follow the other."""
    (tmp_path / "a.toml").write_text(GOOD)
    later = GOOD.replace('version = "1"', 'version = "2"').replace("2012-04-01", "2026-01-01")
    (tmp_path / "b.toml").write_text(later)
    with pytest.raises(ConfigurationError, match="agreed twice"):
        load_agreements(tmp_path)
    (tmp_path / "a.toml").write_text(GOOD.replace("[[disc", "until = 2026-01-01\n[[disc"))
    held = load_agreements(tmp_path)
    place = {"sender": "prison", "recipient": "lasars", "kind": "imprisonment.received", "role": "home"}
    versions = [held.find(**place, on=day) for day in (date(2025, 12, 31), date(2026, 1, 1))]
    assert [one.agreement if one else None for one in versions] == ["trial@1", "trial@2"]


def test_an_empty_folder_is_a_mistake(tmp_path: Path) -> None:
    """Without any agreement nothing could ever be delivered."""
    with pytest.raises(ConfigurationError, match="no agreement"):
        load_agreements(tmp_path)
