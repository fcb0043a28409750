"""Small messages that become large, deep or many when they are read."""

import gzip
import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

DEEP = 100_000


def bombs() -> Iterator[tuple[str, bytes]]:
    """Each with its name; none is larger than a record may be. Of the forms most feeds read, and packed."""
    yield from _json()
    yield from _xml()
    yield from _lines()
    yield from _packed()


def _json() -> Iterator[tuple[str, bytes]]:
    yield "arrays in arrays", b"[" * DEEP
    yield "arrays in arrays, closed", b"[" * DEEP + b"]" * DEEP
    yield "objects in objects", b'{"a":' * DEEP + b"1" + b"}" * DEEP
    yield "an event in events", b'{"event":' * 50_000 + b"{}" + b"}" * 50_000
    yield "many keys", b'{"eventType":"a.b.c",' + b",".join(b'"%d":1' % n for n in range(100_000)) + b"}"
    yield "one key a hundred thousand times", b"{" + b",".join([b'"a":1'] * 100_000) + b"}"
    yield "a long number", b'{"eventType":"a.b.c","version":' + b"9" * 500_000 + b"}"
    yield "a long exponent", b'{"eventType":"a.b.c","version":1e' + b"9" * 100_000 + b"}"
    yield "a long string", b'{"eventType":"' + b"a" * 900_000 + b'"}'
    yield "a Message in a Message", _nested_messages()
    yield "many resources", b'{"resourceType":"Bundle","type":"message","entry":[' + b",".join(_entries()) + b"]}"
    extension = b'{"url":"a","extension":['
    yield "extensions in extensions", b'{"resourceType":"Bundle","extension":[' + extension * 20_000


def _entries() -> list[bytes]:
    return [b'{"fullUrl":"urn:uuid:%d","resource":{"resourceType":"Patient"}}' % n for n in range(13_000)]


def _nested_messages() -> bytes:
    told: dict[str, Any] = {"eventType": "a.b.c"}
    for _ in range(12):
        told = {"Type": "Notification", "Message": json.dumps(told)}
    return json.dumps(told).encode()


def _xml() -> Iterator[tuple[str, bytes]]:
    xml = b'<custody_record xmlns="urn:lasars-gateway:police-custody:1">'
    bundle = b'<Bundle xmlns="http://hl7.org/fhir">'
    lol = b"".join(b'<!ENTITY l%d "%s">' % (n + 1, b"&l%d;" % n * 10) for n in range(9))
    yield "elements in elements", xml + b"<a>" * DEEP + b"</a>" * DEEP
    yield "many elements", xml + b"<form/>" * 140_000 + b"</custody_record>"
    yield "many entries", bundle + b"<entry/>" * 120_000 + b"</Bundle>"
    yield "many attributes", b"<a " + b" ".join(b'a%d=""' % n for n in range(80_000)) + b"/>"
    yield "many namespaces", b"<a " + b" ".join(b'xmlns:a%d="u"' % n for n in range(50_000)) + b"/>"
    yield "billion laughs", b'<!DOCTYPE l [<!ENTITY l0 "lol">' + lol + b"]><l>&l9;</l>"
    yield "quadratic", b'<!DOCTYPE l [<!ENTITY a "' + b"a" * 50_000 + b'">]><l>' + b"&a;" * 50_000 + b"</l>"
    yield "in UTF-16", "<!DOCTYPE l SYSTEM 'file:///etc/passwd'><l/>".encode("utf-16")
    yield "parameter entities", b'<!DOCTYPE l [<!ENTITY % a SYSTEM "file:///etc/passwd">%a;]><l/>'
    yield "an include", b'<l xmlns:x="http://www.w3.org/2001/XInclude"><x:include href="file:///etc/passwd"/></l>'
    yield "references", xml + b"&#65;" * 150_000 + b"</custody_record>"
    yield "a comment", b"<!--" + b"-" * 900_000


def _lines() -> Iterator[tuple[str, bytes]]:
    yield "marks", b"form_type" + b',"' * 400_000
    yield "columns", b",".join([b"surname"] * 130_000) + b"\r\n" + b"," * 129_999
    yield "rows", b"form_type\r\n" * 90_000
    yield "no end of line", b"a" * 1_000_000
    yield "NUL", b"\x00" * 500_000


def segment_bombs() -> Iterator[tuple[str, bytes]]:
    """Of the forms made of segments, EDIFACT and HL7 v2."""
    head = b"UNA:+.? 'UNB+UNOA:2+A+B+260101:1200+1'UNH+1+FHSREG:0:1:FH:FHS001'"
    yield "segments", head + b"DTM+137'" * 110_000
    yield "elements of one segment", head + b"NAD" + b"+" * 900_000 + b"'"
    yield "components of one element", head + b"NAD+" + b":" * 900_000 + b"'"
    yield "release characters", head + b"?" * 900_000
    yield "interchanges", b"UNB+UNOA:2+A+B+260101:1200+1'UNZ+0+1'" * 25_000
    msh = b"MSH|^~\\&|A|B|C|D|20260101||REF^I12|1|P|2.5\r"
    yield "segments of HL7", msh + b"OBX|1\r" * 150_000
    yield "repetitions", msh + b"PID|1||" + b"~" * 900_000 + b"\r"
    yield "subcomponents", msh + b"PID|1||" + b"&" * 900_000 + b"\r"
    yield "escapes", msh + b"PID|1||" + b"\\T\\" * 300_000 + b"\r"
    yield "messages of HL7", msh * 20_000


def _packed() -> Iterator[tuple[str, bytes]]:
    yield "gzip", gzip.compress(b"\x00" * (64 << 20))
    yield "gzip in gzip", gzip.compress(gzip.compress(b"\x00" * (64 << 20)))
    yield "zip", _zipped("a.csv", b"\x00" * (64 << 20))
    yield "zip in zip", _zipped("a.zip", _zipped("a.csv", b"\x00" * (64 << 20)))
    yield "a zip that climbs", _zipped("../../../../tmp/climbed", b"climbed")
    lying = bytearray(_zipped("a.csv", b"\x00" * (1 << 20)))
    at = lying.rfind(b"PK\x01\x02") + 24  # the size told in the central directory
    lying[at : at + 4] = (1).to_bytes(4, "little")
    yield "a zip that lies about its size", bytes(lying)


def _zipped(name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return out.getvalue()
