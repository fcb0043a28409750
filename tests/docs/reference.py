"""The pages of docs/5-reference that are read from the code. `python -m tests.docs.reference` writes them."""

import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase
from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption
from typer.main import get_command

from gateway import telemetry
from gateway.cli import app
from gateway.problems import KINDS
from gateway.settings import Settings

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


def commands() -> str:
    """Every command of lgw, with its arguments and options."""
    lines = [
        *("# Commands", "", _WRITTEN, ""),
        "`lgw --help` lists them, and `--help` after a command says the same as here. Exit codes: 0 ok, 1 findings,",
        "2 wrong usage, 3 nobody reached, 4 refused, 5 in part.",
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
    "commands.md": commands,
    "settings.md": settings,
    "metrics.md": metrics,
    "errors.md": errors,
}
"""By file name, what writes it."""


def _is_group(field: FieldInfo) -> bool:
    return isinstance(field.default, BaseModel)


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
    if value in (None, "", {}):
        return "none"
    told = TypeAdapter(field.annotation).dump_python(value, mode="json")
    return f"`{json.dumps(told) if isinstance(told, list) else told}`"


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
