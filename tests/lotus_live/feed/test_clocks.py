"""Clocks that stamp frames: a replayed one tells the tape from the session, the wall clock never steps back."""

import json

from tapes import frame

from lotus_live.feed.clocks import Arrival, ReplayClock
from lotus_live.feed.wall_clock import WallClock


def test_a_replayed_clock_tells_frames_of_the_tape_from_those_of_the_session() -> None:
    pong, ack = b'{"channel":"pong"}', b'{"channel":"subscriptionResponse","data":{}}'
    record = b'{"channel":"lotus.control","data":{"window_index":4}}'
    tape = [Arrival(5, 0, record), Arrival(6, 1, pong), Arrival(7, 2, b'{"a":1}'), Arrival(9, 3, record)]
    clock = ReplayClock(tape)
    assert clock.accept(b"Websocket connection established.") == (tape[0],)
    assert clock.accept(ack) == ()
    assert clock.accept(pong) == (tape[1],)
    assert clock.accept(pong) == ()
    assert clock.strangers == 0
    assert clock.accept(b'{"b":1}') == ()
    assert clock.strangers == 1
    assert clock.accept(b'{"a":1}') == (tape[2], tape[3])
    assert clock.exhausted
    assert clock.now_ns() == 9


def test_the_wall_clock_never_steps_back() -> None:
    times = iter([5, 3, 9])
    clock = WallClock(lambda: next(times), lambda: 0)
    assert [clock.accept(b"a\nb")[0] for _ in range(3)] == [(5, -1, b"a b"), (5, -1, b"a b"), (9, -1, b"a b")]
    assert json.loads(frame("x", 1)) == {"channel": "x", "data": 1}
