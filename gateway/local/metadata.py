"""Asking a Kafka broker who is in its cluster: the smallest question whose answer proves that it works.

An open port proves little: a broker listens before it has caught up with its controller. This is the Metadata request,
version 1, of Kafka's own protocol (https://kafka.apache.org/protocol, "Metadata Request (Version: 1)"), spoken here in
a few bytes so that starting Kafka needs no client and no event loop.
"""

import socket
import struct

METADATA, VERSION, CORRELATION = 3, 1, 1
NO_TOPICS = 0
MOST = 1 << 20
"""Bytes. A longer answer is not one to this question."""


def question() -> bytes:
    """A Metadata request about no topic, with its length before it."""
    body = struct.pack(">hhihi", METADATA, VERSION, CORRELATION, -1, NO_TOPICS)
    return struct.pack(">i", len(body)) + body


def brokers_in(answer: bytes) -> frozenset[int]:
    """The ids of the brokers in an answer (without its length). Raises ValueError when it is none."""
    try:
        correlation, count = struct.unpack_from(">ii", answer)
        if correlation != CORRELATION:
            raise ValueError("an answer to another question")
        at, found = 8, set()
        for _ in range(count):
            node, host = struct.unpack_from(">ih", answer, at)
            if host < 0:
                raise ValueError("a broker without a host")
            at += 6 + host + 4
            (rack,) = struct.unpack_from(">h", answer, at)
            at += 2 + max(rack, 0)
            found.add(node)
    except struct.error as error:
        raise ValueError("an answer cut short") from error
    return frozenset(found)


def ask(host: str, port: int, timeout: float = 1.0) -> frozenset[int]:
    """The ids of the brokers that a broker knows to be up. Raises OSError or ValueError when it does not answer."""
    with socket.create_connection((host, port), timeout) as connection:
        connection.settimeout(timeout)
        connection.sendall(question())
        (length,) = struct.unpack(">i", _read(connection, 4))
        if not 0 < length <= MOST:
            raise ValueError("not an answer of Kafka's")
        return brokers_in(_read(connection, length))


def knows(host: str, port: int, count: int) -> bool:
    """Whether that broker answers and knows at least so many brokers, itself among them."""
    try:
        return len(ask(host, port)) >= count
    except (OSError, ValueError):
        return False


def _read(connection: socket.socket, count: int) -> bytes:
    read = bytearray()
    while len(read) < count:
        part = connection.recv(count - len(read))
        if not part:
            raise ConnectionResetError("the broker hung up")
        read += part
    return bytes(read)
