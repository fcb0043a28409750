"""What is sent in the canary journey: every outcome a record can have, and personal values where none belong."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

import orjson

from gateway.local import custody_papers as police
from gateway.local import prison_papers as prison
from gateway.local.people import Person
from tests.support.canary import Canaries

Door = Literal["records", "files"]

ROWS: Final = "application/x-ndjson"
MAX_RECORD: Final = 1 << 20
_LONDON: Final = ZoneInfo("Europe/London")
_SUITES: Final = (("01", "YE"), ("06", "SP"))


@dataclass(frozen=True, slots=True)
class Sent:
    """One request of an agency. outcome: the status and, for a record that is taken, the state it is answered with."""

    name: str
    outcome: tuple[int, str | None]
    body: bytes
    media: str = police.XML
    door: Door = "records"
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def feed(self) -> str:
        """Whose feed it is."""
        return "prison" if self.media in (prison.JSON, ROWS) else "police_custody"


class People:
    """One person after the other, none like another."""

    def __init__(self, search: Canaries) -> None:
        self._search = search
        self._number = 7000

    def next(self, home: str | None = "stockport") -> Person:
        """Somebody new."""
        self._number += 1
        return self._search.person(self._number, home)


def everything(search: Canaries, now: datetime) -> Iterator[Sent]:
    """All of it, in the order to send it."""
    people = People(search)
    yield from _taken(people, now)
    yield from _prison(people, now)
    yield from _refused_xml(people, now)
    yield from _refused_rows(people, now)
    yield from _refused_json(people, now)


# --- What is taken ---------------------------------------------------------------------------------------------------


def _detention(who: Person, now: datetime, **changed: str) -> police.Detention:
    force, station = _SUITES[who.number % 2]
    arrested = (now - timedelta(days=1)).astimezone(_LONDON).replace(tzinfo=None)
    return police.Detention(who, force, station, f"{station}/{who.number}", arrested, changed)


def _times(now: datetime) -> tuple[datetime, datetime]:
    tested = (now - timedelta(hours=20)).astimezone(_LONDON).replace(tzinfo=None)
    return tested, tested + timedelta(days=5)


def _taken(people: People, now: datetime) -> Iterator[Sent]:
    tested, due = _times(now)
    for home in ("stockport", "enfield", "lincolnshire", "oxfordshire", "elsewhere", None):
        who = people.next(home)
        stay = _detention(who, now)
        notice = police.assessment_required("R", tested, due, f"Room of {who.surname}")
        first = police.xml(stay, police.drug_test("T", tested), notice)
        yield Sent(f"a test and its notice, home {home}", (202, "validated"), first)
        yield Sent("the same again", (200, "validated"), first)
        corrected = police.xml(stay, police.drug_test("T", tested, version=2, opiates="POS"))
        yield Sent("a correction", (202, "validated"), corrected)
        overturned = police.xml(stay, police.drug_test("T", tested, version=3, laboratory="NOT_CONFIRMED"))
        yield Sent("overturned by the laboratory", (202, "validated"), overturned)
    named = people.next()
    ours = _detention(named, now, custody_number=_token(named.surname), asn=named.pnc, no_fixed_abode="N")
    yield Sent("ids that hold a name", (202, None), police.xml(ours, police.drug_test(_token(named.street), tested)))
    odd = people.next()
    for name, form in (
        ("a code nobody knows", police.drug_test("T", tested) | {"test_reason": odd.surname}),
        ("a result nobody knows", police.drug_test("U", tested) | {"result_cocaine": odd.noms}),
    ):
        yield Sent(name, (202, "held"), police.xml(_detention(odd, now), form))
    copy = police.xml(_detention(people.next(), now), {"form_type": "DT2", "form_id": "T"})
    yield Sent("a form that is not ours", (202, "ignored"), copy)


def _prison(people: People, now: datetime) -> Iterator[Sent]:
    for home in ("wigan", "lincolnshire"):
        who = prison.Prisoner(people.next(home), "LII", people.next().number, (now + timedelta(days=90)).date())
        later = (now + timedelta(days=60)).date()
        for name, body in (
            ("received", prison.received(who, now - timedelta(hours=3))),
            ("a need", prison.need_identified(who, _token(who.person.surname), (now - timedelta(days=1)).date())),
            ("dates", prison.dates_changed(who, now - timedelta(hours=2), later)),
            ("released", prison.released(who, now - timedelta(hours=1))),
        ):
            yield Sent(f"{name}, home {home}", (202, "validated"), body, prison.JSON)
    other = people.next("kent")
    event = _event(other, "prison-offender-events.prisoner.cell.move")
    yield Sent("a kind we do not take", (202, "ignored"), orjson.dumps(event), prison.JSON)
    unknown = _event(other, prison_kind := "prisoner-offender-search.prisoner.released")
    unknown["additionalInformation"]["reason"] = other.surname
    unknown["additionalInformation"]["nomisMovementReasonCode"] = other.noms
    yield Sent(f"{prison_kind} for a reason nobody knows", (202, None), orjson.dumps(unknown), prison.JSON)
    rows = b"\n".join([prison.need_identified(_prisoner(people.next("wigan")), "B1", now.date()), b"{", b"[]"])
    yield Sent("a batch of the prison's", (202, None), rows, ROWS, "files")


def _prisoner(who: Person) -> prison.Prisoner:
    return prison.Prisoner(who, "LII", who.number, datetime(2030, 1, 1).date())  # noqa: DTZ001


def _event(who: Person, kind: str) -> dict[str, Any]:
    return {
        "eventType": kind,
        "version": 1,
        "occurredAt": "2026-03-01T10:00:00Z",
        "additionalInformation": {"nomsNumber": who.noms, "prisonId": "LII", "reason": "RELEASED"},
        "description": f"{who.forenames} {who.surname} of {who.street}",
    }


# --- What is refused: personal values in wrong places ----------------------------------------------------------------


def _refused_xml(people: People, now: datetime) -> Iterator[Sent]:
    tested, _ = _times(now)
    test = police.drug_test("T", tested)
    who = people.next("kent")
    assert who.postcode is not None
    wrong = {
        "a name for a date": {"date_of_birth": who.surname},
        "a name before a date": {"date_of_birth": f"{who.surname} {who.born}"},
        "a postcode for yes or no": {"trigger_offence": who.postcode},
        "a street for a time": {"arrested_at": who.street},
        "a number for a force": {"force_code": who.noms},
        "a name for a station": {"station_code": who.surname},
        "a number for a custody number": {"custody_number": f"{who.pnc} {who.surname}"},
        "everything wrong at once": {"date_of_birth": who.surname, "sex": who.street, "trigger_offence": who.noms},
    }
    for name, changed in wrong.items():
        yield Sent(name, (422, None), police.xml(_detention(who, now, **changed), test))
    whole = police.xml(_detention(who, now), test)
    token = _token(who.surname)
    besides = whole.replace(b"<sex>", f"<{token}/><sex>".encode())
    yield Sent("a name for an element", (202, None), besides, headers={"idempotency-key": "besides"})
    broken = {
        "a name for an attribute": whole.replace(b"<sex>", f'<sex {token}="{who.surname}">'.encode()),
        "a name for a namespace": whole.replace(b"urn:lasars-gateway", f"urn:{token}".encode()),
        "a name for an entity": whole.replace(b"<sex>", f"<sex>&{token};".encode()),
        "a name for an encoding": whole.replace(b'"UTF-8"', f'"{token}"'.encode()),
        "a name for a document type": b"<!DOCTYPE " + token.encode() + b">" + whole,
        "cut short": whole[: whole.index(b"</surname>") + 4],
        "not UTF-8": whole.replace(b"<sex>", b"<sex>\xff\xfe"),
        "another document": f"<{token}>{who.surname}</{token}>".encode(),
    }
    for name, body in broken.items():
        yield Sent(name, (422, None), body)
    yield Sent("too long", (413, None), whole + b" " * MAX_RECORD)
    for header in ("content-type", "content-encoding"):
        yield Sent(f"a name for a {header}", (415, None), whole, headers={header: f"application/{token}"})
    yield Sent("a name for a message id", (202, None), whole, headers={"idempotency-key": who.surname})
    tracing = {
        "traceparent": f"00-{token}",
        "tracestate": f"vendor={token}",
        "baggage": f"person={token}",
        "x-request-id": who.noms,
        "user-agent": who.surname,
        "referer": f"http://{token}.example/{token}",
        "from": token,
    }
    yield Sent("a name in every header of tracing", (202, None), whole.replace(b">1<", b">7<"), headers=tracing)


def _refused_rows(people: People, now: datetime) -> Iterator[Sent]:
    tested, _ = _times(now)

    def row(who: Person, **changed: str) -> dict[str, str]:
        return _detention(who, now).fields | police.drug_test("T", tested) | changed

    good = [row(people.next(home)) for home in ("wakefield", "wigan", "bracknell-forest")]
    who = people.next("wigan")
    bad = [
        row(who, date_of_birth=who.surname),
        row(who, force_code=who.noms, sex=who.surname),
        row(who, surname="", forenames=f"{who.forenames},{who.surname}"),
        row(who, tested_at=who.street, result_cocaine=who.pnc),
        row(who, test_reason=who.surname),
    ]
    yield Sent("a file with bad rows", (202, None), police.table([*good, *bad]), police.CSV, "files")
    one = police.table([row(who)])
    besides = one.replace(b"cro_number", who.surname.encode())
    yield Sent("a name for a column", (202, None), besides, police.CSV, "files")
    broken = {
        "a mark never closed": one.replace(who.forenames.encode(), b'"' + who.forenames.encode()),
        "a wrong count": one.replace(b"#END,1", f"#END,{who.noms}".encode()),
        "rows after the end": one + police.table([row(who)]),
        "no header": one.partition(b"\r\n")[2],
    }
    for name, body in broken.items():
        yield Sent(name, (422, None), body, police.CSV, "files")
    loose = one.replace(who.surname.encode(), who.surname.encode() + b"," + who.street.encode())
    yield Sent("too many cells", (422, None), loose.replace(b"#END,1\r\n", b""), police.CSV)


def _refused_json(people: People, now: datetime) -> Iterator[Sent]:
    who = people.next("oxfordshire")
    base = _event(who, "prisoner-offender-search.prisoner.received")
    base["additionalInformation"]["reason"] = "NEW_ADMISSION"
    need = orjson.loads(prison.need_identified(_prisoner(who), "N", now.date()))
    whole = orjson.dumps(base)
    wrong: dict[str, Any] = {
        "a number for a kind": base | {"eventType": f"{who.noms} {who.surname}"},
        "a name for a kind": base | {"eventType": who.surname},
        "a name for a kind, in capitals": {"Type": _token(who.street).upper(), "Message": "{}"},
        "a name for a time": base | {"occurredAt": who.surname},
        "a name for an object": base | {"additionalInformation": who.surname},
        "a name for a prison": need | {"prisonId": who.surname},
        "a street for a date": need | {"identifiedAt": who.street},
        "a name for a number": need | {"recordVersion": who.surname, "reference": {who.surname: who.street}},
        "a person for a list": need | {"substances": who.surname, "person": [who.surname, who.noms]},
        "nobody's number": need | {"person": need["person"] | {"prisonNumber": who.surname}},
        "a name for a snapshot": {"event": base, "snapshot": who.surname, "fetchedAt": who.surname},
        "a message that is no JSON": {"Type": "Notification", "Message": f"{who.surname} {who.born}"},
    }
    for name, told in wrong.items():
        yield Sent(name, (422, None), orjson.dumps(told), prison.JSON)
    yield Sent("JSON cut short", (422, None), whole[: whole.index(who.surname.encode()) + 30], prison.JSON)
    yield Sent("a bare name", (422, None), orjson.dumps(who.surname), prison.JSON)
    yield Sent(
        "a substance nobody knows", (202, "held"), orjson.dumps(need | {"substances": [who.surname]}), prison.JSON
    )
    yield Sent("a version nobody knows", (202, "held"), orjson.dumps(base | {"version": who.surname}), prison.JSON)


def _token(value: str) -> str:
    """The token in a value, which is letters alone and so fits where only a name or an id does."""
    return next(part for part in value.replace("-", " ").split() if part.startswith("Qxv"))
