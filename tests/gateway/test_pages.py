"""Pages that anybody can read: on any screen, in light and dark, on paper, and read aloud."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from gateway.cli.common import console
from gateway.connecting.case import Case, Result
from gateway.connecting.report_page import Report
from gateway.offline.check import Wanted, check
from tests.support.addressing import ROOT

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ROWS = (
    "form_type,force_code,station_code,custody_number,surname,date_of_birth,form_id,test_reason,trigger_offence,"
    "tested_at,result_cocaine,result_opiates\n"
    "DT1,06,SK,SK/1/12,Thistlewood,30/11/88,DT-1,ARREST,Y,2012-05-11T23:20,POS,NEG\n"
    "DT1,06,SK,SK/2/12,Thistlewood,1988-11-30,DT-2,ARREST,Y,2012-05-11T23:20,NFA2,NEG\n"
    "#END,2\n"
)


class Outline(HTMLParser):
    """The bones of a page: its headings, and of each table what it is called, its columns and the cells of its rows."""

    def __init__(self) -> None:
        super().__init__()
        self.lang: str | None = None
        self.headings: list[int] = []
        self.labels: list[str | None] = []
        self.headers: list[dict[str, str | None]] = []
        self.columns: list[list[str]] = []
        self.rows: list[list[str | None]] = []
        self._column = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self._column = tag == "th" and told.get("scope") == "col"
        match tag:
            case "html":
                self.lang = told.get("lang")
            case "h1" | "h2" | "h3":
                self.headings.append(int(tag[1]))
            case "table":
                self.labels.append(told.get("aria-label"))
                self.columns.append([])
            case "th":
                self.headers.append(told)
            case "tr":
                self.rows.append([])
        if "data-column" in told:
            self.rows[-1].append(told["data-column"])

    def handle_endtag(self, tag: str) -> None:
        self._column = False

    def handle_data(self, data: str) -> None:
        if self._column:
            self.columns[-1].append(data)


def cases_page() -> str:
    """A report of a kit, with a case of each result."""
    cases = [Case(number, str(result), "It is so.", result, why="So.") for number, result in enumerate(Result, 1)]
    return Report("Recipient kit", {"endpoint": "http://x.test/"}, NOW, cases).as_html()


def check_page(folder: Path) -> str:
    """A report of a file with a cause that refuses and one that holds."""
    file, page = folder / "custody.csv", folder / "page.html"
    file.write_text(ROWS)
    check(
        "police_custody",
        [file],
        options={},
        places=ROOT / "deploy" / "areas",
        agreements=ROOT / "contracts" / "agreements",
        console=console(),
        received=NOW,
        wanted=Wanted(report=page),
    )
    return page.read_text(encoding="utf-8")


@pytest.fixture(params=["cases", "check"])
def page(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Each page there is."""
    return cases_page() if request.param == "cases" else check_page(tmp_path)


def test_a_page_can_be_read_aloud(page: str) -> None:
    """It names its language, skips no heading, and every table has a name and headers that say what they head."""
    outline = Outline()
    outline.feed(page)
    assert outline.lang == "en"
    assert outline.headings[0] == 1
    assert outline.headings.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(outline.headings))
    assert outline.labels
    assert all(outline.labels)
    assert outline.headers
    assert all(header.get("scope") in ("col", "row") for header in outline.headers)


def test_on_a_narrow_screen_every_value_stands_under_the_name_of_its_column(page: str) -> None:
    """The names that stand beside the values there are the names of the columns, in their order."""
    outline = Outline()
    outline.feed(page)
    columns = [names for names in outline.columns if names]
    told = [row for row in outline.rows if row]
    assert columns
    assert told
    assert all(row in columns for row in told)


def test_every_colour_can_be_read(page: str) -> None:
    """In light, in dark and on paper each colour of text has the contrast that WCAG 2.2 asks for (1.4.3: 4.5 to 1)."""
    palettes = list(_palettes(page))
    assert len(palettes) == 3
    for palette in palettes:
        for name in ("ink", "quiet", "bad", "odd"):
            assert _contrast(palette[name], palette["paper"]) >= 4.5, name


def _palettes(page: str) -> Iterator[dict[str, str]]:
    for rule in re.findall(r":root \{([^}]*)\}", page):
        yield dict(re.findall(r"--(\w+): (#\w+)", rule))


def _contrast(one: str, other: str) -> float:
    """The contrast of two colours, as WCAG 2.2 defines it."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
