"""`lgw check` says what would become of each record, in words or as JSON, and never a personal value."""

import io
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from adapters.registry import adapters
from gateway.offline import Wanted, check
from gateway.offline.records import Unusable

RECEIVED = datetime(2026, 1, 15, tzinfo=UTC)
EXAMPLES = Path(__file__).parents[3] / "contracts" / "inbound" / "police_custody" / "examples"
PLACES = Path(__file__).parents[3] / "deploy" / "areas"
AGREEMENTS = PLACES.parents[1] / "contracts" / "agreements"
HEADER = "form_type,force_code,station_code,custody_number,surname,date_of_birth,form_id,given_at,cease_reason"

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run() -> Run:
    """The exit code and everything printed."""

    def run(
        *paths: Path,
        agency: str | None = "police_custody",
        as_json: bool = False,
        wanted: Wanted | None = None,
        **how: bool,
    ) -> tuple[int, str]:
        out = io.StringIO()
        console = Console(file=out, width=200, **how)  # type: ignore[arg-type]
        code = check(
            agency,
            paths,
            options={},
            places=PLACES,
            agreements=AGREEMENTS,
            console=console,
            received=RECEIVED,
            wanted=wanted or Wanted(as_json=as_json, no_report=True, quiet=True),
        )
        return code, out.getvalue()

    return run


def rows(path: Path, count: int, bad: int) -> Path:
    """A file of rows, every so-manieth with a birth date nobody can read and an unknown reason."""
    lines = [HEADER]
    for number in range(1, count + 1):
        birth, reason = ("30/11/88", "NOT_NEEDED") if number % bad == 0 else ("1988-11-30", "NOT_NEEDED")
        lines.append(f"RA5,06,SK,SK/{number}/12,Thistlewood,{birth},N-{number},2012-05-16T12:00,{reason}")
    path.write_text("\n".join([*lines, f"#END,{count}", ""]))
    return path


@pytest.mark.parametrize(("outcome", "code"), [("accepted", 0), ("ignored", 0), ("held", 1), ("refused", 1)])
def test_the_exit_code_says_whether_anything_needs_attention(run: Run, outcome: str, code: int) -> None:
    """Records that are taken end with 0, though there be warnings; a held or refused one ends with 1."""
    assert run(EXAMPLES / outcome)[0] == code


def test_what_cannot_be_tried_is_said_in_a_sentence_and_a_fix(run: Run, tmp_path: Path) -> None:
    """No such agency, no such file, a file of another kind, a folder without any."""
    json_file = tmp_path / "message.json"
    json_file.write_text("{}")
    agencies = f"Choose one of: {', '.join(sorted(adapters()))}."
    endings = "Its files end in .csv, .xml."
    for path, agency, sentence, fix in (
        (EXAMPLES, "library", "There is no agency 'library'.", agencies),
        (tmp_path / "nothing.csv", "police_custody", f"There is no file {tmp_path}/nothing.csv.", "Name one"),
        (json_file, "police_custody", f"{json_file} is no kind of file that police_custody sends.", endings),
        (tmp_path, "police_custody", f"{tmp_path} holds no file that police_custody sends.", endings),
    ):
        with pytest.raises(Unusable) as unusable:
            run(path, agency=agency)
        assert str(unusable.value) == sentence
        assert unusable.value.fix.startswith(fix)


def test_each_record_is_told_with_its_findings(run: Run) -> None:
    """Outcome, kinds, rule, field, sentence and fix stand beside the record."""
    _, text = run(EXAMPLES / "refused" / "due-before-notice.xml", EXAMPLES / "held" / "attendance-not-known.xml")
    assert "due-before-notice.xml: refused" in text
    assert "ERR  CU-031  due_at: The assessment is due before its notice was given." in text
    assert "attendance-not-known.xml: held  code_not_mapped, owner: operations" in text
    assert "2 records · 0 ready (0.0 %) · 2 need attention · 2 causes" in text
    assert "0 accepted · 1 held · 1 refused · 0 ignored" in text


def test_many_rows_are_gathered_by_cause(run: Run, tmp_path: Path) -> None:
    """Five hundred rows with seven bad ones are told in a few lines, with the rows to look at."""
    code, text = run(rows(tmp_path / "custody.csv", 500, 71))
    assert code == 1
    assert "500 records · 493 ready (98.6 %) · 7 need attention · 1 cause" in text
    assert "7 × date_of_birth: The field is not a date." in text
    assert "seen: 99/99/99 ×7" in text
    assert "in: custody.csv rows 71, 142, 213, 284, 355 …" in text
    assert len(text.splitlines()) < 12


def test_nothing_is_wider_than_a_terminal(run: Run, tmp_path: Path) -> None:
    """Eighty columns, for few records and for many."""
    for path in (EXAMPLES, EXAMPLES / "refused", rows(tmp_path / "c.csv", 30, 3)):
        assert max(len(line) for line in run(path)[1].splitlines()) <= 80


def test_json_is_one_object_a_record(run: Run) -> None:
    """A program finds record, outcome, kinds and findings, and the reason or name where there is one."""
    _, text = run(EXAMPLES, as_json=True)
    told = [json.loads(line) for line in text.splitlines()]
    assert {"accepted", "held", "ignored", "refused"} == {record["outcome"] for record in told}
    for record in told:
        assert {"record", "outcome", "kinds", "findings"} <= set(record)
        assert ("reason" in record) is (record["outcome"] == "held")
        assert ("name" in record) is (record["outcome"] == "ignored")
        assert (record["kinds"] != []) is (record["outcome"] == "accepted")
        assert all(set(finding) == {"rule", "level", "field", "text"} for finding in record["findings"])


def test_a_file_refused_whole_has_no_rows(run: Run) -> None:
    """Where the last line's count is wrong nothing of the file would be taken, and no row is told as if it were."""
    _, text = run(EXAMPLES / "refused" / "cut-short.csv", as_json=True)
    (record,) = [json.loads(line) for line in text.splitlines()]
    assert (record["record"], record["outcome"]) == ("cut-short.csv", "refused")


@pytest.mark.parametrize("as_json", [False, True])
def test_no_personal_value_is_printed(run: Run, as_json: bool) -> None:
    """The people of the examples are in no line."""
    _, text = run(EXAMPLES, as_json=as_json)
    for value in ("Oakenfold", "Thistlewood", "Casimir", "Hyacinth", "1981-03-17", "SK1 3XE", "137251W", "YE/1204"):
        assert value not in text


def test_colour_only_on_a_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe and NO_COLOR get plain text."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[" not in run(EXAMPLES / "refused")[1]
    coloured = run(EXAMPLES / "refused", force_terminal=True)[1]
    assert re.search(r"\x1b\[31m  ERR  CU-\d{3}  \x1b\[0m\S", coloured)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[31m" not in run(EXAMPLES / "refused", force_terminal=True)[1]


def test_a_file_without_a_suffix_is_told_by_how_it_begins(run: Run, tmp_path: Path) -> None:
    """XML is XML whatever its name."""
    unnamed = tmp_path / "record"
    unnamed.write_bytes((EXAMPLES / "accepted" / "follow-up-ceased.xml").read_bytes())
    assert run(unnamed)[0] == 0


def test_what_is_wrong_with_a_record_as_a_whole_names_no_field(run: Run) -> None:
    """No field is at fault where the record is none at all, and none is told, not even an empty one."""
    whole = EXAMPLES.parents[1] / "self_referral" / "examples" / "refused" / "not-json.json"
    _, said = run(whole, agency="self_referral")
    assert "ERR  SR-001  The record is not one JSON object" in said
