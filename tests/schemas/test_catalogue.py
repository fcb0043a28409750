import os
import subprocess
import sys

import pytest
from pydantic import BaseModel, ValidationError

from schemas.base import Event, Retraction, Standing
from schemas.catalogue import CATALOGUE, TOPICS, Kind, UnknownKind, decode, decode_retraction

KINDS = pytest.mark.parametrize("kind", CATALOGUE.values(), ids=list(CATALOGUE))


def concrete(event: type[BaseModel]) -> set[type[BaseModel]]:
    below = {found for child in event.__subclasses__() for found in concrete(child)}
    named = not event.model_fields["kind"].is_required() and event.__module__.startswith("schemas.")
    return below | ({event} if named else set())


def test_every_event_is_in_the_catalogue() -> None:
    """A kind that is defined and not listed would be written and never read."""
    assert {kind.event for kind in CATALOGUE.values()} == concrete(Event)


@KINDS
def test_a_kind_says_where_it_travels_and_what_it_says(kind: Kind) -> None:
    """The name begins with the topic's subject; the standing is its class's; there is a sentence and an example."""
    assert kind.topic == f"{kind.name.split('.')[0]}.v1"
    assert kind.topic in TOPICS
    assert kind.standing in Standing
    assert kind.sentence.endswith(".")
    assert len(kind.sentence) > 20
    assert kind.examples()


@KINDS
def test_what_is_written_is_read_again(kind: Kind) -> None:
    """A body read back is the same event, to the byte."""
    for example in kind.examples():
        body = example.model_dump_json().encode()
        read = decode(kind.name, body)
        assert read == example
        assert type(read) is kind.event
        assert read.model_dump_json().encode() == body


def test_a_body_of_another_kind_is_not_read() -> None:
    """The kind in the header and the kind in the body must agree."""
    body = CATALOGUE["imprisonment.died"].examples()[0].model_dump_json().encode()
    with pytest.raises(ValidationError):
        decode("imprisonment.at-large", body)


def test_a_kind_nobody_listed_is_named() -> None:
    """An unknown kind is refused by its name, in an event and in a retraction."""
    with pytest.raises(UnknownKind, match=r"custody\.tea-served"):
        decode("custody.tea-served", b"{}")
    with pytest.raises(UnknownKind, match=r"custody\.tea-served"):
        decode_retraction(b'{"kind": "custody.tea-served", "reason": "withdrawn"}')


def test_a_retraction_is_read_as_its_kind_and_reason() -> None:
    """What takes a fact back says which kind and why, and can say no more."""
    told = Retraction(kind="custody.drug-test.recorded", reason="not_confirmed_by_laboratory")
    assert decode_retraction(told.model_dump_json().encode()) == told
    assert set(Retraction.model_fields) == {"kind", "reason"}


def test_an_error_never_quotes_the_body() -> None:
    """A body that cannot be read leaves nothing of itself in the text of the error."""
    with pytest.raises(ValidationError) as caught:
        decode("imprisonment.died", b'{"kind": "imprisonment.died", "person": {"date_of_birth": "CANARY"}}')
    assert "CANARY" not in str(caught.value)


def test_an_event_is_written_alike_in_every_process() -> None:
    """Ids follow the bytes of an event; two processes with other seeds of hashing must write the same ones."""
    program = (
        "from schemas.catalogue import CATALOGUE\n"
        "for kind in CATALOGUE.values():\n"
        "    for example in kind.examples():\n"
        "        print(example.model_dump_json())\n"
    )
    written = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(written) == 1
    assert written != {b""}
