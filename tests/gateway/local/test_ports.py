import socket

import pytest

from gateway.local import ports
from gateway.local.errors import PortInUse


def test_a_port_in_use_is_named_with_who_wanted_it() -> None:
    """A port that another program listens on is refused with its number and who wanted it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(PortInUse, match=rf"The port {port} that intake should listen on is in use"):
            ports.require_free("intake", port)
    ports.require_free("intake", port)


def test_free_ports_differ_and_are_free() -> None:
    """Ports given out together are all different, and all free."""
    found = ports.free(20)
    assert len(set(found)) == 20
    assert all(ports.is_free(port) for port in found)
