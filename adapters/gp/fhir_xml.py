"""FHIR's XML form as the JSON form says the same, so that one set of models reads both.

A primitive's value stands in an attribute, a resource inside another element, and nothing tells one value from a list
of one. No document type, no entity, no network; bounded depth and size.
"""

from collections.abc import Collection
from typing import Any, Final

from lxml import etree

from adapters.base import Finding
from adapters.gp import rules
from adapters.gp.rules import Faulty

_FHIR: Final = "{http://hl7.org/fhir}"
_BOM: Final = b"\xef\xbb\xbf"
_MOST_ELEMENTS: Final = 20_000
"""The longest real message seen has 1,400."""
_DEEPEST: Final = 40

_PARSER: Final = etree.XMLParser(
    resolve_entities=False,
    load_dtd=False,
    dtd_validation=False,
    no_network=True,
    huge_tree=False,
    remove_comments=True,
    remove_pis=True,
)


def read_xml(body: bytes, types: Collection[str]) -> dict[str, Any]:
    """The bundle as a JSON object, with the content of resources of these types only. Raises Faulty.

    A declaration is refused before a parser sees it: nothing in FHIR needs one, and all that XML can do to its reader
    begins there.
    """
    bare = body.removeprefix(_BOM).lstrip()
    if b"<!DOCTYPE" in bare or b"<!ENTITY" in bare:
        raise Faulty([Finding(rules.HIDDEN_DECLARATION, "")])
    if b"\x00" in bare:
        raise Faulty([Finding(rules.NOT_FHIR, "", "encoding")])
    try:
        root = etree.fromstring(bare, _PARSER)
    except (etree.XMLSyntaxError, LookupError) as error:  # LookupError: an encoding nobody has
        line = f"line {error.lineno}" if isinstance(error, etree.XMLSyntaxError) else "encoding"
        raise Faulty([Finding(rules.NOT_FHIR, "", line)]) from None
    if not _name(root):
        raise Faulty([Finding(rules.NOT_FHIR, "", "namespace")])
    if sum(1 for _ in root.iter()) > _MOST_ELEMENTS:
        raise Faulty([Finding(rules.TOO_MUCH, "", f"more than {_MOST_ELEMENTS} elements")])
    return _resource(root, types, 0)


def _name(element: etree._Element) -> str:
    """The element's name, "" if it is not FHIR's."""
    tag = str(element.tag)
    return tag.removeprefix(_FHIR) if tag.startswith(_FHIR) else ""


def _resource(element: etree._Element, types: Collection[str], depth: int) -> dict[str, Any]:
    name = _name(element)
    if name == "Bundle" and depth == 0:
        return {"resourceType": name, **_fields(element, types, depth)}
    return {"resourceType": name, **(_fields(element, (), depth) if name in types else {})}


def _fields(element: etree._Element, types: Collection[str], depth: int) -> dict[str, Any]:
    if depth > _DEEPEST:
        raise Faulty([Finding(rules.TOO_MUCH, "", f"deeper than {_DEEPEST}")])
    fields: dict[str, Any] = {}
    for child in element:
        name = _name(child)
        if not name or name in {"contained", "text"}:
            continue  # another namespace, narrative, or resources inside resources: none is read
        value = _value(child, types, depth + 1)
        if name in fields:
            before = fields[name]
            fields[name] = [*before, value] if isinstance(before, list) else [before, value]
        else:
            fields[name] = value
    if (url := element.get("url")) is not None:
        fields["url"] = url
    return fields


def _value(element: etree._Element, types: Collection[str], depth: int) -> Any:
    if _name(element) == "resource" and types:
        return _resource(element[0], types, depth) if len(element) else None
    value = element.get("value")
    return value if value is not None else _fields(element, types, depth)
