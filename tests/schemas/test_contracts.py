import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema

from schemas.base import Change
from schemas.catalogue import CATALOGUE, TOPICS
from schemas.contracts import CANONICAL, main, render, stale, write

RENDERED = render()
DOCUMENTS: dict[str, Any] = {name: json.loads(text) for name, text in RENDERED.items()}
SCHEMAS = {name: document for name, document in DOCUMENTS.items() if name != "asyncapi.json"}
ASYNCAPI = DOCUMENTS["asyncapi.json"]
CHECKER = jsonschema.Draft202012Validator.FORMAT_CHECKER


def validator(schema: Any) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema, format_checker=CHECKER)


def references(document: Any) -> Iterator[str]:
    """Every $ref in a document, however deep."""
    if isinstance(document, dict):
        for key, value in document.items():
            if key == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(document, list):
        for value in document:
            yield from references(value)


def resolved(reference: str) -> Any:
    """What a $ref of the AsyncAPI document points to, there or in a file beside it."""
    if reference.startswith("./"):
        return SCHEMAS[reference.removeprefix("./")]
    found = ASYNCAPI
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


def test_the_contract_committed_is_the_one_rendered() -> None:
    """What stands in contracts/canonical is what schemas/ says, to the byte."""
    assert stale(CANONICAL, RENDERED) == []


def test_there_is_a_schema_for_every_kind() -> None:
    """Each kind of the catalogue has its file, and a retraction has one."""
    assert set(SCHEMAS) == {f"{kind}.json" for kind in CATALOGUE} | {"retraction.json"}


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_valid_and_its_examples_are_too(name: str) -> None:
    """Every schema is JSON Schema 2020-12, says what it is, closes its objects, and gives examples that hold."""
    schema = SCHEMAS[name]
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"].endswith(f":{name.removesuffix('.json')}")
    assert schema["description"]
    assert schema["examples"]
    for example in schema["examples"]:
        validator(schema).validate(example)
        for field in example:
            assert not validator(schema).is_valid({key: value for key, value in example.items() if key != field})
        assert not validator(schema).is_valid(example | {"more": 1})
        assert not validator(schema).is_valid(example | {"kind": "custody.tea-served"})


@pytest.mark.parametrize("kind", CATALOGUE.values(), ids=list(CATALOGUE))
def test_what_is_written_keeps_the_promise(kind: Any) -> None:
    """The bytes of an event are valid by the schema of its kind."""
    for example in kind.examples():
        validator(SCHEMAS[f"{kind.name}.json"]).validate(json.loads(example.model_dump_json()))


def test_the_asyncapi_document_is_one() -> None:
    """An independent reading of AsyncAPI 3 accepts the document, and each reference in it leads somewhere."""
    ApplicationSchema.model_validate(ASYNCAPI)
    found = set(references(ASYNCAPI))
    assert all(map(resolved, found))
    assert {reference for reference in found if reference.startswith("./")} == {f"./{name}" for name in SCHEMAS}


def test_every_kind_travels_on_its_topic() -> None:
    """Each channel carries the kinds of its topic and their retractions, and an operation sends every one of them."""
    assert tuple(ASYNCAPI["channels"]) == TOPICS
    for topic, channel in ASYNCAPI["channels"].items():
        subject = topic.split(".")[0]
        kinds = {kind.name for kind in CATALOGUE.values() if kind.topic == topic}
        assert channel["address"] == topic
        assert set(channel["messages"]) == kinds | {f"{subject}.retraction"}
        operation = ASYNCAPI["operations"][f"publish-{subject}"]
        assert resolved(operation["channel"]["$ref"]) is channel
        assert [resolved(one["$ref"]) for one in operation["messages"]] == list(channel["messages"].values())


@pytest.mark.parametrize("name", ASYNCAPI["components"]["messages"])
def test_the_examples_of_a_message_hold(name: str) -> None:
    """Headers and payload of each example are valid, and headers of another kind or change are not."""
    message = ASYNCAPI["components"]["messages"][name]
    headers = validator({**message["headers"], "components": ASYNCAPI["components"]})
    for example in message["examples"]:
        headers.validate(example["headers"])
        validator(resolved(message["payload"]["schema"]["$ref"])).validate(example["payload"])
        assert example["headers"]["ce_type"] == example["payload"]["kind"]
        retracts = example["headers"]["ce_change"] == Change.RETRACTION
        other = Change.FACT if retracts else Change.RETRACTION
        assert not headers.is_valid(example["headers"] | {"ce_change": other.value})
        assert not headers.is_valid(example["headers"] | {"ce_type": "custody.tea-served"})
        assert not headers.is_valid({key: value for key, value in example["headers"].items() if key != "ce_record"})


def test_a_stale_contract_is_named_and_mended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Changed, missing and forgotten files are each named, with exit status 1; writing mends all three at once."""
    write(tmp_path, RENDERED)
    assert main(["--check", "--into", str(tmp_path)]) == 0
    (tmp_path / "retraction.json").write_text("{}", encoding="utf-8")
    (tmp_path / "asyncapi.json").unlink()
    (tmp_path / "custody.tea-served.json").write_text("{}", encoding="utf-8")
    assert main(["--check", "--into", str(tmp_path)]) == 1
    told = capsys.readouterr().err.splitlines()
    assert [Path(line.split(" is not")[0]).name for line in told] == [
        "asyncapi.json",
        "custody.tea-served.json",
        "retraction.json",
    ]
    assert main(["--into", str(tmp_path)]) == 0
    assert main(["--check", "--into", str(tmp_path)]) == 0
    assert not (tmp_path / "custody.tea-served.json").exists()
