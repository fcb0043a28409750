"""`lgw check`: what would become of each record, said without a single personal value."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

import orjson
from rich.console import Console
from rich.text import Text

from adapters.base import Adapter, FileRefused, Held, Ignored, Message
from adapters.registry import adapters
from gateway.addressing.agreements import Agreements, load_agreements
from gateway.connecting.meter import meter
from gateway.offline.detect import detect
from gateway.offline.mapping import as_toml, for_a_gateway, read_mapping, taught
from gateway.offline.preview import Previewed, preview
from gateway.offline.records import (
    Examined,
    Piece,
    Unusable,
    agency_of,
    examine,
    files_of,
    media_type,
    pieces_of,
)
from gateway.offline.report import Report
from gateway.offline.screen import say, say_previews, say_record, say_report
from gateway.offline.survey import Reader, helpers, survey
from schemas.place_files import PlacesError

LISTED_ONE_BY_ONE: Final = 20
"""Up to so many records are told one by one; more are gathered by cause, and a report is written beside them."""
_PREVIEWED: Final = 3
"""Records of which is shown what a LASARS would be told."""
_LOOKED_AT: Final = 1_000
"""Records that are looked at for that; a file whose beginning is all wrong has other things to be shown."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a check.

    as_json: one object a record and nothing else. report: where the page goes, None for beside the files; no_report:
    it goes nowhere. mapping: a mapping file to read; write_mapping: where to write one. quiet: no progress. preview:
    show what a LASARS would be told of the first records, as JSON of each.
    """

    as_json: bool = False
    report: Path | None = None
    no_report: bool = False
    mapping: Path | None = None
    write_mapping: Path | None = None
    quiet: bool = False
    preview: bool = False


def check(
    agency: str | None,
    paths: Sequence[Path],
    *,
    options: Mapping[str, Mapping[str, str]],
    places: Path,
    agreements: Path,
    console: Console,
    received: datetime,
    wanted: Wanted | None = None,
) -> int:
    """Tell on the console what an agency's adapter makes of the records in some files; the exit code.

    agency: None to ask every adapter whose they are. options: an installation's choices, by agency. places: the folder
    of the postcode table. agreements: that of what may be told. 0: every record is taken. 1: at least one is held or
    refused; warnings do not count. Raises Unusable where it cannot be tried.
    """
    wanted = wanted or Wanted()
    _refuse_what_cannot_be_written(wanted)
    known = adapters(options)
    why = ""
    if agency is None:
        found = detect(known, paths[0], received)
        agency, why = found.agency, f" ({found.why})"
    agency_of(known, agency)
    reader = Reader(agency, options, places, received)
    _ = reader.adapter  # so that the tables of codes are those it reads by
    if wanted.mapping is not None:
        reader = replace(reader, mapped=read_mapping(wanted.mapping))
    if wanted.as_json:
        return _as_json(reader, paths, load_agreements(agreements) if wanted.preview else None, console)
    try:
        return _told(reader, why, paths, agreements, console, wanted)
    except PlacesError as error:
        raise Unusable("The postcode table cannot be read.", str(error)) from None


def _refuse_what_cannot_be_written(wanted: Wanted) -> None:
    """Raises Unusable: better before a long file is read than after it."""
    if wanted.no_report and wanted.report is not None:
        raise Unusable("--report and --no-report contradict each other.", "Give one of them.")
    for path in (wanted.report, wanted.write_mapping):
        if path is not None and not path.parent.is_dir():
            raise Unusable(f"There is no folder {path.parent} to write {path.name} in.", "Make it, or name another.")
    if wanted.write_mapping is not None and wanted.write_mapping.exists():
        there = f"{wanted.write_mapping} is there already, and what stands in it may be somebody's work."
        raise Unusable(there, "Name another.")


def _as_json(reader: Reader, paths: Sequence[Path], agreements: Agreements | None, console: Console) -> int:
    attention, day = False, reader.received.date()
    with taught(reader.mapped):
        for record in examine(reader.adapter, paths, reader.received):
            attention |= record.needs_attention
            told = as_object(record)
            if agreements is not None:
                told["preview"] = [one.as_json() for one in preview(record, reader.agency, agreements, day)]
            console.file.write(orjson.dumps(told).decode() + "\n")
    return int(attention)


def _told(reader: Reader, why: str, paths: Sequence[Path], agreements: Path, console: Console, wanted: Wanted) -> int:
    many = sum(1 for _ in islice(_pieces(reader.adapter, paths), LISTED_ONE_BY_ONE + 1)) > LISTED_ONE_BY_ONE
    say(console, f"Reading as {reader.agency}{why}; nothing leaves this computer.")
    if not many:
        with taught(reader.mapped):
            for record in examine(reader.adapter, paths, reader.received):
                say_record(console, record)
    size = sum(file.stat().st_size for path in paths for file in (path.rglob("*") if path.is_dir() else [path]))
    with (
        helpers(reader) if many else nullcontext() as beside,
        meter("Reading", size, quiet=wanted.quiet or not many) as told,
    ):
        counted = survey(reader, paths, told, beside)
    previewed = tuple(_previews(reader, paths, agreements)) if counted.tally.outcomes["accepted"] else ()
    report = Report(reader.agency, reader.received, counted, reader.known, previewed)
    say_report(console, report, causes=many)
    if wanted.preview and previewed:
        say_previews(console, previewed)
    if wanted.write_mapping is not None:
        _write_mapping(report, wanted.write_mapping, console)
    elif report.codes():
        say(console, "To say what they mean: --write-mapping mapping.toml, fill it in, then --mapping mapping.toml")
    if reader.mapped:
        _say_how_for_a_gateway(reader, console)
    if not wanted.no_report and (many or wanted.report is not None):
        page = wanted.report or _beside(paths[0])
        _write(page, report.as_html())
        console.print(Text(f"Report: {page} (no personal data inside)"), soft_wrap=True)
    return int(report.tally.attention > 0)


def _pieces(adapter: Adapter, paths: Sequence[Path]) -> Iterator[Piece]:
    """The records as they are cut, up to where a file turns out to be refused whole."""
    for path, name in files_of(adapter, paths):
        with path.open("rb") as file, suppress(FileRefused):
            yield from pieces_of(adapter, file, name, media_type(path))


def _previews(reader: Reader, paths: Sequence[Path], folder: Path) -> Iterator[Previewed]:
    """What would be told of the first records that are ready."""
    agreements, day = load_agreements(folder), reader.received.date()
    with taught(reader.mapped):
        read = (
            Examined(piece.file, piece.row, reader.adapter.read(Message(piece.body, piece.media_type, reader.received)))
            for piece in islice(_pieces(reader.adapter, paths), _LOOKED_AT)
        )
        ready = (record for record in read if record.kinds)
        for record in islice(ready, _PREVIEWED):
            yield from preview(record, reader.agency, agreements, day)


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name if path.is_dir() else path.stem}.report.html")


def _write_mapping(report: Report, path: Path, console: Console) -> None:
    codes = report.codes()
    if kinds := report.kinds_told():
        say(console, f"Of a kind nobody reads: {', '.join(kinds)}")
        say(console, "A mapping cannot name it. Add it to kinds, or to those ignored, in the agency's adapter.py.")
    if not codes:
        every = "No code of a table is unmapped" if report.tally.codes else "Every code is mapped"
        say(console, f"{every}; no mapping file was written.")
        return
    _write(path, as_toml(report.agency, codes))
    say(console, f"Mapping: {path} names {len(codes)} codes; give each its meaning, then --mapping {path}")


def _say_how_for_a_gateway(reader: Reader, console: Console) -> None:
    setting, without = for_a_gateway(reader.adapter, reader.mapped)
    say(console, "The mapping counted for this check alone.")
    if setting:
        say(console, "A running gateway takes it as a setting, before its start:")
        console.print(Text(setting), soft_wrap=True)
    if without:
        say(console, f"No option of the adapter adds codes to {', '.join(without)}: they go into its codes.py.")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Unusable(f"{path} cannot be written ({error.strerror}).", "Name another file.") from None


def as_object(record: Examined) -> dict[str, Any]:
    """A record's outcome as JSON: record, outcome, findings, kinds; a held one's reason, an ignored one's name."""
    told: dict[str, Any] = {
        "record": record.place,
        "outcome": record.word,
        "kinds": list(record.kinds),
        "findings": [
            {"rule": f.rule.id, "level": f.rule.level.value, "field": f.field, "text": f.text} for f in record.findings
        ],
    }
    match record.outcome:
        case Held(reason=reason):
            told |= {"reason": reason, "owner": "operations"}
        case Ignored(name=name):
            told |= {"name": name}
        case _:
            pass
    return told
