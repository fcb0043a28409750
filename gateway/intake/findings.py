"""Findings as a sender reads them, and as they are stored: rule, field and shape; the sentence comes from the rule."""

from collections.abc import Iterable, Mapping

import orjson

from adapters.base import Finding, Rule


def told(findings: Iterable[Finding]) -> list[dict[str, str]]:
    """Findings as a sender reads them; never a value."""
    return [
        {"rule": one.rule.id, "level": one.rule.level.value, "field": one.field, "text": one.text} for one in findings
    ]


def stored(findings: Iterable[Finding]) -> str:
    """Findings as the tables keep them (JSON)."""
    return orjson.dumps([{"rule": one.rule.id, "field": one.field, "detail": one.detail} for one in findings]).decode()


def restored(findings: Iterable[Mapping[str, str]], rules: Mapping[str, Rule]) -> list[dict[str, str]]:
    """Stored findings as a sender reads them. A rule that an adapter no longer has keeps its id and loses its text."""
    return [
        told([Finding(rules[one["rule"]], one["field"], one["detail"])])[0]
        if one["rule"] in rules
        else {"rule": one["rule"], "level": "", "field": one["field"], "text": one["detail"]}
        for one in findings
    ]
