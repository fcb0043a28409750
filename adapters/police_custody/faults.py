"""Faults of a record as its reader meets them, told by rule and field and never by value."""

import unicodedata
from collections.abc import Iterable
from dataclasses import replace

from adapters.base import Finding, Level, UnknownCode
from adapters.police_custody.rules import RULES

_SHAPE_LENGTH = 24
_CODE_LENGTH = 4


class Broken(ValueError):
    """A field broke a rule. Carries the rule's id, and a detail that identifies nobody."""

    def __init__(self, rule: str, detail: str = "") -> None:
        super().__init__(rule)
        self.rule = rule
        self.detail = detail


def found(rule: str, field: str, detail: str = "") -> Finding:
    """A finding by its rule's id."""
    return Finding(RULES[rule], field, detail)


def without_codes(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings of a refused record, without any code.

    Where other fields are wrong too, columns may have slipped, and what stands in a code's place may be a name.
    """
    return tuple(replace(finding, detail="") if finding.rule.level is Level.HOLD else finding for finding in findings)


def shape(text: str) -> str:
    """What a text looks like without saying what it is: "19/4/81" is "99/9/99", "Oaks" is "Aaaa"."""
    drawn = "".join(_drawn(character) for character in text[:_SHAPE_LENGTH])
    return drawn if len(text) <= _SHAPE_LENGTH else f"{drawn}…"


def code_detail(unknown: UnknownCode) -> str:
    """The table, and the code itself if it is short enough to be nothing but a code."""
    code = unknown.code
    told = repr(code) if len(code) <= _CODE_LENGTH and code.isascii() and code.isalnum() else f"shape {shape(code)}"
    return f"{unknown.table}: {told}"


def _drawn(character: str) -> str:
    match unicodedata.category(character):
        case "Nd":
            return "9"
        case "Lu":
            return "A"
        case category if category.startswith("L"):
            return "a"
        case _:
            return character if character.isascii() and character.isprintable() else "?"
