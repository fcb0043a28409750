"""Every rule of every agency in one list, as contracts/rules.md promises it.

`python -m adapters.rulebook` writes the list. With `--check` it writes nothing, and exits with 1 if the list is stale.
Either way an id that stands in the list and is no rule any more must be named in WITHDRAWN, so that none is ever given
to another rule: receipts that name it are kept, and so is what senders have built on it.
"""

import argparse
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adapters import claims, drift, findings, flat_rules
from adapters.base import Level, Rule
from adapters.registry import adapters

RULES_PAGE: Final = Path(__file__).parents[1] / "contracts" / "rules.md"

SHARED: Final = "every agency"
FLAT: Final = "every agency with flat records"
"""Whose all rules are listed as soon as there is one, whichever of them its own fields can break."""

WITHDRAWN: Final[Mapping[str, str]] = {
    "CU-050": "ID-001",
    "CU-051": "ID-002",
    "CU-052": "ID-010, ID-011, ID-012",
    "CU-054": "ID-030, ID-031",
    "CU-055": "ID-035",
    "CU-056": "ID-020, ID-021",
    "PR-032": "ID-001, ID-002",
    "PR-033": "ID-030, ID-031",
    "PR-034": "ID-035",
}
"""Ids no rule has any more, and what is told in their place ("" for nothing)."""

_DOES: Final[Mapping[Level, str]] = {
    Level.REFUSE: "refused",
    Level.HOLD: "held",
    Level.WARN: "accepted, and told",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A rule and whose record it is found in: an agency, `SHARED` or `FLAT`."""

    rule: Rule
    agency: str

    @property
    def owner(self) -> str:
        """Who is to do something: operations about what is held and what a fix asks of them, else the sender."""
        asked = self.rule.level is Level.HOLD or self.rule.fix.startswith("Operations:")
        return "operations" if asked else "sender"


class IdUsedAgain(Exception):
    """An id stands for two rules, or for one that has been withdrawn, or has gone without being withdrawn."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


def entries() -> tuple[Entry, ...]:
    """Every rule, the shared ones first and then agency by agency, each in the order of ids. Raises IdUsedAgain."""
    shared = {**claims.RULES, **drift.RULES, **findings.RULES}
    listed: dict[str, Entry] = {rule.id: Entry(rule, SHARED) for _, rule in sorted(shared.items())}
    known = adapters()
    if any(flat_rules.RULES.keys() & adapter.rules.keys() for adapter in known.values()):
        listed |= {rule.id: Entry(rule, FLAT) for rule in flat_rules.RULES.values()}
    for agency, adapter in known.items():
        for _, rule in sorted(adapter.rules.items()):
            if rule.id in WITHDRAWN or listed.setdefault(rule.id, Entry(rule, agency)).rule is not rule:
                raise IdUsedAgain(rule.id)
    return tuple(listed.values())


def ids_of(page: str) -> frozenset[str]:
    """Every rule id a list gives a line of its own."""
    return frozenset(re.findall(r"^\| ([A-Z]+-[0-9]+) \|", page, re.MULTILINE))


def render(listed: tuple[Entry, ...]) -> str:
    """The list as a page."""
    return "\n".join(_lines(listed)) + "\n"


def gone(page: str, listed: tuple[Entry, ...]) -> list[str]:
    """The ids a page gives a line, that are neither rules nor withdrawn."""
    return sorted(ids_of(page) - {entry.rule.id for entry in listed} - WITHDRAWN.keys())


def _lines(listed: tuple[Entry, ...]) -> Iterator[str]:
    yield "# Rules"
    yield ""
    yield "Every rule a record is checked against, read from the code by `python -m adapters.rulebook`. A finding names"
    yield "its rule and the field, never the value. A rule's id is never given to another rule."
    yield ""
    yield "A record that breaks a rule is **refused** (422, and the sender mends it), **held** (202, and operations"
    yield "decide), or **accepted, and told**: the receipt says so and the record goes on."
    for agency in dict.fromkeys(entry.agency for entry in listed):
        yield from ("", f"## {agency.capitalize() if agency in (SHARED, FLAT) else agency}", "")
        yield "| rule | the record is | agency | what | what to do | owner |"
        yield "|---|---|---|---|---|---|"
        for entry in listed:
            if entry.agency == agency:
                yield _line(entry)
    yield from ("", "## Withdrawn", "", "| rule | told in its place |", "|---|---|")
    yield from (f"| {rule} | {instead or 'nothing'} |" for rule, instead in sorted(WITHDRAWN.items()))


def _line(entry: Entry) -> str:
    rule = entry.rule
    cells = (rule.id, _DOES[rule.level], entry.agency, f"{rule.sentence}.", rule.fix, entry.owner)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def main(arguments: list[str] | None = None) -> int:
    """Write the list, or compare it. Returns 0, or 1 where it is stale or an id has gone without being withdrawn."""
    parser = argparse.ArgumentParser(prog="python -m adapters.rulebook", description="The list of rules.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if the list is stale")
    parser.add_argument("--into", type=Path, default=RULES_PAGE, metavar="FILE", help="another file")
    chosen = parser.parse_args(arguments)
    page = chosen.into.read_text(encoding="utf-8") if chosen.into.exists() else ""
    listed = entries()
    if lost := gone(page, listed):
        sys.stderr.write(
            f"{', '.join(lost)}: no rule any more. Name each in WITHDRAWN, adapters/rulebook.py,\n"
            f"or, if no sender was ever told of it, take its line out of {chosen.into}.\n"
        )
        return 1
    rendered = render(listed)
    if chosen.check and page != rendered:
        sys.stderr.write(f"{chosen.into} is not what adapters/ says. Run: python -m adapters.rulebook\n")
        return 1
    if not chosen.check:
        chosen.into.write_text(rendered, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
