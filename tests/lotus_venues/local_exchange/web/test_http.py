"""Many messages leave in one write, framed as the websocket's own code frames them."""

import pytest
from websockets.frames import Frame, Opcode

from lotus_venues.local_exchange.web.http import text_head


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 70_000])
def test_heads_are_those_of_the_library(size: int) -> None:
    text = b"x" * size
    assert text_head(size) + text == Frame(Opcode.TEXT, text).serialize(mask=False)
