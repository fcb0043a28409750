"""The files of `deploy/areas`, read into `Places`.

Every file is small and kept by hand, so that every mistake in it is told by file, row and what to do.
"""

import csv
import hashlib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from schemas.places import Area, Located, Membership, Places, Tier
from schemas.postcodes import parse_postcode

AREAS = "areas.toml"
POSTCODES = "postcodes.csv"
PRISONS = "prisons.csv"
SUITES = "custody_suites.csv"
INSTITUTIONS = "institutions.csv"
FILES = (AREAS, POSTCODES, PRISONS, SUITES, INSTITUTIONS)

CERTAINTIES = {"C": "confirmed", "S": "said by the programme", "D": "derived", "R": "recalled", "P": "proposed"}
"""How sure a fact is. A fact without a mark and a source is not taken in."""

_AUTHORITY = re.compile(r"[EWSN][0-9]{8}")
_LOWER_TIER = re.compile(r"E0[6789][0-9]{6}")


class PlacesError(Exception):
    """A file of places that cannot be taken in: which file, where in it, what is wrong, and what to do about it."""

    def __init__(self, file: str, where: str, problem: str, fix: str) -> None:
        super().__init__(f"{file}, {where}: {problem}. {fix}.")
        self.file = file
        self.where = where


@dataclass(frozen=True, slots=True)
class _Row:
    """One row of a file, with what is needed to complain about it. `where` counts lines as an editor does."""

    file: str
    where: str
    fields: Mapping[str, str]

    def wrong(self, problem: str, fix: str) -> PlacesError:
        return PlacesError(self.file, self.where, problem, fix)

    def text(self, name: str, pattern: str, form: str) -> str:
        found = self.fields[name]
        if not re.fullmatch(pattern, found):
            raise self.wrong(f"{name} is {found!r}", f"Write {form}")
        return found

    def authority(self) -> str:
        found = self.fields["authority"]
        if not _AUTHORITY.fullmatch(found):
            raise self.wrong(f"authority is {found!r}", "Write the GSS code of the district, as E08000007")
        return found

    def postcode(self) -> str:
        found = self.fields["postcode"]
        if parse_postcode(found).value != found:
            raise self.wrong(f"postcode is {found!r}", "Write it in capitals with one space, as SK1 3XE")
        return found

    def day(self, name: str) -> date | None:
        found = self.fields[name]
        try:
            return date.fromisoformat(found) if found else None
        except ValueError:
            raise self.wrong(f"{name} is {found!r}", "Write a date as 2012-04-01, or nothing") from None

    def vouched(self) -> None:
        if self.fields["certainty"] not in CERTAINTIES:
            raise self.wrong("the certainty is not marked", f"Mark it with one of {', '.join(CERTAINTIES)}")
        if not self.fields["source"]:
            raise self.wrong("the source is missing", "Say where the fact comes from")


def load_places(folder: Path) -> Places:
    """The places the files of a folder tell. Raises PlacesError for the first thing in them that is wrong."""
    bytes_of = {name: _read(folder, name) for name in FILES}
    areas, memberships = _areas(bytes_of[AREAS])
    postcodes, terminated = _postcodes(_rows(POSTCODES, bytes_of[POSTCODES], "postcode,authority,since,terminated"))
    prisons: dict[str, str] = {}
    institutions: set[str] = set()
    for row in _rows(PRISONS, bytes_of[PRISONS], "agency,name,postcode,authority,certainty,source"):
        row.vouched()
        _once(prisons, row.text("agency", r"[A-Z]{3}", "three letters, as LII"), row.authority(), row)
        if row.fields["postcode"]:
            institutions.add(row.postcode())
    suites: dict[tuple[str, str], str] = {}
    for row in _rows(SUITES, bytes_of[SUITES], "force,station,name,authority,certainty,source"):
        row.vouched()
        force = row.text("force", r"[0-9]{2}", "two digits, as 06")
        station = row.text("station", r"[A-Z0-9]{2}", "two capitals or digits, as SP")
        _once(suites, (force, station), row.authority(), row)
    for row in _rows(INSTITUTIONS, bytes_of[INSTITUTIONS], "postcode,kind,name,certainty,source"):
        row.vouched()
        row.text("kind", r"court|approved_premises|hospital", "court, approved_premises or hospital")
        institutions.add(row.postcode())
    return Places(
        version=_version(bytes_of),
        areas=areas,
        memberships=memberships,
        postcodes=postcodes,
        terminated=terminated,
        prisons=prisons,
        suites=suites,
        institutions=frozenset(institutions),
    )


def _read(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise PlacesError(
            name, "the whole file", f"it cannot be read ({type(error).__name__})", "Put it there"
        ) from None


def _version(bytes_of: Mapping[str, bytes]) -> str:
    """Twelve characters that follow the content of every file and nothing else."""
    whole = hashlib.sha256()
    for name in sorted(bytes_of):
        whole.update(name.encode() + b"\x00" + hashlib.sha256(bytes_of[name]).digest())
    return whole.hexdigest()[:12]


def _rows(file: str, content: bytes, header: str) -> Iterator[_Row]:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise PlacesError(file, "the whole file", "it is not UTF-8", "Save it as UTF-8") from None
    reader = csv.reader(text.splitlines())
    names = header.split(",")
    if next(reader, None) != names:
        raise PlacesError(file, "row 1", "the columns are not the ones expected", f"Begin the file with {header}")
    for fields in reader:
        where = f"row {reader.line_num}"
        if len(fields) != len(names):
            raise PlacesError(file, where, f"it has {len(fields)} fields", f"Give it the {len(names)} of {header}")
        yield _Row(file, where, dict(zip(names, fields, strict=True)))


def _once(known: dict[Any, str], key: Any, authority: str, row: _Row) -> None:
    if key in known:
        raise row.wrong("it is in the file twice", "Keep one of the two")
    known[key] = authority


def _postcodes(rows: Iterable[_Row]) -> tuple[dict[str, tuple[Located, ...]], dict[str, date]]:
    """Each postcode's authorities in the order of their days, and the days of those that went out of use."""
    located: dict[str, tuple[Located, ...]] = {}
    terminated: dict[str, date] = {}
    for row in rows:
        postcode, since, ended = row.postcode(), row.day("since"), row.day("terminated")
        earlier = located.get(postcode, ())
        if postcode in terminated:
            raise row.wrong("the postcode went out of use in an earlier row", "Give terminated in its last row only")
        if earlier and (since is None or since <= (earlier[-1].since or date.min)):
            raise row.wrong("it is not later than the row before it", "Order a postcode's rows by their since")
        if ended and since and ended <= since:
            raise row.wrong("it went out of use before it came into use", "Mend since or terminated")
        located[postcode] = (*earlier, Located(row.authority(), since))
        if ended:
            terminated[postcode] = ended
    return located, terminated


def _areas(content: bytes) -> tuple[dict[str, Area], dict[str, tuple[Membership, ...]]]:
    """The areas by id, and each authority's memberships."""
    try:
        told = tomllib.loads(content.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PlacesError(AREAS, "the whole file", f"it is not TOML ({error})", "Mend it there") from None
    areas: dict[str, Area] = {}
    memberships: dict[str, tuple[Membership, ...]] = {}
    for number, entry in enumerate(told.get("area", ()), start=1):
        where = f"area {number}"
        try:
            area = Area(id=entry["id"], name=entry["name"], tier=Tier(entry["tier"]))
            periods = entry["authorities"]
        except (KeyError, TypeError, ValueError):
            tiers = ", ".join(Tier)
            raise PlacesError(
                AREAS, where, "it is incomplete", f"Give id, name, tier (one of {tiers}) and authorities"
            ) from None
        if area.id in areas:
            raise PlacesError(AREAS, where, f"the id {area.id!r} is taken", "Give each area an id of its own")
        areas[area.id] = area
        for period in periods:
            for code, membership in _period(area, period):
                earlier = memberships.get(code, ())
                if any(_overlap(membership, other) for other in earlier):
                    raise PlacesError(
                        AREAS, area.id, f"{code} is in two areas, or twice in one, on the same day", "Part the periods"
                    )
                memberships[code] = (*earlier, membership)
    return areas, memberships


def _period(area: Area, period: Mapping[str, Any]) -> Iterator[tuple[str, Membership]]:
    since, until = period.get("since"), period.get("until")
    if any(day is not None and type(day) is not date for day in (since, until)):
        raise PlacesError(AREAS, area.id, "since or until is not a date", "Write it bare, as 2012-04-01")
    if since and until and until <= since:
        raise PlacesError(AREAS, area.id, "a period ends before it begins", "Mend since or until")
    if period.get("certainty") not in CERTAINTIES or not period.get("source"):
        raise PlacesError(
            AREAS, area.id, "a fact has no mark or no source", f"Give certainty ({', '.join(CERTAINTIES)}) and source"
        )
    for code in period.get("codes", ()):
        if not isinstance(code, str) or not _LOWER_TIER.fullmatch(code):
            raise PlacesError(
                AREAS,
                area.id,
                f"{code!r} is no district",
                "Write codes of districts (E06, E07, E08, E09); a county's own code (E10) stands in no postcode",
            )
        yield code, Membership(area, since, until)


def _overlap(one: Membership, other: Membership) -> bool:
    starts_before = one.since is None or other.until is None or one.since < other.until
    ends_after = one.until is None or other.since is None or other.since < one.until
    return starts_before and ends_after
