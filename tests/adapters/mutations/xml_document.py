"""An XML message as a document."""

import copy
from typing import Final

from lxml import etree

from tests.adapters.mutations.mutation import STRAY, UNHEARD_OF, Mutation

_MARK: Final = "@stray@"
_FHIR: Final = "http://hl7.org/fhir"


class XmlDocument:
    """A message, each of its elements without children a field: "form.1.form_id". Elements that stand once have no
    number. Attributes are fields in FHIR alone, which keeps its values there.
    """

    def __init__(self, body: bytes) -> None:
        parser = etree.XMLParser(remove_blank_text=True, remove_comments=True, resolve_entities=False)
        self._root = etree.fromstring(body, parser)
        self._ways: dict[str, tuple[tuple[int, ...], str | None]] = {}
        self._attributes = etree.QName(self._root).namespace == _FHIR
        self._gather(self._root, "", ())

    def fields(self) -> list[str]:
        return list(self._ways)

    def mutated(self, field: str, mutation: Mutation) -> bytes | None:
        root = copy.deepcopy(self._root)
        way, attribute = self._ways[field]
        element = root
        for step in way:
            element = element[step]
        if attribute is not None:
            _mutate_attribute(element, attribute, mutation)
        else:
            _mutate_element(element, mutation)
        return etree.tostring(root, encoding="UTF-8", xml_declaration=True).replace(_MARK.encode(), STRAY)

    def _gather(self, element: etree._Element, path: str, way: tuple[int, ...]) -> None:
        if self._attributes:
            for name in element.attrib:
                self._ways[f"{path}.{name!s}".lstrip(".")] = (way, str(name))
        if len(element) == 0 and way and not (self._attributes and element.attrib):
            self._ways[path] = (way, None)
        names = [_local(child) for child in element]
        seen: dict[str, int] = {}
        for place, child in enumerate(element):
            name = _local(child)
            number = seen.get(name, 0)
            seen[name] = number + 1
            step = name if names.count(name) == 1 else f"{name}.{number}"
            self._gather(child, f"{path}.{step}".lstrip("."), (*way, place))


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname


def _mutate_element(element: etree._Element, mutation: Mutation) -> None:
    around = element.getparent()
    assert around is not None
    space = etree.QName(element).namespace
    match mutation:
        case Mutation.DROP:
            around.remove(element)
        case Mutation.RENAME:
            element.tag = f"{element.tag}_renamed"
        case Mutation.RETYPE:
            inner = etree.SubElement(element, etree.QName(space, "value"))
            inner.text, element.text = element.text, None
        case Mutation.NULL:
            element.text = None
        case Mutation.NEW_CODE:
            element.text = UNHEARD_OF
        case Mutation.EXTRA:
            extra = etree.Element(etree.QName(space, "unheard_of"))
            extra.text = "of no meaning here"
            element.addnext(extra)
        case Mutation.ENCODING:
            element.text = f"{element.text}{_MARK}"
        case Mutation.ORDER:
            names = list(reversed(dict.fromkeys(child.tag for child in around)))
            around[:] = sorted(around, key=lambda child: names.index(child.tag))  # a list keeps its own order


def _mutate_attribute(element: etree._Element, name: str, mutation: Mutation) -> None:
    value = element.attrib[name]
    match mutation:
        case Mutation.DROP:
            del element.attrib[name]
        case Mutation.RENAME:
            del element.attrib[name]
            element.attrib[f"{name}Renamed"] = value
        case Mutation.RETYPE:
            # An attribute has no structure; the same value as text between the marks is what a careless writer makes.
            del element.attrib[name]
            element.text = str(value)
        case Mutation.NULL:
            element.attrib[name] = ""
        case Mutation.NEW_CODE:
            element.attrib[name] = UNHEARD_OF
        case Mutation.EXTRA:
            element.attrib["unheardOf"] = "of no meaning here"
        case Mutation.ENCODING:
            element.attrib[name] = f"{value!s}{_MARK}"
        case Mutation.ORDER:
            items = list(reversed(element.attrib.items()))
            element.attrib.clear()
            element.attrib.update(items)
