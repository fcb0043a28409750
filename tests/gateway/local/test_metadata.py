import socket
import struct
import threading
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.local import metadata


def answer(*brokers: tuple[int, bytes, bytes | None], correlation: int = metadata.CORRELATION) -> bytes:
    """A Metadata response, version 1, as a broker writes it: brokers, controller, no topics."""
    body = struct.pack(">ii", correlation, len(brokers))
    for node, host, rack in brokers:
        body += struct.pack(">ih", node, len(host)) + host + struct.pack(">i", 9092)
        body += struct.pack(">h", -1) if rack is None else struct.pack(">h", len(rack)) + rack
    return body + struct.pack(">ii", 1, 0)


@given(st.lists(st.tuples(st.integers(1, 99), st.binary(max_size=20), st.none() | st.binary(max_size=5)), max_size=5))
def test_every_broker_of_an_answer_is_found(brokers: list[tuple[int, bytes, bytes | None]]) -> None:
    """Every broker of an answer is found, whatever its host and rack are called."""
    assert metadata.brokers_in(answer(*brokers)) == {node for node, _, _ in brokers}


@given(st.binary(max_size=80))
def test_any_other_bytes_are_a_value_error(noise: bytes) -> None:
    """Bytes that are no answer raise ValueError and nothing else."""
    with suppress(ValueError):
        assert all(isinstance(node, int) for node in metadata.brokers_in(noise))


def test_an_answer_to_another_question_is_refused() -> None:
    """An answer to another question is refused."""
    with pytest.raises(ValueError, match="another question"):
        metadata.brokers_in(answer((1, b"h", None), correlation=2))


def test_an_open_port_alone_is_not_ready() -> None:
    """A port that takes connections and says nothing is not a broker that is ready."""
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(OSError, match="timed out"):
        metadata.ask("127.0.0.1", server.getsockname()[1], timeout=0.05)


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", struct.pack(">i", 100) + b"short"])
def test_a_port_that_speaks_otherwise_is_not_ready(said: bytes) -> None:
    """A port where something other than Kafka answers is not a broker that is ready."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def speak() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(64)
                connection.sendall(said)

        speaker = threading.Thread(target=speak)
        speaker.start()
        assert not metadata.knows("127.0.0.1", server.getsockname()[1], 1)
        speaker.join()
