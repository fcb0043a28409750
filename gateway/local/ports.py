"""Ports of this machine: which are free, and whether one is."""

import socket

from gateway.local.errors import PortInUse

LOOPBACK = "127.0.0.1"


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen there now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a connection of the last run that the kernel still remembers (TIME_WAIT) is no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def require_free(name: str, port: int, host: str = LOOPBACK) -> None:
    """Raise PortInUse unless `name` can listen on that port."""
    if not is_free(port, host):
        raise PortInUse(name=name, port=port)


def free(count: int, host: str = LOOPBACK) -> list[int]:
    """So many different free ports, given by the system. Nothing keeps them free: use them soon."""
    probes = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(count)]
    try:
        for probe in probes:
            probe.bind((host, 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()
