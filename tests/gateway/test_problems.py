"""Every failure is a problem with a sentence, and none quotes what was sent."""

import json
from collections.abc import AsyncIterator
from typing import Annotated

import httpx
import pytest
from fastapi import FastAPI, Query
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse

from adapters.base import Finding, Level, Rule
from adapters.findings import MOST
from gateway import telemetry
from gateway.errors import JournalUnavailable
from gateway.problems import KINDS, MEDIA_TYPE, NOT_FOUND, Problem, explained, faults, install
from tests.support.doors import knocking


class Body(BaseModel):
    """A body of a route."""

    model_config = ConfigDict(extra="forbid")

    number: int


def application() -> FastAPI:
    """Routes that fail in every way there is."""
    app = FastAPI()
    install(app)
    app.include_router(explained())

    @app.get("/raises/{what}")
    async def raises(what: str) -> None:
        errors: dict[str, Exception] = {
            "problem": Problem(NOT_FOUND, "No.", more={"extra": 1}),
            "journal": JournalUnavailable("Mrs Invented"),
            "value": ValueError("Mrs Invented"),
            "group": ExceptionGroup("Mrs Invented", [KeyError("Mrs Invented")]),
        }
        raise errors[what]

    @app.get("/answers/{status}")
    async def answers(status: int) -> None:
        raise HTTPException(status, "Mrs Invented")

    @app.post("/body")
    async def body(_: Body, limit: Annotated[int, Query(le=5)] = 1) -> int:
        return limit

    @app.get("/begun")
    async def begun() -> StreamingResponse:
        async def stream() -> AsyncIterator[str]:
            yield "some"
            raise ValueError("Mrs Invented")

        return StreamingResponse(stream())

    return app


async def ask(method: str, path: str, **told: object) -> httpx.Response:
    """Ask the application."""
    async with knocking(application()) as client:
        return await client.request(method, path, **told)  # type: ignore[arg-type]


def check(answer: httpx.Response, status: int) -> dict[str, object]:
    """A problem of this status that quotes nobody."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, MEDIA_TYPE)
    assert "Invented" not in answer.text
    told: dict[str, object] = answer.json()
    assert told["status"] == status
    assert str(told["type"]).removeprefix("/problems/") in KINDS
    assert all(told[name] for name in ("title", "detail", "fix"))
    return told


@pytest.mark.parametrize(
    ("what", "status"), [("problem", 404), ("journal", 503), ("value", 500), ("group", 500), ("nothing", 500)]
)
async def test_what_is_raised_is_a_problem(what: str, status: int) -> None:
    """Ours as it is told, everything else without its text."""
    check(await ask("GET", f"/raises/{what}"), status)


@pytest.mark.parametrize("status", [400, 401, 404, 405, 409, 413, 415, 418, 429, 500, 502, 503])
async def test_the_frameworks_own_failures_are_problems(status: int) -> None:
    """No status a framework chooses is answered in the framework's words."""
    answer = await ask("GET", f"/answers/{status}")
    known = {kind.status for kind in KINDS.values()}
    check(answer, status if status in known else 400 if status < 500 else 500)


async def test_an_address_or_method_that_is_none_is_a_problem() -> None:
    """404, and 405 with what is allowed."""
    check(await ask("GET", "/nowhere/Invented"), 404)
    answer = await ask("DELETE", "/body")
    check(answer, 405)
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize(
    ("told", "fields"),
    [
        ({"json": {"number": "Invented"}}, {"body.number"}),
        ({"json": {"number": 1, "Invented": 1}}, {"body"}),
        ({"json": {}}, {"body.number"}),
        ({"content": b'{"number": Invented'}, {"body.11"}),
        ({"json": {"number": 1}, "params": {"limit": "Invented"}}, {"query.limit"}),
    ],
)
async def test_a_parameter_of_the_wrong_form_is_named_and_not_quoted(told: dict[str, object], fields: set[str]) -> None:
    """Where it stands and what kind of fault it is; the name of an unknown field is a value too."""
    answer = check(await ask("POST", "/body", headers={"content-type": "application/json"}, **told), 400)
    errors = answer["errors"]
    assert isinstance(errors, list)
    assert {error["field"] for error in errors} == fields


@pytest.mark.parametrize(
    ("query", "body", "said"),
    [
        ("", b"{}", "It is required. Send it."),
        ("", b'{"number": 1, "more": 2}', "It holds a field that is none of ours. Leave that out."),
        ("", b"Mrs Invented", "The body is not JSON. Send one JSON object."),
        ("", b'["Mrs Invented"]', "The body is not a JSON object. Send one, as application/json."),
        ("", b'{"number": "Mrs Invented"}', "It is not a whole number. Write one in digits."),
        ("?limit=6", b'{"number": 1}', "It is too large. Write 5 or less."),
        ("", b'{"number": 1.5}', "It has the wrong form (int_from_float). /openapi.json says which it should have."),
    ],
)
async def test_a_wrong_form_is_told_in_a_sentence_with_its_fix(query: str, body: bytes, said: str) -> None:
    """A person who sees one for the first time knows what to write instead."""
    async with knocking(application()) as client:
        answer = await client.post(f"/body{query}", content=body, headers={"Content-Type": "application/json"})
    (fault,) = answer.json()["errors"]
    assert (fault["rule"], fault["text"]) == ("HTTP-001", said)
    assert "Invented" not in answer.text


async def test_a_body_of_thousands_of_faults_is_told_a_hundred() -> None:
    """The answer stays short and counts what it leaves out."""
    told = {"number": 1} | {f"Invented {number}": 1 for number in range(5000)}
    errors = check(await ask("POST", "/body", json=told), 400)["errors"]
    assert isinstance(errors, list)
    assert len(errors) == MOST + 1
    assert errors[-1]["text"] == f"{5000 - MOST} more"


async def test_what_fails_after_it_began_is_cut_off() -> None:
    """A half-sent answer is never completed as if it were whole."""
    with pytest.raises(ValueError):
        await ask("GET", "/begun")


async def test_the_log_says_where_and_not_what(capsys: pytest.CaptureFixture[str]) -> None:
    """Operations find the line of code; the exception's text stays out."""
    telemetry.configure("test")
    await ask("GET", "/raises/value")
    told = capsys.readouterr()
    line = json.loads(next(line for line in told.err.splitlines() if "request.failed" in line))
    assert line["error"] == "ValueError"
    assert "test_problems:" in line["where"]
    assert "Invented" not in told.err + told.out


@pytest.mark.parametrize("name", sorted(KINDS))
async def test_every_kind_explains_itself_at_its_type(name: str) -> None:
    """A `type` is an address that answers what it means."""
    told = (await ask("GET", KINDS[name].type)).json()
    assert (told["type"], told["status"]) == (KINDS[name].type, KINDS[name].status)
    check(await ask("GET", "/problems/none"), 404)


def test_a_finding_is_told_by_rule_field_and_sentence() -> None:
    """The shape that was seen may stand in the sentence; a value cannot."""
    rule = Rule("XX-001", Level.REFUSE, "The date is no date", "Write it as YYYY-MM-DD")
    (fault,) = faults([Finding(rule, "born", "99/99/99")])
    assert (fault.rule, fault.field, fault.text) == (
        "XX-001",
        "born",
        "The date is no date (99/99/99). Write it as YYYY-MM-DD",
    )
