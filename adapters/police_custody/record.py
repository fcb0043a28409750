"""The Drugs Act record as XML: one detention, one person and the forms filled in for them.

`custody-record.xsd` is the published schema and is applied as it stands. What it finds is told in our words, because a
schema processor's messages quote what they complain of.
"""

import threading
from collections.abc import Iterable
from dataclasses import replace
from importlib import resources
from typing import Final, cast

from lxml import etree

from adapters.base import Finding
from adapters.drift import BESIDES
from adapters.police_custody.document import local
from adapters.police_custody.faults import found
from adapters.police_custody.wire import COLUMNS

NAMESPACE: Final = "urn:lasars-gateway:police-custody:1"
ROOT: Final = f"{{{NAMESPACE}}}custody_record"

_XS: Final = "{http://www.w3.org/2001/XMLSchema}"
_PUBLISHED: Final = etree.fromstring(resources.files(__package__).joinpath("custody-record.xsd").read_bytes())

MOST_FORMS: Final = 20
"""As the schema says (maxOccurs)."""

_SHARED: Final = frozenset(
    leaf.get("name")
    for group in ("Detention", "Detainee")
    for leaf in _PUBLISHED.iterfind(f"{_XS}complexType[@name='{group}']/{_XS}all/{_XS}element")
)
_GROUPS: Final = ("custody_record", "detention", "detainee", "form")
_OURS: Final = frozenset((*COLUMNS, *_GROUPS))
_NAMES: Final = {f"{{{NAMESPACE}}}{name}": name for name in _OURS}


def departures(root: etree._Element) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """What stood besides the contract and was taken out, and where the rest departs from the schema."""
    faults = schema_faults(root)
    strange = set_aside(root) if faults else ()  # what the schema has no fault to find with holds nothing strange
    return strange, schema_faults(root) if strange else faults


def set_aside(root: etree._Element) -> tuple[Finding, ...]:
    """Take out what is not in the contract, and tell in which part it stood: its name may be anything.

    A force's system may learn to say more before we do; what it says besides is none of our business, and no fault.
    """
    strange = [
        element for part in (root, *root) if local(part) in _GROUPS for element in part if local(element) not in _OURS
    ]
    parts = [local(part) for element in strange if (part := element.getparent()) is not None]
    for element in strange:
        if (part := element.getparent()) is not None:
            part.remove(element)
    return tuple(Finding(BESIDES, part) for part in dict.fromkeys(parts))


def too_many_forms(root: etree._Element) -> bool:
    """Whether the record has more forms than the schema allows: each would be read, and told of, for nothing."""
    return len(root) > MOST_FORMS + len(_GROUPS)


def groups(root: etree._Element) -> tuple[dict[str, str], list[dict[str, str]]]:
    """The fields of the detention and the person, and those of each form, in the order they stand."""
    shared: dict[str, str] = {}
    forms: list[dict[str, str]] = []
    for group in root:
        fields: dict[str, str] = {}
        for leaf in group:
            if (text := leaf.text) and not text.isspace():
                fields[_NAMES.get(leaf.tag) or local(leaf)] = text
        match _NAMES.get(group.tag):
            case "form":
                forms.append(fields)
            case "detention" | "detainee":
                shared |= fields
    return shared, forms


def placed(findings: tuple[Finding, ...], number: int) -> tuple[Finding, ...]:
    """The findings of one of several forms: what stands on the form itself is told with the form's number, from 1."""
    return tuple(
        finding if finding.field in _SHARED else replace(finding, field=f"form[{number}]/{finding.field}")
        for finding in findings
    )


class _OfThread(threading.local):
    """The compiled schema, one a thread: it keeps what it last found, and long records are read in threads."""

    def __init__(self) -> None:
        self.schema: Final = etree.XMLSchema(_PUBLISHED)


_own = _OfThread()


def schema_faults(root: etree._Element) -> tuple[Finding, ...]:
    """Where the record departs from the published schema, each place once."""
    schema = _own.schema
    if schema.validate(root):
        return ()
    tree = root.getroottree()
    log = cast("Iterable[etree._LogEntry]", schema.error_log)
    places = {_place(tree, entry.path): None for entry in log}
    return tuple(found("CU-002", place) for place in places)


def _place(tree: etree._ElementTree, path: str | None) -> str:
    """The name of the element at fault, or of the nearest around it that is ours: a name may be anything."""
    at = tree.xpath(path) if path else []
    element = at[0] if isinstance(at, list) and at and isinstance(at[0], etree._Element) else tree.getroot()
    while (parent := element.getparent()) is not None and local(element) not in _OURS:
        element = parent
    return local(element) if local(element) in _OURS else "custody_record"
