"""Which part of a signed message differs."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.connecting.diagnosis import Part, diagnose
from gateway.connecting.raw_request import read_request
from gateway.delivery.signing import ID, SIGNATURE, TIMESTAMP, sign, write_key
from gateway.errors import ConfigurationError
from gateway.sealing import Signer

SIGNER, OTHER = Signer((b"1" * 32,)), Signer((b"2" * 32,))
KEYS, OTHERS = [write_key(SIGNER.public_keys()[0])], [write_key(OTHER.public_keys()[0])]
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
BODY = '{"id":"m-1","name":"Zoë","list":[1,2.0],"b":{"z":1,"a":null}}'.encode()
HEADERS = sign(SIGNER, "m-1", NOW, BODY)


def part(headers: dict[str, str], body: bytes, *, now: datetime = NOW, keys: list[str] = KEYS) -> Part:
    """What is found to differ."""
    return diagnose(keys, headers, body, now).part


def test_what_is_right_is_said_to_be() -> None:
    """And with several signatures one is enough."""
    assert part(HEADERS, BODY) is Part.NOTHING
    both = Signer((b"2" * 32, b"1" * 32))
    assert part(sign(both, "m-1", NOW, BODY), BODY) is Part.NOTHING


@pytest.mark.parametrize("name", [ID, TIMESTAMP, SIGNATURE])
def test_a_missing_header_is_named(name: str) -> None:
    """By its name."""
    told = diagnose(KEYS, {key: value for key, value in HEADERS.items() if key != name}, BODY, NOW)
    assert told.part is Part.HEADER_MISSING
    assert told.sentence == f"{name} is missing."


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(json.loads(BODY)).encode(),
        json.dumps(json.loads(BODY), indent=2, ensure_ascii=False).encode(),
        json.dumps(json.loads(BODY), sort_keys=True, separators=(",", ":")).encode(),
        BODY + b"\n",
        b"\xef\xbb\xbf" + BODY,
    ],
    ids=["spaced", "indented", "sorted", "line-break", "mark"],
)
def test_a_body_written_anew_is_recognised(body: bytes) -> None:
    """However it was written: what was signed is found again, unless its own order or spelling is lost."""
    found = part(HEADERS, body)
    assert found is (
        Part.UNKNOWN
        if body == json.dumps(json.loads(BODY), sort_keys=True, separators=(",", ":")).encode()
        else Part.BODY
    )


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
        lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=3), part, max_size=3),
        max_leaves=6,
    )
)
def test_any_body_written_by_a_common_library_is_recognised(told: object) -> None:
    """Whatever stands in it: compact when signed, spaced when it arrives."""
    signed = json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
    arrived = json.dumps(told, indent=2).encode()
    headers = sign(SIGNER, "m-2", NOW, signed)
    assert part(headers, arrived) is (Part.NOTHING if arrived == signed else Part.BODY)


@pytest.mark.parametrize("seconds", [1, -1, 77, -3000])
def test_a_timestamp_that_was_changed_is_told_by_how_much(seconds: int) -> None:
    """Within an hour."""
    moved = {**HEADERS, TIMESTAMP: str(int(HEADERS[TIMESTAMP]) + seconds)}
    told = diagnose(KEYS, moved, BODY, NOW)
    assert told.part is Part.TIMESTAMP_CHANGED
    assert f"{abs(seconds)} s {'earlier' if seconds > 0 else 'later'}" in told.sentence


def test_an_id_that_was_changed_is_found_in_the_body() -> None:
    """Which carries the id that was signed."""
    assert part({**HEADERS, ID: "m-2"}, BODY) is Part.ID


def test_old_and_future_are_told_from_false() -> None:
    """The signature verifies, only not now."""
    assert part(HEADERS, BODY, now=NOW + timedelta(minutes=6)) is Part.TIMESTAMP_OLD
    assert part(HEADERS, BODY, now=NOW - timedelta(minutes=6)) is Part.TIMESTAMP_FUTURE


def test_a_key_of_the_gateway_that_the_recipient_lacks_is_told() -> None:
    """A rotation nobody noticed; and a stranger's stays unknown."""
    assert diagnose(OTHERS, HEADERS, BODY, NOW, KEYS).part is Part.KEY
    assert part(HEADERS, BODY, keys=OTHERS) is Part.UNKNOWN


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        (TIMESTAMP, "1795333473000", Part.TIMESTAMP_FORM),
        (TIMESTAMP, "Sunday", Part.TIMESTAMP_FORM),
        (TIMESTAMP, "٣", Part.TIMESTAMP_FORM),
        (SIGNATURE, "v1,abcd", Part.SIGNATURE_VERSION),
        (SIGNATURE, "v1a,????", Part.SIGNATURE_FORM),
        (SIGNATURE, "nonsense", Part.SIGNATURE_FORM),
    ],
)
def test_a_header_of_the_wrong_form_is_told(name: str, value: str, expected: Part) -> None:
    """Before any key is tried."""
    assert part({**HEADERS, name: value}, BODY) is expected


def test_nothing_of_the_body_is_repeated() -> None:
    """Whatever is wrong with it."""
    for headers, body in ((HEADERS, BODY + b" "), ({**HEADERS, ID: "x"}, BODY), (HEADERS, b"no JSON")):
        told = diagnose(KEYS, headers, body, NOW)
        assert "Zo" not in told.sentence + told.fix


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_pasted_request_is_read_to_the_last_byte(end: bytes) -> None:
    """Request line and curl's arrows are passed over; the body stays as it is, empty lines and all."""
    lines = [b"POST /push HTTP/1.1", b"< Webhook-Id: m-1", b"webhook-signature: v1a,a= v1a,b="]
    headers, body = read_request(end.join(lines) + end + end + b"{}\n\n")
    assert headers == {ID: "m-1", SIGNATURE: "v1a,a= v1a,b="}
    assert body == b"{}\n\n"


def test_a_paste_without_a_body_is_refused() -> None:
    """With what to do."""
    with pytest.raises(ConfigurationError):
        read_request(b"webhook-id: m-1\n")
