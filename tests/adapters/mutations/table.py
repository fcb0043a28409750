"""What is expected of each mutation of each field of an agency's examples, as a table says it.

A table is TOML, and is written before the mutations run:

    examples = ["accepted/*.json"]              # of contracts/inbound/<agency>/examples
    envelope = ["event", "Message"]             # steps that a field's name leaves out

    [like.every]                                # what every mutation of every field gives, if nothing below says more
    extra = "same"

    [like.optional]                             # a way in which fields behave; `every` fills what it leaves out
    drop = "changes"
    retype = "refused PR-011"

    [in_json.every]                             # where an example in JSON behaves otherwise than `like` says, by the
    retype = "refused PR-011"                   # same names

    [field]                                     # each field of the examples: how it behaves, and what it feeds. One
                                                # of a list is named with its number or, for all of them, without.
    "snapshot.gender" = { like = "optional", feeds = ["person.sex"], new_code = "changes PR-039" }

    [example."died.json".field]                 # where one example is another

A result is `same` (the facts are those of the example), `changes` (they differ in every place the field feeds, and
nowhere else), `held`, `refused` or `ignored`, with the rules that are told of anew. A field may say for itself what one
mutation gives, and under `feeds_<mutation>` what it then feeds.
"""

import re
import tomllib
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.adapters.mutations.mutation import Mutation

TABLES: Final = Path(__file__).with_name("tables")

_RESULT = re.compile(r"(same|changes|held|refused|ignored)((?: [A-Z]{2,3}-\d{3})*)")


@dataclass(frozen=True, slots=True)
class Expected:
    """What a mutation gives: a word, the rules told of anew (each once), and the places of the facts that differ."""

    word: str
    rules: frozenset[str]
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """The table of one agency."""

    agency: str
    options: Mapping[str, str]
    examples: tuple[str, ...]
    envelope: frozenset[str]
    _like: Mapping[str, Mapping[str, str]]
    _in_json: Mapping[str, Mapping[str, str]]
    _field: Mapping[str, Mapping[str, Any]]
    _example: Mapping[str, Mapping[str, Any]]

    def names_of(self, field: str) -> tuple[str, str]:
        """A field's names in the table: its path without the envelope, and that without the numbers of lists."""
        steps = [step for step in field.split(".") if step not in self.envelope]
        return ".".join(steps), ".".join(step for step in steps if not step.isdigit())

    def expected(self, example: str, field: str, mutation: Mutation) -> Expected:
        """What is expected. Raises KeyError for a field that has no line, or a line that does not say."""
        where, name = self.line_of(example, field)
        line = self._own(example)[name] if where else self._field[name]
        result = line.get(mutation.value) or self._usual(example, line["like"], mutation)
        match = _RESULT.fullmatch(result)
        if match is None:
            raise ValueError(f"{self.agency}: {result!r} is no result")
        feeds = line.get(f"feeds_{mutation.value}", line.get("feeds", []))
        return Expected(match[1], frozenset(match[2].split()), tuple(feeds) if match[1] == "changes" else ())

    def _usual(self, example: str, way: str, mutation: Mutation) -> str:
        """What a mutation gives in a field that behaves in this way. Raises KeyError where no such way says."""
        ways = [self._like[way], self._like["every"]]
        if example.endswith(".json"):
            ways = [self._in_json.get(way, {}), self._in_json.get("every", {}), *ways]
        return ChainMap(*map(dict, ways))[mutation.value]

    def lines(self) -> set[tuple[str, str]]:
        """Every line, by example ("" for all of them) and field."""
        own = {(example, name) for example, said in self._example.items() for name in said["field"]}
        return {("", name) for name in self._field} | own

    def line_of(self, example: str, field: str) -> tuple[str, str]:
        """The line that speaks for a field of an example. Raises KeyError where none does."""
        for name in self.names_of(field):
            if name in self._own(example):
                return example, name
            if name in self._field:
                return "", name
        raise KeyError(field)

    def _own(self, example: str) -> Mapping[str, Mapping[str, Any]]:
        said: Mapping[str, Mapping[str, Any]] = self._example.get(example, {"field": {}})["field"]
        return said


def read_table(agency: str) -> Table:
    """The table of an agency."""
    told = tomllib.loads((TABLES / f"{agency}.toml").read_text(encoding="utf-8"))
    return Table(
        agency,
        told.get("options", {}),
        tuple(told["examples"]),
        frozenset(told.get("envelope", ())),
        told["like"],
        told.get("in_json", {}),
        told["field"],
        told.get("example", {}),
    )
