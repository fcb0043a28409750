"""What we promise in writing, rendered from the catalogue: a JSON Schema for each kind, and AsyncAPI for the topics.

`python -m schemas.contracts` writes `contracts/canonical/`. With `--check` it writes nothing, and exits with 1 naming
each file that is stale, missing or no longer ours.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from schemas.asyncapi import asyncapi
from schemas.base import Retraction
from schemas.catalogue import CATALOGUE, Kind

CANONICAL = Path(__file__).parents[1] / "contracts" / "canonical"

Document = dict[str, Any]

_READING_ORDER = (
    "$schema",
    "$id",
    "title",
    "description",
    "type",
    "properties",
    "required",
    "additionalProperties",
    "$defs",
)


class _AsWritten(GenerateJsonSchema):
    """The schema of what we write: every field is always there, and a field's name is title enough."""

    def field_is_required(self, field: Any, total: bool) -> bool:
        return True

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> Document:
        return self.generate_inner(schema["schema"])


def render() -> dict[str, str]:
    """Every file of the contract by its name, as text. The same catalogue gives the same text."""
    documents: Document = {f"{kind.name}.json": _event_schema(kind) for kind in CATALOGUE.values()}
    documents["retraction.json"] = _retraction_schema()
    documents["asyncapi.json"] = asyncapi()
    return {
        name: json.dumps(document, indent=2, ensure_ascii=False) + "\n" for name, document in sorted(documents.items())
    }


def _schema_of(model: type[BaseModel], name: str) -> Document:
    schema = model.model_json_schema(mode="serialization", schema_generator=_AsWritten)
    schema |= {"$schema": _AsWritten.schema_dialect, "$id": f"urn:lasars-gateway:canonical:{name}", "title": name}
    return {part: schema[part] for part in _READING_ORDER if part in schema}


def _event_schema(kind: Kind) -> Document:
    return {
        **_schema_of(kind.event, kind.name),
        "x-topic": kind.topic,
        "x-standing": kind.standing.value,
        "examples": [example.model_dump(mode="json") for example in kind.examples()],
    }


def _retraction_schema() -> Document:
    schema = _schema_of(Retraction, "retraction")
    schema["properties"]["kind"]["enum"] = list(CATALOGUE)
    example = Retraction(kind=next(iter(CATALOGUE)), reason="withdrawn")
    return {**schema, "examples": [example.model_dump(mode="json")]}


def stale(folder: Path, rendered: Mapping[str, str]) -> list[str]:
    """The names of a folder's JSON files that differ from those rendered, are missing, or are none of them."""
    found = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    return sorted(name for name in found.keys() | rendered.keys() if found.get(name) != rendered.get(name))


def write(folder: Path, rendered: Mapping[str, str]) -> None:
    """Make a folder's JSON files those rendered, and no others."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in stale(folder, rendered):
        if name in rendered:
            (folder / name).write_text(rendered[name], encoding="utf-8")
        else:
            (folder / name).unlink()


def main(arguments: list[str] | None = None) -> int:
    """Write the contract, or compare it. Returns 0, or 1 where something is stale."""
    parser = argparse.ArgumentParser(prog="python -m schemas.contracts", description="The canonical contract.")
    parser.add_argument("--check", action="store_true", help="write nothing; name what is stale and exit with 1")
    parser.add_argument("--into", type=Path, default=CANONICAL, metavar="FOLDER", help="another folder")
    chosen = parser.parse_args(arguments)
    rendered = render()
    if not chosen.check:
        write(chosen.into, rendered)
        return 0
    behind = stale(chosen.into, rendered)
    for name in behind:
        sys.stderr.write(f"{chosen.into / name} is not what schemas/ says. Run: python -m schemas.contracts\n")
    return 1 if behind else 0


if __name__ == "__main__":
    sys.exit(main())
