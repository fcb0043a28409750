"""A mapping file: codes that no table knows, each with what it is to mean, said by who knows.

`lgw check --write-mapping` writes the codes that were met and what each may mean; `--mapping` reads the file back, so
that the same files can be tried with them. A running gateway takes a code where its adapter has an option for it.
"""

import enum
import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from adapters.base import Adapter, CodeTable, Finding, code_tables
from gateway.offline.records import Unusable

Codes = Mapping[tuple[str, str], int]
"""How often each code was met, by the name of its table and the code."""
Mapped = Mapping[str, Mapping[str, str]]
"""What codes are to mean: by the name of a table, each code and a meaning's word."""

_QUOTED: Final = re.compile(r"(\S+): '([^']+)'")
_CODE: Final = re.compile(r"[\w./-]{1,24}")


def unmapped(findings: Mapping[tuple[str, str], int]) -> Counter[tuple[str, str]]:
    """The codes that findings of held records name. findings: how often each field and detail was told."""
    tables = code_tables()
    codes: Counter[tuple[str, str]] = Counter()
    for (field, detail), times in findings.items():
        quoted = _QUOTED.fullmatch(detail)
        table, code = (quoted[1], quoted[2]) if quoted else (field, detail)
        if table not in tables:  # some findings leave out the agency, which everybody knows
            table = next((name for name in sorted(tables) if name.endswith(f".{table}")), "")
        if table and _CODE.fullmatch(code):
            codes[table, code] += times
    return codes


def unknown_kinds(agency: str, findings: Mapping[tuple[str, str], int]) -> Counter[tuple[str, str]]:
    """The codes that name a kind of record nobody reads, by the agency's field; no table of codes is theirs."""
    tables = code_tables()
    return Counter(
        {
            (field, code): times
            for (field, code), times in findings.items()
            if field.startswith(f"{agency}.") and field not in tables and _CODE.fullmatch(code)
        }
    )


def key_of(finding: Finding) -> tuple[str, str]:
    """What is counted of a finding about a code."""
    return finding.field, finding.detail


def choices(table: CodeTable[Any]) -> dict[str, Any]:
    """What a code of this table may mean, by its word: all values of an enumeration, else what other codes mean."""
    values = list(table.values())
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) == 1 and issubclass(kind := kinds.pop(), enum.Enum):
        values = [*kind, *(value for value in values if value is None)]
    return {word(value): value for value in values}


def word(meaning: Any) -> str:
    """A meaning as a person writes it."""
    match meaning:
        case enum.Enum():
            return str(meaning.value)
        case None:
            return "nothing"
        case bool():
            return "yes" if meaning else "no"
        case type():
            return meaning.__name__
        case _:
            return str(meaning)


def as_toml(agency: str, codes: Codes) -> str:
    """The mapping file for these codes, those met most often first, all still without a meaning."""
    return "\n".join(_lines(agency, codes)) + "\n"


def _lines(agency: str, codes: Codes) -> Iterator[str]:
    yield f"# Codes of {agency} that are on no list of ours. Give each the meaning it has, one of those named above it;"
    yield '# leave "" what nobody knows. Then: lgw check FILE --as ' + agency + " --mapping THIS-FILE"
    tables = code_tables()
    ranked = sorted(codes.items(), key=lambda item: (-item[1], item[0]))
    for name in dict.fromkeys(table for (table, _), _ in ranked):
        yield from ("", f"[{json.dumps(name)}]", f"# one of: {', '.join(sorted(choices(tables[name])))}")
        for (table, code), times in ranked:
            if table == name:
                yield f'{json.dumps(code)} = ""  # {times:,} times'


def read_mapping(path: Path) -> Mapped:
    """What a mapping file says; codes without a meaning are left out. Raises Unusable naming what to mend in it."""
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Unusable(f"{path} cannot be read ({error.strerror}).", "Name another file.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise Unusable(f"{path} is not TOML.", "Write it with --write-mapping and fill it in.") from None
    tables = code_tables()
    mapped: dict[str, dict[str, str]] = {}
    for name, codes in told.items():
        if name not in tables or not isinstance(codes, dict):
            raise Unusable(
                f"{path}: there is no table of codes {name!r}.", "Take the names that --write-mapping writes."
            )
        known = choices(tables[name])
        for code, meaning in codes.items():
            if meaning == "":
                continue
            if meaning not in known:
                meanings = ", ".join(sorted(known))
                raise Unusable(f"{path}: in {name}, {code} has no meaning of ours.", f"Choose one of: {meanings}.")
            mapped.setdefault(name, {})[code] = meaning
    return mapped


@contextmanager
def taught(mapped: Mapped) -> Iterator[None]:
    """The tables know these codes as well, in this process and for as long as it lasts."""
    tables = code_tables()
    added: list[tuple[CodeTable[Any], str]] = []
    for name, codes in mapped.items():
        known = choices(tables[name])
        for code, meaning in codes.items():
            if code not in tables[name]:
                tables[name][code] = known[meaning]
                added.append((tables[name], code))
    try:
        yield
    finally:
        for table, code in added:
            table.pop(code, None)


def for_a_gateway(adapter: Adapter, mapped: Mapped) -> tuple[str, list[str]]:
    """How a running gateway is told of a mapping: the setting, "" for none, and the tables that have no option."""
    options = {
        f"{adapter.code_options[name]}.{code}": meaning
        for name, codes in mapped.items()
        if name in adapter.code_options
        for code, meaning in codes.items()
    }
    setting = f"GATEWAY_ADAPTERS='{json.dumps({adapter.name: options})}'" if options else ""
    return setting, sorted(name for name in mapped if name not in adapter.code_options)
