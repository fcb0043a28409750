"""A batch file of 500 custody rows, seven of them bad."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from gateway.local.cast import GMP
from gateway.local.custody_papers import CSV, Detention, drug_test, minute, table
from gateway.local.journeys.cast import BY_AREA, HOLDING, HOME, STOCKPORT, somebody
from gateway.local.scene import Scene

TITLE = "a file of 500 rows, 7 of them bad"

ROWS = 500
POSITIVE = 5
"""Every fifth test is positive; the others refer nobody, and are nobody's business."""
_AREAS = tuple(BY_AREA)


async def play(scene: Scene) -> None:
    """493 rows are accepted, 7 refused by rule and row; each positive test reaches whose it is."""
    stage = scene.stage
    arrested = stage.in_london() - timedelta(days=1)
    bad = _bad(arrested)
    rows = [_row(number, arrested) | bad.get(number, ("", {}))[1] for number in range(1, ROWS + 1)]
    file = await scene.send(GMP, "file", table(rows), CSV, door="files")
    counts = {name: file.answer.get(name) for name in ("rows", "accepted", "held", "ignored", "refused")}
    should = {"rows": ROWS, "accepted": ROWS - len(bad), "held": 0, "ignored": 0, "refused": len(bad)}
    scene.expect(counts == should, f"the file should be answered with {should}, and was with {counts}")
    await stage.quiet()

    expected: Counter[tuple[str, str]] = Counter()
    for number in range(1, ROWS + 1):
        if number not in bad and number % POSITIVE == 0:
            home = BY_AREA[_home(number)]
            expected[home.id, HOME] += 1
            if home is not STOCKPORT:
                expected[STOCKPORT.id, HOLDING] += 1
    await scene.reached_in_all(file, expected)

    report = await stage.ask(GMP, f"/v1/files/{file.receipt}")
    refused = {one["row"]: [found["rule"] for found in one["findings"]] for one in report["told"]}
    scene.expect(
        refused == {row: [rule] for row, (rule, _) in bad.items()},
        f"the report should name rule and row of each refusal, and says {refused}",
    )
    scene.expect(
        all(cause["sentence"] and cause["fix"] for cause in report["causes"]),
        "the report should say of every rule what is wrong and how to mend it",
    )
    scene.notes = [
        (f"row {one['row']:>3} refused, {found['rule']}: ", found["text"])
        for one in report["told"]
        for found in one["findings"]
    ]


def _home(number: int) -> str:
    return _AREAS[number // POSITIVE % len(_AREAS)]


def _row(number: int, arrested: datetime) -> dict[str, str]:
    """A row: one test, in Stockport's custody suite, of somebody who lives in one of the eight areas."""
    detention = Detention(somebody(6000 + number, _home(number)), "06", "SP", f"SP/{6000 + number}/26", arrested)
    result = "NEG" if number % POSITIVE else "POS"
    test = drug_test(f"DT-{6000 + number}", arrested + timedelta(minutes=number), cocaine=result)
    return {**detention.fields, **test}


def _bad(arrested: datetime) -> Mapping[int, tuple[str, dict[str, str]]]:
    """By row: the rule it breaks, and the values that break it."""
    later, tomorrow = arrested + timedelta(hours=12), arrested + timedelta(days=2)
    return {
        17: ("CU-014", {"date_of_birth": "31/02/1980"}),
        61: ("CU-010", {"surname": ""}),
        104: ("CU-016", {"tested_at": "yesterday evening"}),
        222: ("CU-030", {"result_cocaine": "", "result_opiates": ""}),
        303: ("CU-012", {"trigger_offence": "perhaps"}),
        380: ("CU-019", {"tested_at": minute(tomorrow)}),
        455: ("CU-032", {"arrested_at": minute(later)}),
    }
