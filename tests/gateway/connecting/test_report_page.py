"""The report of a kit, to be passed on."""

import hashlib
import json
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import orjson

from gateway.connecting.case import Case, NotTried, Result, Tried, try_all
from gateway.connecting.report_page import Report

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CASES = [
    Case(1, "good", "A good one is taken.", Result.PASSED, "a message", "204"),
    Case(2, "bad", "<b>Bad</b> is refused.", Result.FAILED, "a & b", "200 <script>", 'it "must" be refused'),
    Case(3, "other", "Something else.", Result.NOT_TRIED, why="There is none."),
]
REPORT = Report("Recipient kit", {"endpoint": "http://x.test/?a=1&b=<2>"}, NOW, CASES)


class Reader(HTMLParser):
    """What is on a page: its tags, the addresses it would load, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_needs_nothing_else_and_shows_all() -> None:
    """No script, no address it would load, and every word of every case as it is."""
    reader = Reader()
    reader.feed(REPORT.as_html())
    assert reader.loads == []
    assert not {"script", "b", "img", "link", "iframe"} & set(reader.tags)
    for case in CASES:
        for word in (case.name, case.promise, case.sent, case.came, case.why):
            assert word in reader.text
    assert "http://x.test/?a=1&b=<2>" in reader.text


def test_both_forms_say_the_same(tmp_path: Path) -> None:
    """Counts, cases in their order, and a hash that anybody can make again."""
    page, data = REPORT.write(tmp_path / "report.of.today")
    told = json.loads(data.read_bytes())
    assert page.name == "report.of.today.html"
    assert (told["passed"], told["failed"], told["not_tried"]) == (1, 1, 1)
    assert [case["number"] for case in told["cases"]] == [1, 2, 3]
    claimed = told.pop("hash")
    assert claimed == hashlib.sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest()
    assert not REPORT.passed


async def test_cases_others_depend_on_come_first_and_are_told_in_their_place() -> None:
    """What is not tried says why; what is wrong fails."""
    order = []

    def row(name: str, came: Tried | NotTried):  # type: ignore[no-untyped-def]
        async def tries() -> Tried:
            order.append(name)
            if isinstance(came, NotTried):
                raise came
            return came

        return name, f"{name} holds.", tries

    rows = [row("a", Tried("x", "y")), row("b", NotTried("none here")), row("c", Tried("x", "y", "not so"))]
    cases = await try_all(rows, lambda _: None, first=(3,))
    assert order == ["c", "a", "b"]
    assert [(case.number, case.result, case.why) for case in cases] == [
        (1, Result.PASSED, ""),
        (2, Result.NOT_TRIED, "none here"),
        (3, Result.FAILED, "not so"),
    ]
