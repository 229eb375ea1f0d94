"""A port of loopback: any free one, or a sentence that names the one that is taken."""

import errno

import pytest

from lotus_venues.listening import LOOPBACK, listen


def test_a_taken_port_is_named_and_a_free_one_is_of_loopback_alone() -> None:
    with listen(0) as server:
        host, port = server.getsockname()
        assert host == LOOPBACK
        with pytest.raises(OSError, match=f"port {port} of {LOOPBACK}") as refused:
            listen(port)
    assert refused.value.errno == errno.EADDRINUSE
    with listen(port) as again:
        assert again.getsockname()[1] == port
