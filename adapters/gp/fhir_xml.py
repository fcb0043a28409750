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

_COUNT: Final = etree.XPath("count(//*)")
_PARSER: Final = etree.XMLParser(
    resolve_entities=False,
    load_dtd=False,
    dtd_validation=False,
    no_network=True,
    huge_tree=False,
    remove_comments=True,
    remove_pis=True,
)


class XmlReader:
    """Reads bundles: of resources of these types, and of their parts by these names only."""

    def __init__(self, types: Collection[str], fields: Collection[str]) -> None:
        self._types = {f"{_FHIR}{kind}": kind for kind in types}
        self._fields = {f"{_FHIR}{field}": field for field in fields}

    def read(self, body: bytes) -> dict[str, Any]:
        """The bundle as a JSON object. Raises Faulty.

        A declaration is refused before a parser sees it: nothing in FHIR needs one, and all that XML can do to its
        reader begins there.
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
        if not root.tag.startswith(_FHIR):
            raise Faulty([Finding(rules.NOT_FHIR, "", "namespace")])
        elements = _COUNT(root)
        if not isinstance(elements, float) or elements > _MOST_ELEMENTS:
            raise Faulty([Finding(rules.TOO_MUCH, "", f"more than {_MOST_ELEMENTS} elements")])
        return {"resourceType": root.tag.removeprefix(_FHIR), **self._parts(root, 0)}

    def _parts(self, element: etree._Element, depth: int) -> dict[str, Any]:
        """The parts of an element by their names. Another namespace's are not read."""
        if depth > _DEEPEST:
            raise Faulty([Finding(rules.TOO_MUCH, "", f"deeper than {_DEEPEST}")])
        parts: dict[str, Any] = {}
        for child in element:
            name = self._fields.get(child.tag)
            if name is None:
                continue
            value: Any = child.get("value")
            if value is None:
                value = self._resource(child, depth + 1) if name == "resource" else self._parts(child, depth + 1)
            if name not in parts:
                parts[name] = value
            elif isinstance(parts[name], list):
                parts[name].append(value)
            else:
                parts[name] = [parts[name], value]
        if (url := element.get("url")) is not None:
            parts["url"] = url
        return parts

    def _resource(self, element: etree._Element, depth: int) -> dict[str, Any] | None:
        """The resource that stands in an element, if it is of a type that is read."""
        inner = next(iter(element), None)
        kind = self._types.get(inner.tag) if inner is not None else None
        return {"resourceType": kind, **self._parts(inner, depth)} if inner is not None and kind is not None else None
