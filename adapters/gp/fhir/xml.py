"""FHIR's XML form as the JSON form says the same, so that one set of models reads both.

A primitive's value stands in an attribute, a resource inside another element, and nothing tells one value from a list
of one. Only what the models name is looked at, as deep as they go. No document type, no entity, no network; bounded
size.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, Optional

from lxml import etree
from pydantic import BaseModel

from adapters.base import Finding
from adapters.drift import shape_within
from adapters.gp.faulty import Faulty
from adapters.gp.fhir import rules

_FHIR: Final = "{http://hl7.org/fhir}"
_BOM: Final = b"\xef\xbb\xbf"
_MOST_ELEMENTS: Final = 20_000
"""The longest real message seen has 1,400."""

_DECLARED: Final = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([^"'>]*)["']""")
_ENCODINGS: Final = frozenset({b"utf-8", b"us-ascii"})
"""FHIR's own, and its first half."""

_COUNT: Final = etree.XPath("count(//*)")
_PARSER: Final = etree.XMLParser(
    encoding="utf-8",  # whatever is declared: in an encoding that a message chooses, a declaration hides from a search
    resolve_entities=False,
    load_dtd=False,
    dtd_validation=False,
    no_network=True,
    huge_tree=False,
    remove_comments=True,
    remove_pis=True,
)


Outline = Mapping[str, tuple[str, Optional["Outline"]]]
"""What is read of an element: its parts by tag, each with its name and its own outline; None for a resource."""


def _outline(shape: type[BaseModel]) -> Outline:
    """What is read of a shape."""
    named = ((field.alias or name, shape_within(field.annotation)) for name, field in shape.model_fields.items())
    return {f"{_FHIR}{name}": (name, {} if inner is None else _outline(inner)) for name, inner in named}


_URL: Final = f"{_FHIR}url"
_ID: Final = f"{_FHIR}id"
"""Of every resource, because others refer to it by this."""


class XmlReader:
    """Reads bundles: of themselves what `meta` and these names say, and of their resources what these shapes name."""

    def __init__(self, shapes: Iterable[type[BaseModel]], meta: type[BaseModel]) -> None:
        entry: Outline = {f"{_FHIR}fullUrl": ("fullUrl", {}), f"{_FHIR}resource": ("resource", None)}
        self._bundle: Outline = {
            f"{_FHIR}type": ("type", {}),
            f"{_FHIR}timestamp": ("timestamp", {}),
            f"{_FHIR}meta": ("meta", _outline(meta)),
            f"{_FHIR}entry": ("entry", entry),
        }
        self._resources = {
            f"{_FHIR}{shape.__name__}": (shape.__name__, {**_outline(shape), _ID: ("id", {})}) for shape in shapes
        }

    def read(self, body: bytes) -> dict[str, Any]:
        """The bundle as a JSON object. Raises Faulty.

        A declaration is refused before a parser sees it: nothing in FHIR needs one, and all that XML can do to its
        reader begins there.
        """
        bare = body.removeprefix(_BOM).lstrip()
        if b"<!DOCTYPE" in bare or b"<!ENTITY" in bare:
            raise Faulty([Finding(rules.HIDDEN_DECLARATION, "")])
        declared = _DECLARED.match(bare)
        if b"\x00" in bare or (declared is not None and declared[1].lower() not in _ENCODINGS):
            raise Faulty([Finding(rules.NOT_FHIR, "", "encoding")])
        try:
            root = etree.fromstring(bare, _PARSER)
        except etree.XMLSyntaxError as error:
            raise Faulty([Finding(rules.NOT_FHIR, "", f"line {error.lineno}")]) from None
        if not root.tag.startswith(_FHIR):
            raise Faulty([Finding(rules.NOT_FHIR, "", "namespace")])
        elements = _COUNT(root)
        if not isinstance(elements, float) or elements > _MOST_ELEMENTS:
            raise Faulty([Finding(rules.TOO_MUCH, "", f"more than {_MOST_ELEMENTS} elements")])
        return {"resourceType": root.tag.removeprefix(_FHIR), **self._parts(root, self._bundle)}

    def _parts(self, element: etree._Element, outline: Outline) -> dict[str, Any]:
        """The parts of an element by their names. Another namespace's are not read."""
        parts: dict[str, Any] = {}
        for child in element:
            known = outline.get(child.tag)
            if known is None:
                continue
            name, inner = known
            value: Any = child.get("value")
            if value is None:
                value = self._resource(child) if inner is None else self._parts(child, inner)
            if name not in parts:
                parts[name] = value
            elif isinstance(parts[name], list):
                parts[name].append(value)
            else:
                parts[name] = [parts[name], value]
        if _URL in outline and (url := element.get("url")) is not None:
            parts["url"] = url
        return parts

    def _resource(self, element: etree._Element) -> dict[str, Any] | None:
        """The resource that stands in an element, if it is of a type that is read."""
        inner = next(iter(element), None)
        known = self._resources.get(inner.tag) if inner is not None else None
        return {"resourceType": known[0], **self._parts(inner, known[1])} if inner is not None and known else None
