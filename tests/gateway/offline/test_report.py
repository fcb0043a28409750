"""The report of a batch can be passed on: it says what is wrong and where, and nothing of anybody."""

import io
import json
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from adapters import _template
from gateway.offline import Wanted, check
from gateway.offline.records import Unusable, pieces_of
from gateway.offline.survey import Reader, Survey, helpers, survey

RECEIVED = datetime(2026, 1, 15, tzinfo=UTC)
PLACES = Path(__file__).parents[3] / "deploy" / "areas"
REFUSED = PLACES.parents[1] / "contracts" / "inbound" / "gp" / "examples" / "refused"
AGREEMENTS = PLACES.parents[1] / "contracts" / "agreements"
HEADER = (
    "form_type,force_code,station_code,custody_number,surname,forenames,date_of_birth,asn,postcode,form_id,"
    "test_reason,trigger_offence,tested_at,result_cocaine,result_opiates"
)
CANARIES = ("Thistlewood", "Ottoline", "1987-09-11", "SK1 3XE", "06NP0100000000137251W", "HQ/7741", "QF-90210")


def row(number: int, **changed: str) -> str:
    """One drug test; the same person each time."""
    told = {
        "form_type": "DT1",
        "force_code": "06",
        "station_code": "SK",
        "custody_number": f"HQ/7741{number}/12",
        "surname": "Thistlewood",
        "forenames": "Ottoline",
        "date_of_birth": "1987-09-11",
        "asn": "06NP0100000000137251W",
        "postcode": "SK1 3XE",
        "form_id": f"QF-90210-{number}",
        "test_reason": "ARREST",
        "trigger_offence": "Y",
        "tested_at": "2026-01-10T09:30",
        "result_cocaine": "POS",
        "result_opiates": "NEG",
    } | changed
    return ",".join(told[name] for name in HEADER.split(","))


def batch(path: Path, rows: list[str]) -> Path:
    """A file of rows."""
    path.write_text("\r\n".join([HEADER, *rows, f"#END,{len(rows)}", ""]), newline="")
    return path


@pytest.fixture
def custody(tmp_path: Path) -> Path:
    """Sixty rows, of which some are wrong in every way the report tells apart."""
    rows = [row(number) for number in range(1, 49)]
    rows += [row(49, date_of_birth="11/9/87"), row(50, result_cocaine="NFA2"), row(51, result_cocaine="NFA2")]
    rows += [
        row(52, result_opiates="RUI"),
        row(53, postcode=""),
        row(54, postcode="ZZ99 3VZ"),
        row(55, postcode="M99 9ZZ"),
    ]
    rows += [row(56, date_of_birth="1900-01-01"), row(1), row(57, date_of_birth="1987-13-11"), row(58), row(59)]
    return batch(tmp_path / "custody.csv", rows)


def run(path: Path, agency: str | None = "police_custody", **wanted: Path | bool) -> tuple[int, str]:
    """The exit code and what was printed."""
    out = io.StringIO()
    code = check(
        agency,
        [path],
        options={},
        places=PLACES,
        agreements=AGREEMENTS,
        console=Console(file=out, width=80),
        received=RECEIVED,
        wanted=Wanted(quiet=True, **wanted),  # type: ignore[arg-type]
    )
    return code, out.getvalue()


def test_nothing_of_anybody_is_in_it(custody: Path) -> None:
    """Neither the terminal nor the page has a value of a record, whatever is wrong with it."""
    _, said = run(custody)
    page = (custody.parent / "custody.report.html").read_text(encoding="utf-8")
    assert "99/9/99" in page
    for canary in CANARIES:
        assert canary not in said
        assert canary not in page


def test_what_a_lasars_would_be_told_is_shown(custody: Path) -> None:
    """On the page always, on the terminal when asked for: of the first three records that are ready."""
    _, said = run(custody)
    assert "What a LASARS would be told" not in said
    _, said = run(custody, preview=True)
    page = (custody.parent / "custody.report.html").read_text(encoding="utf-8")
    for told in (said, page):
        assert "What a LASARS would be told" in told
        assert set(re.findall(r"custody\.csv row (\d+): custody\.drug-test\.recorded", told)) == {"1", "2", "3"}
        for canary in CANARIES:
            assert canary not in told


def test_as_json_each_record_has_its_preview(custody: Path) -> None:
    """Asked for, and only of what is ready."""
    _, said = run(custody, as_json=True, preview=True)
    told = [json.loads(line) for line in said.splitlines()]
    assert {bool(one["preview"]) for one in told if one["outcome"] == "accepted"} == {True}
    assert {bool(one["preview"]) for one in told if one["outcome"] != "accepted"} == {False}
    first = told[0]["preview"][0]
    assert (first["kind"], first["roles"]) == ("custody.drug-test.recorded", ["home", "holding"])
    assert first["told"]["person.date_of_birth"] == "9999-99-99"
    assert not any(canary in said for canary in CANARIES)


def test_a_file_refused_whole_would_tell_nobody_anything(tmp_path: Path) -> None:
    """Nothing is shown of rows that would not be taken."""
    path = tmp_path / "custody.csv"
    path.write_text("\r\n".join([HEADER, *(row(number) for number in range(1, 4)), "#END,9", ""]), newline="")
    _, said = run(path, preview=True)
    assert "What a LASARS would be told" not in said


def test_a_column_somebody_is_named_in_is_not_told(tmp_path: Path) -> None:
    """A name that the contract does not know may be a person's: the column is told by its number."""
    path = tmp_path / "custody.csv"
    lines = [f"{HEADER},Ottoline Thistlewood", *(f"{row(number)},seen" for number in range(1, 30)), "#END,29", ""]
    path.write_text("\n".join(lines))
    run(path)
    page = (tmp_path / "custody.report.html").read_text(encoding="utf-8")
    assert "field 16, not in the contract" in page
    assert "Ottoline" not in page


def test_the_page_needs_nothing_else(custody: Path) -> None:
    """One file: no script, no picture, nothing that is fetched."""
    run(custody)
    page = (custody.parent / "custody.report.html").read_text(encoding="utf-8")
    assert not re.search(r"<(script|img|link|iframe)|https?://|url\(", page)


def test_causes_codes_repeats_and_homes_are_told(custody: Path) -> None:
    """What the sender must know before sending stands on eighty columns."""
    code, said = run(custody)
    assert code == 1
    assert "60 records · 55 ready (91.7 %) · 5 need attention" in said
    assert "CU-014  2 × date_of_birth" in said
    assert "seen: 99/9/99 ×1, 9999-99-99 ×1" in said
    assert "Not mapped: police_custody.result NFA2 ×2, police_custody.result RUI ×1" in said
    assert "1 record telling again what stands before, in the same version: rows 57" in said
    assert "Home area resolved 94.5 %, by the postcode table" in said
    assert re.search(r"Stockport 52", said)
    assert "no address ×1" in said
    *told, where = said.splitlines()
    assert where == f"Report: {custody.parent}/custody.report.html (no personal data inside)"
    assert max(map(len, told)) <= 80


def test_what_a_sentence_names_stays_whole(custody: Path) -> None:
    """A date or a code that were broken at the end of a line could not be found by who looks for it."""
    _, said = run(custody)
    assert "CCYY-MM-DD" in said
    assert "districts of England, Scotland and Wales" in " ".join(said.split())


def test_fields_dates_identifiers_and_the_file_are_told(custody: Path) -> None:
    """What the page has beyond the terminal."""
    run(custody)
    page = (custody.parent / "custody.report.html").read_text(encoding="utf-8")
    assert "98.3 %" in page  # the postcode is filled in 59 of 60
    assert "impossible ×1" in page
    assert "1900-01-01 or 1970-01-01 ×1" in page
    assert "with a year of two digits ×1" in page
    assert "ASCII, without a byte order mark" in page
    assert "CRLF" in page
    assert "15 columns" in page
    assert "asn: 55 given, " in page


def test_no_report_is_written_unasked(custody: Path, tmp_path: Path) -> None:
    """A few records are told one by one; `--no-report` and `--report` decide for many."""
    run(custody, no_report=True)
    few = batch(tmp_path / "few.csv", [row(1)])
    run(few)
    assert list(tmp_path.glob("*.html")) == []
    run(custody, report=tmp_path / "elsewhere.html")
    assert [path.name for path in tmp_path.glob("*.html")] == ["elsewhere.html"]


def test_a_mapping_is_written_filled_in_and_read_back(custody: Path, tmp_path: Path) -> None:
    """Codes met most often first, each with what it may mean; filled in, their records are taken, for this once."""
    mapping = tmp_path / "mapping.toml"
    run(custody, write_mapping=mapping, no_report=True)
    text = mapping.read_text(encoding="utf-8")
    assert '["police_custody.result"]\n# one of: invalid, negative, positive, refused\n' in text
    assert text.index("NFA2") < text.index("RUI")
    mapping.write_text(text.replace('"NFA2" = ""', '"NFA2" = "refused"'), encoding="utf-8")
    _, said = run(custody, mapping=mapping, no_report=True)
    assert "57 ready" in said
    assert "Not mapped: police_custody.result RUI ×1" in said
    assert "No option of the adapter adds codes to police_custody.result" in " ".join(said.split())
    _, said = run(custody, no_report=True)
    assert "55 ready" in said


def test_a_kind_of_record_is_mapped_in_the_adapter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A code that names a kind nobody reads is listed, and where it goes; it is never said that all are mapped."""
    for module in ("gateway.offline.check", "gateway.offline.survey"):
        monkeypatch.setattr(sys.modules[module], "adapters", lambda _options: {"_template": _template.build({})})
    mapping = tmp_path / "mapping.toml"
    examples = Path(__file__).parents[3] / "contracts" / "inbound" / "_template" / "examples" / "held"
    _, said = run(examples, "_template", write_mapping=mapping, no_report=True)
    told = " ".join(said.split())
    assert "Of a kind nobody reads: _template.record_type TRF ×1" in told
    assert "in the agency's adapter.py" in told
    assert '["_template.urgency"]' in mapping.read_text(encoding="utf-8")
    assert "TRF" not in mapping.read_text(encoding="utf-8")


def test_a_mapping_to_no_meaning_of_ours_is_refused(custody: Path, tmp_path: Path) -> None:
    """With the meanings there are."""
    mapping = tmp_path / "mapping.toml"
    mapping.write_text('["police_custody.result"]\nNFA2 = "perhaps"\n')
    with pytest.raises(Unusable) as unusable:
        run(custody, mapping=mapping)
    assert "NFA2 has no meaning of ours" in str(unusable.value)
    assert unusable.value.fix == "Choose one of: invalid, negative, positive, refused."


def test_somebodys_mapping_is_not_overwritten(custody: Path, tmp_path: Path) -> None:
    """What stands in a mapping file may be work."""
    mapping = tmp_path / "mapping.toml"
    mapping.write_text("mine")
    with pytest.raises(Unusable, match="may be somebody's work"):
        run(custody, write_mapping=mapping)
    assert mapping.read_text() == "mine"


def test_what_cannot_be_written_is_said_before_anything_is_read(tmp_path: Path) -> None:
    """A folder that is not there, and a report that is wanted and not: nobody waits for a long file first."""
    for wanted, sentence in (
        ({"report": tmp_path / "no" / "page.html"}, f"There is no folder {tmp_path}/no to write page.html in."),
        ({"write_mapping": tmp_path / "no" / "m.toml"}, f"There is no folder {tmp_path}/no to write m.toml in."),
        ({"report": tmp_path / "page.html", "no_report": True}, "--report and --no-report contradict each other."),
    ):
        with pytest.raises(Unusable) as unusable:
            run(tmp_path / "not looked at yet.csv", **wanted)
        assert str(unusable.value) == sentence


def test_a_gateway_is_told_codes_by_its_adapters_options(tmp_path: Path) -> None:
    """Where an adapter takes codes as options, the setting is there to be copied."""
    examples = Path(__file__).parents[3] / "contracts" / "inbound" / "prison" / "examples" / "held"
    mapping = tmp_path / "mapping.toml"
    mapping.write_text('["prison.released.nomisMovementReasonCode"]\nQQ = "parole"\n')
    _, said = run(examples, "prison", mapping=mapping)
    assert 'GATEWAY_ADAPTERS=\'{"prison": {"release_reason.QQ": "parole"}}\'' in said


def test_a_file_says_whose_it_is(custody: Path, tmp_path: Path) -> None:
    """Every adapter is asked; which one was taken, and why, is said."""
    _, said = run(custody, None, no_report=True)
    assert "Reading as police_custody (it takes 20 of the first 20 records" in said
    nobodys = tmp_path / "nobodys.csv"
    nobodys.write_text("colour,taste\nblue,sour\n")
    with pytest.raises(Unusable) as unusable:
        run(nobodys, None)
    assert "--as" in unusable.value.fix


def test_a_format_of_one_agency_says_whose_it_is(tmp_path: Path) -> None:
    """However wrong the file is: its sender learns what is wrong with it, and not that nobody understands it."""
    path = tmp_path / "registrations.edi"
    path.write_bytes((REFUSED / "miscounted.edi").read_bytes())
    code, said = run(path, None, no_report=True)
    assert code == 1
    assert "Reading as gp (no other agency sends application/edifact)" in said
    assert "GP-110" in said


def counted(path: Path, processes: int) -> Survey:
    """A file surveyed by so many processes."""
    reader = Reader("police_custody", {}, PLACES, RECEIVED)
    with helpers(reader, processes) as beside:
        return survey(reader, [path], lambda _done, _counts: None, beside)


def test_several_processes_count_what_one_counts(tmp_path: Path) -> None:
    """However a file is cut up, its counts, first places, repeats and fields are the same."""
    rows = [row(number, date_of_birth="1/1/80" if number % 400 == 0 else "1987-09-11") for number in range(1, 1700)]
    path = batch(tmp_path / "custody.csv", [*rows, row(3)])
    reader = Reader("police_custody", {}, PLACES, RECEIVED)
    with path.open("rb") as file:
        alone = reader.tally(list(pieces_of(reader.adapter, file, path.name, "text/csv")))
    together = counted(path, 2).tally
    assert together.outcomes == alone.outcomes
    assert [(c.finding, c.times, c.places) for c in together.ranked()] == [
        (c.finding, c.times, c.places) for c in alone.ranked()
    ]
    assert together.repeats.found() == alone.repeats.found() == (1, [1700])
    assert together.homes == alone.homes
    for name, held in alone.profile.fields.items():
        assert together.profile.fields[name].filled == held.filled
        assert together.profile.fields[name].shapes == held.shapes
        assert together.profile.fields[name].distinct.count() == held.distinct.count()


def test_a_file_refused_at_its_end_counts_as_nothing_else(tmp_path: Path) -> None:
    """Where the last line's count is wrong none of the rows before it would be taken."""
    path = tmp_path / "cut.csv"
    path.write_text("\n".join([HEADER, *(row(number) for number in range(1, 1201)), "#END,1300", ""]))
    told = counted(path, 2).tally
    assert dict(told.outcomes) == {"refused": 1}
    assert told.profile.fields == {}
