"""The report of a test kit: as JSON, and as one HTML page that needs nothing else and holds no personal value."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson

from gateway.connecting.case import Case, Result, count
from gateway.pages import render

_WORDS: Final = {Result.PASSED: "Passed", Result.FAILED: "Failed", Result.NOT_TRIED: "Not tried"}


@dataclass(frozen=True, slots=True)
class Report:
    """All cases of one run. about: what was tried with what, by name (gateway, agency, versions, ...)."""

    title: str
    about: Mapping[str, str]
    when: datetime
    cases: Sequence[Case]

    @property
    def passed(self) -> bool:
        """Whether nothing failed."""
        return not count(self.cases, Result.FAILED)

    def as_json(self) -> dict[str, Any]:
        """The report; `hash` is SHA-256 over the rest, with its keys sorted and no spaces."""
        told: dict[str, Any] = {
            "title": self.title,
            "when": self.when.isoformat(),
            "about": dict(self.about),
            **{result.value: count(self.cases, result) for result in Result},
            "cases": [case.as_json() for case in self.cases],
        }
        return {**told, "hash": hashlib.sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest()}

    def as_html(self) -> str:
        """The report as a page."""
        counts = [(_WORDS[result], count(self.cases, result)) for result in Result]
        return render("cases", report=self, counts=counts, words=_WORDS)

    def write(self, stem: Path) -> tuple[Path, Path]:
        """Write both beside each other, as STEM.html and STEM.json; where they are."""
        page, data = stem.with_name(f"{stem.name}.html"), stem.with_name(f"{stem.name}.json")
        page.write_text(self.as_html(), encoding="utf-8")
        data.write_bytes(orjson.dumps(self.as_json(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        return page, data
