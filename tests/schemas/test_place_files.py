import shutil
from pathlib import Path

import pytest

from schemas.place_files import FILES, PlacesError, load_places

FOLDER = Path(__file__).parents[2] / "deploy" / "areas"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files as shipped, to be spoilt."""
    return Path(shutil.copytree(FOLDER, tmp_path / "areas"))


def append(path: Path, text: str) -> int:
    """Adds a line to a file and says which one it is."""
    path.write_text(path.read_text(encoding="utf-8") + text + "\n", encoding="utf-8")
    return len(path.read_text(encoding="utf-8").splitlines())


def test_the_same_files_are_the_same_version(folder: Path) -> None:
    """The version follows content and nothing else: not where the files lie, and not when they were written."""
    assert load_places(folder).version == load_places(FOLDER).version


@pytest.mark.parametrize(
    ("name", "told", "changed"),
    [
        ("areas.toml", 'name = "Kent"', 'name = "West Kent"'),
        ("postcodes.csv", "SK1 3XE,E08000007", "SK1 3XE,E08000003"),
        ("prisons.csv", "closed 2013", "closed in 2013"),
        ("custody_suites.csv", "Northfleet", "North Kent"),
        ("institutions.csv", "Pinderfields Hospital", "Pinderfields General Hospital"),
    ],
)
def test_any_change_is_another_version(folder: Path, name: str, told: str, changed: str) -> None:
    """A decision made under other facts can be told from this one, whichever file they stood in."""
    before = load_places(folder).version
    text = (folder / name).read_text(encoding="utf-8")
    assert told in text
    (folder / name).write_text(text.replace(told, changed), encoding="utf-8")
    assert load_places(folder).version != before


@pytest.mark.parametrize(
    ("name", "line", "problem"),
    [
        ("postcodes.csv", "SK13XE,E08000007,,", "capitals with one space"),
        ("postcodes.csv", "ZZ99 3VZ,E08000007,,", "capitals with one space"),
        ("postcodes.csv", "SK1 3XF,Stockport,,", "GSS code"),
        ("postcodes.csv", "SK1 3XF,E08000007,April,", "2012-04-01, or nothing"),
        ("postcodes.csv", "SK1 3XF,E08000007,2012-04-01,2011-04-01", "out of use before"),
        ("postcodes.csv", "SK1 3XE,E08000007,,", "not later than the row before"),
        ("postcodes.csv", "WN1 1AB,E08000010,2020-01-01,", "last row only"),
        ("postcodes.csv", "SK1 3XF,E08000007", "2 fields"),
        ("prisons.csv", "LII,HMP Lincoln,LN2 4BD,E07000138,C,Register", "twice"),
        ("prisons.csv", "L1,HMP Lincoln,LN2 4BD,E07000138,C,Register", "agency is"),
        ("prisons.csv", "XXI,HMP Nowhere,,E07000138,Z,Register", "certainty is not marked"),
        ("prisons.csv", "XXI,HMP Nowhere,,E07000138,C,", "source is missing"),
        ("custody_suites.csv", "6,SP,Stockport,E08000007,P,Proposed", "force is"),
        ("custody_suites.csv", "06,SP,Stockport,E08000007,P,Proposed", "twice"),
        ("institutions.csv", "SK1 3XE,hotel,An hotel,R,Recalled", "kind is"),
    ],
)
def test_a_wrong_row_is_told_by_file_row_and_fix(folder: Path, name: str, line: str, problem: str) -> None:
    """Whoever keeps the files is told where to look and what to write."""
    number = append(folder / name, line)
    with pytest.raises(PlacesError) as caught:
        load_places(folder)
    assert str(caught.value).startswith(f"{name}, row {number}: ")
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ('[[area]]\nid = "leeds"\nname = "Leeds"\ntier = "city"\nauthorities = []', "it is incomplete"),
        ('[[area]]\nid = "wigan"\nname = "Wigan"\ntier = "county"\nauthorities = []', "is taken"),
        ('[[area.authorities]]\ncodes = ["E08000007"]\ncertainty = "C"\nsource = "ONS"', "in two areas"),
        ('[[area.authorities]]\ncodes = ["E10000016"]\ncertainty = "C"\nsource = "ONS"', "is no district"),
        ('[[area.authorities]]\ncodes = ["E08000035"]\nsource = "ONS"', "no mark or no source"),
        (
            '[[area.authorities]]\ncodes = ["E08000035"]\nuntil = "2012-04-01"\ncertainty = "C"\nsource = "ONS"',
            "is not a date",
        ),
        (
            "[[area.authorities]]\nsince = 2013-04-01\nuntil = 2012-04-01\n"
            'codes = ["E08000035"]\ncertainty = "C"\nsource = "ONS"',
            "ends before it begins",
        ),
        ("[[area", "not TOML"),
    ],
)
def test_a_wrong_area_is_told(folder: Path, entry: str, problem: str) -> None:
    """An authority is in one area on a day, a county is written as its districts, and every fact is vouched for."""
    append(folder / "areas.toml", entry)
    with pytest.raises(PlacesError, match=problem) as caught:
        load_places(folder)
    assert caught.value.file == "areas.toml"


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    """Half the files are no places."""
    (folder / name).unlink()
    with pytest.raises(PlacesError, match=r"cannot be read \(FileNotFoundError\)") as caught:
        load_places(folder)
    assert caught.value.file == name


def test_a_file_with_other_columns_is_refused(folder: Path) -> None:
    """A column moved would put every value under another's name."""
    path = folder / "postcodes.csv"
    path.write_text("authority,postcode,since,terminated\n", encoding="utf-8")
    with pytest.raises(PlacesError, match=r"postcodes.csv, row 1: the columns") as caught:
        load_places(folder)
    assert caught.value.where == "row 1"


def test_a_file_in_another_encoding_is_refused(folder: Path) -> None:
    """A name with an accent in Latin-1 is a mistake to mend, and no reason to guess."""
    (folder / "institutions.csv").write_bytes("Café".encode("latin-1"))
    with pytest.raises(PlacesError, match="not UTF-8"):
        load_places(folder)
