"""The values of one record by the names of its fields, whatever it is written in; for counting, not for translating."""

import csv
import io
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

import orjson
from lxml import etree

Values = dict[str, list[str]]

_DEEPEST: Final = 32
_BOM: Final = b"\xef\xbb\xbf"


def values_of(body: bytes, media_type: str) -> Values:
    """The filled fields of a record, each with its values; none for what cannot be taken apart.

    CSV by column, JSON and XML by path without the numbers of lists ("person.addresses.postcode").
    """
    if media_type == "text/csv":
        return _csv(body)
    found: Values = {}
    for name, value in _leaves(body, media_type):
        if value.strip():
            found.setdefault(name, []).append(value)
    return found


TAKEN_APART: Final = frozenset({"text/csv", "application/json", "application/xml", "text/xml"})


def _leaves(body: bytes, media_type: str) -> Iterator[tuple[str, str]]:
    match media_type:
        case "application/json":
            try:
                yield from _json(orjson.loads(body.removeprefix(_BOM)), "", 0)
            except ValueError:
                return
        case "application/xml" | "text/xml":
            yield from _xml(body)


def _csv(body: bytes) -> Values:
    head, _, rest = body.removeprefix(_BOM).partition(b"\n")
    try:
        names = _columns(head)
        row = next((line for line in _lines(rest) if line), [])
    except csv.Error:
        return {}
    found: Values = {}
    for name, value in zip(names, row, strict=False):
        if value and not value.isspace():
            found.setdefault(name, []).append(value)
    return found


@lru_cache(maxsize=16)
def _columns(head: bytes) -> tuple[str, ...]:
    """The names in a header. Every row of a file brings the same one."""
    return tuple(name.strip() for name in next(_lines(head), []))


def _lines(text: bytes) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text.decode("utf-8", "replace"), newline=""))


def _json(value: Any, path: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > _DEEPEST:
        return
    match value:
        case dict():
            for name, inner in value.items():
                yield from _json(inner, f"{path}.{name}" if path else name, depth + 1)
        case list():
            for inner in value:
                yield from _json(inner, path, depth + 1)
        case str() if value.startswith("{"):  # an envelope carries its message as text
            try:
                yield from _json(orjson.loads(value), path, depth + 1)
            except ValueError:
                yield path, value
        case bool():
            yield path, "true" if value else "false"
        case None:
            return
        case _:
            yield path, str(value)


def _xml(body: bytes) -> Iterator[tuple[str, str]]:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        return
    stack = [(root, str(etree.QName(root).localname), 0)]
    while stack:
        element, path, depth = stack.pop()
        for name, value in element.attrib.items():
            yield f"{path}.{etree.QName(str(name)).localname}", str(value)
        if element.text:
            yield path, element.text
        if depth < _DEEPEST:
            children = [child for child in element if isinstance(child.tag, str)]
            stack.extend((child, f"{path}.{etree.QName(child).localname}", depth + 1) for child in reversed(children))
