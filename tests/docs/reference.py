"""The pages of docs/5-reference that are read from the code. `python -m tests.docs.reference` writes them."""

import inspect
import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase
from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption
from typer.main import get_command

from adapters.registry import adapters
from gateway import telemetry
from gateway.addressing.stays import PLACEMENT
from gateway.cli import app
from gateway.parties import Client, Drop, MeshSender, Mllp, Party, Push, Workflow
from gateway.problems import KINDS
from gateway.settings import Settings
from schemas.base import Standing
from schemas.catalogue import CATALOGUE, TOPICS, Kind

_PARTY_TABLES: Mapping[str, type[BaseModel]] = {
    "[parties.ID]": Party,
    "[[parties.ID.clients]]": Client,
    "[parties.ID.push]": Push,
    "[parties.ID.drop]": Drop,
    "[parties.ID.mllp]": Mllp,
    "[parties.ID.mesh]": MeshSender,
    "[parties.ID.mesh.workflows.NAME]": Workflow,
}

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "5-reference"

_WRITTEN = "Read from the code by `python -m tests.docs.reference`; change it there."


def settings() -> str:
    """Every setting: its environment variable, its default, and what its group means."""
    groups = {name: field.default for name, field in Settings.model_fields.items() if _is_group(field)}
    single = {name: field for name, field in Settings.model_fields.items() if name not in groups}
    lines = [
        *("# Settings", "", _WRITTEN, ""),
        "Each is an environment variable, read once at start. Durations are ISO 8601 (`PT45M`), lists and tables JSON.",
        "A value that is wrong stops the start with the variable's name.",
        "",
        *_table("GATEWAY_", single),
    ]
    for name, group in groups.items():
        lines += ["", f"## {name}", "", _prose(type(group)), ""]
        lines += _table(f"GATEWAY_{name.upper()}__", type(group).model_fields)
    lines += ["", "## adapters", "", *_options()]
    return "\n".join([*lines, ""])


def metrics() -> str:
    """Every metric, with its labels."""
    found = [metric for metric in vars(telemetry).values() if isinstance(metric, MetricWrapperBase)]
    return "\n".join(
        [
            *("# Metrics", "", _WRITTEN, ""),
            "Each process serves its own at `/metrics`, in the form Prometheus reads. Labels hold names of ours",
            "(parties, topics, states) and never anything about a person.",
            "",
            *("| metric | type | labels | meaning |", "|---|---|---|---|"),
            *(_metric(metric) for metric in sorted(found, key=lambda metric: metric._name)),
            "",
        ]
    )


def errors() -> str:
    """Every problem the API answers with, and where every rule of every agency stands."""
    lines = [
        *("# Errors", "", _WRITTEN, ""),
        "## Problems of the API",
        "",
        "Failures are problem details (RFC 9457). `type` names the kind and can be opened; `fix` says what to do.",
        "Where a record is at fault, `errors` names every fault by rule and field, and never by value. The token",
        "endpoint alone fails as OAuth 2 does (RFC 6749 section 5.2).",
        "",
        *("| type | status | what | what to do |", "|---|---|---|---|"),
        *(f"| `{kind.type}` | {kind.status} | {kind.title} | {kind.fix} |" for kind in KINDS.values()),
    ]
    lines += [
        "",
        "## Rules",
        "",
        "Every rule a record is checked against, with what becomes of the record, what to do and who owns it:",
        "[contracts/rules.md](../../contracts/rules.md).",
    ]
    return "\n".join([*lines, ""])


def kinds() -> str:
    """Every kind of event: what it tells, whether it opens a case, and what each agreement lets a LASARS be told."""
    agreements = [
        tomllib.loads(file.read_text()) for file in sorted((ROOT / "contracts" / "agreements").glob("*.toml"))
    ]
    lines = [
        *("# Kinds of event", "", _WRITTEN, ""),
        "A **referral** opens a case with the LASARS of home, and with the one that holds the person. What **informs**",
        "goes only to a LASARS with which the person has a case. Both are told the fields listed here and no other:",
        "they are those of the [agreements](../../contracts/agreements) as they stand, by the name they have in `data`",
        "of a [delivery](../../contracts/outbound/lasars/README.md). Who has no line here is told",
        "nothing of that kind. A retraction tells no field at all.",
        "",
        "A kind's name leads to its schema, which has examples.",
    ]
    for topic in TOPICS:
        lines += ["", f"## {topic}"]
        for kind in CATALOGUE.values():
            if kind.topic == topic:
                lines += ["", *_kind(kind, agreements)]
    lines += ["", "## When a case opens", ""]
    lines += ["With what opened it comes the stay in prison, if the person is in one, as `placement`.", ""]
    lines += _told(PLACEMENT, agreements)
    return "\n".join([*lines, ""])


def _kind(kind: Kind, agreements: list[dict[str, Any]]) -> Iterator[str]:
    yield f"### [{kind.name}](../../contracts/canonical/{kind.name}.json)"
    yield ""
    yield f"{kind.sentence} {'A referral.' if kind.standing is Standing.REFERRAL else 'Informs.'}"
    yield ""
    yield from _told(kind.name, agreements)


def _told(kind: str, agreements: list[dict[str, Any]]) -> Iterator[str]:
    """A table of the fields that are told of a kind, and to whom; or that nobody is told."""
    rows: list[str] = []
    for agreement in agreements:
        roles: dict[str, list[str]] = {}
        for clause in agreement["disclosures"]:
            if kind in clause["kinds"]:
                sets = [path for name in clause.get("include", ()) for path in agreement["sets"][name]]
                for path in (*sets, *clause.get("fields", ())):
                    roles.setdefault(path, []).extend(clause["roles"])
        by: dict[str, list[str]] = {}
        for path, whom in roles.items():
            by.setdefault(" and ".join(role for role in ("home", "holding") if role in whom), []).append(f"`{path}`")
        rows += [f"| {agreement['sender']} | {whom} | {', '.join(paths)} |" for whom, paths in sorted(by.items())]
    if not rows:
        yield "No LASARS is told of it."
        return
    yield "| sent by | told to | what |"
    yield "|---|---|---|"
    yield from rows


def parties() -> str:
    """Every table of the parties file: what it means, and its keys."""
    lines = [
        *("# The parties file", "", _WRITTEN, ""),
        "Who takes part stands in one TOML file, which `GATEWAY_PARTIES` names. It is read at start; an entry that is",
        "wrong stops the start by its place. Public keys stand in it and no secret.",
    ]
    for table, model in _PARTY_TABLES.items():
        lines += ["", f"## {table}", "", _prose(model), "", "| key | default |", "|---|---|"]
        lines += [
            f"| `{name}` | {'required' if field.is_required() else _default(field)} |"
            for name, field in model.model_fields.items()
            if (model, name) != (Party, "id")
        ]
    return "\n".join([*lines, ""])


def commands() -> str:
    """Every command of lgw, with its arguments and options."""
    lines = [
        *("# Commands", "", _WRITTEN, ""),
        "`lgw --help` lists them, and `--help` after a command says the same as here; `lgw --version` says which",
        "release it is. Exit codes: 0 ok, 1 findings, 2 wrong usage, 3 nobody reached, 4 refused, 5 in part. What is",
        "wrong is said on stderr, with what to do. What `--json` answers: [answers as JSON](json.md).",
    ]
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    for name, command in _leaves(group, "lgw"):
        lines += ["", f"## {name}", "", " ".join(inspect.cleandoc(command.help or "").split())]
        told = [one for one in command.params if isinstance(one, TyperArgument | TyperOption) and one.name != "help"]
        if told:
            lines += ["", "| | |", "|---|---|", *map(_parameter, told)]
    return "\n".join([*lines, ""])


def _leaves(group: TyperGroup, name: str) -> Iterator[tuple[str, TyperCommand]]:
    for key, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from _leaves(command, f"{name} {key}")
        elif isinstance(command, TyperCommand):
            yield f"{name} {key}", command


def _parameter(told: TyperArgument | TyperOption) -> str:
    meaning = (told.help or "").replace("|", "\\|")
    if isinstance(told, TyperArgument):
        return f"| `{told.metavar or str(told.name).upper()}` | {meaning} |"
    names = " / ".join([*told.opts, *told.secondary_opts])
    metavar = "" if told.is_flag else f" {told.metavar or str(told.name).upper()}"
    default = f" (`{told.default}`)" if told.default not in (None, False, True, ()) else ""
    return f"| `{names}{metavar}` | {meaning}{default} |"


PAGES: Mapping[str, Callable[[], str]] = {
    "kinds.md": kinds,
    "commands.md": commands,
    "settings.md": settings,
    "parties.md": parties,
    "metrics.md": metrics,
    "errors.md": errors,
}
"""By file name, what writes it."""


def _is_group(field: FieldInfo) -> bool:
    return isinstance(field.default, BaseModel)


def _options() -> Iterator[str]:
    """Every option of every agency, as its README explains it."""
    yield "What an installation chooses for one agency: `GATEWAY_ADAPTERS__<AGENCY>__<OPTION>`, or part of the JSON in"
    yield "`GATEWAY_ADAPTERS`, as an option with a code in its name must be:"
    yield """`{"prison": {"release_reason.XX": "..."}}`. An option or a value that is none stops the start."""
    yield ""
    yield "| agency | option | meaning | default |"
    yield "|---|---|---|---|"
    for agency in adapters():
        readme = (ROOT / "adapters" / agency / "README.md").read_text(encoding="utf-8")
        _, _, rest = readme.partition("\n### Options\n")
        for row in re.findall(r"^\| `.*$", rest.partition("\n#")[0], re.MULTILINE):
            yield f"| {agency} {row}"


def _table(prefix: str, fields: Mapping[str, FieldInfo]) -> Iterator[str]:
    yield "| variable | default |"
    yield "|---|---|"
    for name, field in fields.items():
        told = f"; {field.description}" if field.description else ""
        yield f"| `{prefix}{name.upper()}` | {_default(field)}{told} |"


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True, validated_data={})
    if isinstance(value, Path) and value.is_absolute():
        return f"`{value.relative_to(ROOT)}` of the installed project"
    if value in (None, "", {}, ()):
        return "none"
    told = TypeAdapter(field.annotation).dump_python(value, mode="json")
    return f"`{json.dumps(told) if isinstance(told, list | bool) else told}`"


def _metric(metric: MetricWrapperBase) -> str:
    suffix = "_total" if isinstance(metric, Counter) else ""
    kind = {Counter: "counter", Gauge: "gauge", Histogram: "histogram"}[type(metric)]
    labels = ", ".join(metric._labelnames) or "none"
    return f"| `{metric._name}{suffix}` | {kind} | {labels} | {metric._documentation} |"


def _prose(group: type[BaseModel]) -> str:
    return " ".join((inspect.getdoc(group) or "").split())


def main() -> None:
    """Write every page."""
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
