"""XML from outside, read so that it can do no harm: no document type, no entity, no network, bounded depth and size."""

import re
from itertools import islice
from typing import Final

from lxml import etree

from adapters.base import Finding
from adapters.police_custody.faults import found

MAX_BYTES: Final = 1024 * 1024
MAX_ELEMENTS: Final = 20_000
"""A megabyte can hold ten times as many, each with faults of its own; the longest real message seen has 3,000."""

_SHORTEST: Final = len(b"<a/>")
"""Bytes of the shortest element, so that what is short need not be counted."""

_BOM: Final = b"\xef\xbb\xbf"
_DECLARED: Final = re.compile(rb"""^<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_ENCODINGS: Final = frozenset({b"utf-8", b"us-ascii", b"iso-8859-1", b"windows-1252"})
_PARSER: Final = etree.XMLParser(
    resolve_entities=False,
    load_dtd=False,
    dtd_validation=False,
    no_network=True,
    huge_tree=False,
    remove_comments=True,
    remove_pis=True,
)


def parse(body: bytes) -> etree._Element | Finding:
    """The document's root, or what is wrong with it.

    A document type declaration is refused before a parser sees it: nothing we take needs one, and all that XML can do
    to its reader begins there.
    """
    bare = body.removeprefix(_BOM).lstrip()
    if len(body) > MAX_BYTES:
        return found("CU-001", "document", "too long")
    if b"<!DOCTYPE" in bare:  # an entity declared anywhere else is no XML
        return found("CU-001", "document", "document type declaration")
    declared = _DECLARED.match(bare)
    if b"\x00" in bare or (declared is not None and declared[1].lower() not in _ENCODINGS):
        return found("CU-001", "document", "encoding")
    try:
        root = etree.fromstring(bare, _PARSER)
    except etree.XMLSyntaxError as error:
        return found("CU-001", "document", f"line {error.lineno}")
    if len(bare) > _SHORTEST * MAX_ELEMENTS and next(islice(root.iter(), MAX_ELEMENTS, None), None) is not None:
        return found("CU-001", "document", f"more than {MAX_ELEMENTS} elements")
    return root


def local(element: etree._Element) -> str:
    """An element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]
