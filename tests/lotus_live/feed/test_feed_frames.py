"""The feed under any frame: its books survive, fragments are joined, the venue cannot speak as a daemon."""

import asyncio

from bad_frames import POISON
from tapes import UNIVERSE

from lotus.microtape.wire.decode import Decoder
from lotus.microtape.wire.reasons import QuarantineReason
from lotus_live.feed.clocks import Arrival
from lotus_live.feed.feed import Feed
from lotus_live.feed.wall_clock import WallClock


def test_the_books_of_the_feed_survive_any_frame() -> None:
    taken: list[Arrival] = []
    feed = Feed("", "", UNIVERSE, WallClock(), taken.append)
    for raw in POISON:
        feed.received(raw)
    assert [line.raw.lstrip() for line in taken] == [*POISON]
    assert feed.failure is None
    assert feed.counts.odd_frames >= 2


def test_the_venue_cannot_speak_as_a_daemon() -> None:
    (line,) = WallClock().accept(b'{"channel":"lotus.control","data":{"detectors":["a"]}}')
    assert Decoder(UNIVERSE).decode_line(1, line.raw, 0).reason is QuarantineReason.BAD_JSON


def test_fragments_are_joined_up_to_the_longest_line() -> None:
    from picows import WSMsgType

    from lotus.microtape.wire.frame import MAX_LINE_BYTES
    from lotus_live.feed.feed import _Listener

    class Piece:
        msg_type, fin = WSMsgType.CONTINUATION, False

        def get_payload_as_bytes(self) -> bytes:
            return b"x" * (MAX_LINE_BYTES // 4)

    class Socket:
        gone = False

        def disconnect(self) -> None:
            self.gone = True

    async def grow() -> tuple[bool, int]:
        listener, socket = _Listener(Feed("", "", UNIVERSE, WallClock(), print)), Socket()
        for _ in range(5):
            listener.on_ws_frame(socket, Piece())  # type: ignore[arg-type]
        return socket.gone, len(listener.parts)

    assert asyncio.run(grow()) == (True, 0)
