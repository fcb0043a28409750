"""The Drugs Act record as XML: one detention, one person and the forms filled in for them.

`custody-record.xsd` is the published schema and is applied as it stands. What it finds is told in our words, because a
schema processor's messages quote what they complain of.
"""

from collections.abc import Iterable, Iterator
from importlib import resources
from typing import Final, cast

from lxml import etree

from adapters.base import Finding
from adapters.police_custody.document import local, text
from adapters.police_custody.faults import found
from adapters.police_custody.wire import COLUMNS

NAMESPACE: Final = "urn:lasars-gateway:police-custody:1"
ROOT: Final = f"{{{NAMESPACE}}}custody_record"

_GROUPS: Final = ("custody_record", "detention", "detainee", "form")
_OURS: Final = frozenset((*COLUMNS, *_GROUPS))


def _schema() -> etree.XMLSchema:
    published = resources.files("adapters.police_custody").joinpath("custody-record.xsd").read_bytes()
    return etree.XMLSchema(etree.fromstring(published))


_SCHEMA: Final = _schema()


def forms(root: etree._Element) -> Iterator[dict[str, str]]:
    """Each form's fields, with those of the detention and the person, in the order they stand."""
    shared: dict[str, str] = {}
    for group in root:
        if local(group) in ("detention", "detainee"):
            shared |= {local(leaf): text(leaf) for leaf in group}
    for group in root:
        if local(group) == "form":
            yield shared | {local(leaf): text(leaf) for leaf in group}


def schema_faults(root: etree._Element) -> tuple[Finding, ...]:
    """Where the record departs from the published schema, each place once."""
    if _SCHEMA.validate(root):
        return ()
    tree = root.getroottree()
    log = cast("Iterable[etree._LogEntry]", _SCHEMA.error_log)
    places = {_place(tree, entry.path): None for entry in log}
    return tuple(found("CU-002", place) for place in places)


def _place(tree: etree._ElementTree, path: str | None) -> str:
    """The name of the element at fault, or of the nearest around it that is ours: a name may be anything."""
    at = tree.xpath(path) if path else []
    element = at[0] if isinstance(at, list) and at and isinstance(at[0], etree._Element) else tree.getroot()
    while (parent := element.getparent()) is not None and local(element) not in _OURS:
        element = parent
    return local(element) if local(element) in _OURS else "custody_record"
