"""The joined live step gives, line by line, what decoder and frame machine give one after the other, odd lines too."""

import numpy as np
import pytest
from tape_cases import T0, UNIVERSE, FrameSource, compact, level

from lotus.manifest import Asset, Manifest
from lotus.microtape.events import EventKind
from lotus.microtape.frames.machine import FrameMachine
from lotus.microtape.line_machine import LineMachine
from lotus.microtape.wire.decode import LIVE_BYTES, Decoder

MANIFEST = Manifest()


class Apart:
    """The oracle: the decoder, then the frame machine."""

    def __init__(self, universe: tuple[Asset, ...] = UNIVERSE) -> None:
        self.decoder, self.frames = Decoder(universe), FrameMachine(MANIFEST, universe)

    def feed(self, recv_ns: int, seq: int, raw: bytes) -> tuple[object, ...]:
        """Return everything that one line did, as plain values."""
        one = self.decoder.decode_line(recv_ns, raw, seq)
        if not one.kind:
            return 0, one.asset, [], [], [], [], []
        machine, payload = self.frames, self.decoder.pool[: one.end]
        machine.feed(recv_ns, one.time_ms, seq, one.kind, one.asset, payload)
        rows = machine.ints.tolist(), machine.floats.tobytes()
        return one.kind, one.asset, payload.tolist(), *rows, machine.quotes.tolist(), machine.gaps.tolist()


def joined(machine: LineMachine, recv_ns: int, seq: int, raw: bytes) -> tuple[object, ...]:
    """Return the same from the joined step."""
    closed = machine.feed(recv_ns, seq, raw)
    rows, frames = machine.rows[:closed], machine.frames
    if not machine.kind:
        assert not closed
        return 0, machine.asset, [], [], [], frames.quotes.tolist(), frames.gaps.tolist()
    payload = machine.decoder.pool[: machine.end].tolist()
    ints, floats = [i.tolist() for i, _ in rows], b"".join(f.tobytes() for _, f in rows)
    assert machine.gaps == len(frames.gaps)
    return machine.kind, machine.asset, payload, ints, floats, frames.quotes.tolist(), frames.gaps.tolist()


def agree(pairs: list[tuple[int, bytes]], universe: tuple[Asset, ...] = UNIVERSE) -> LineMachine:
    """Feed both, compare after every line, at the end all states and counts; return the joined machine."""
    apart, machine = Apart(universe), LineMachine(MANIFEST, universe)
    for seq, (recv_ns, raw) in enumerate(pairs):
        assert joined(machine, recv_ns, seq, raw) == apart.feed(recv_ns, seq, raw), raw[:200]
    assert machine.decoder.report() == apart.decoder.report()
    assert machine.frames.state_bytes() == apart.frames.state_bytes()
    return machine


def test_a_line_is_judged_once() -> None:
    """A venue time that nothing confirms is not confirmed by the same line asked a second time."""
    bbo = [level(99.0, "1"), level(100.0, "1")]
    times = [T0, T0 + 240_000, T0 + 1_000]
    pairs = [
        (T0 * 1_000_000 + k, compact("bbo", {"coin": "BTC", "time": at, "bbo": bbo})) for k, at in enumerate(times)
    ]
    assert agree(pairs).decoder.report().reasons == {"time_ahead": 1}


@pytest.mark.parametrize("seed", range(6))
def test_both_agree_on_random_tape_with_odd_lines(seed: int) -> None:
    pairs = FrameSource(seed).lines(3000)
    kinds = agree(pairs).decoder.report().kinds
    assert set(kinds) >= {"book", "fast", "bbo", "trades", "ctx", "quarantine"}


def test_frames_with_newlines_inside_are_taken_as_the_tape_will_show_them() -> None:
    regular = compact("bbo", {"coin": "BTC", "time": T0, "bbo": [level(100, 1), level(101, 1)]})
    split = regular.replace(b',"time"', b',\n"time"')
    two = regular + b"\n" + regular
    pairs = [(T0 * 1_000_000 + k, raw) for k, raw in enumerate((regular, split, regular + b"\n", two, b"", b"\n"))]
    report = agree(pairs).decoder.report()
    assert report.kinds == {"bbo": 3, "quarantine": 1, "blank": 2}


def test_a_frame_larger_than_the_room_of_the_byte_parser_is_taken_by_the_typed_one() -> None:
    def prints(count: int, first: int) -> bytes:
        one = {"coin": "BTC", "side": "B", "px": "100.0", "sz": "1.0", "time": T0, "hash": "0x0"}
        return compact("trades", [one | {"tid": first + k, "users": ["0xa", "0xb"]} for k in range(count)])

    small, large = prints(2, 0), prints(20_000, 10)
    assert len(large) > LIVE_BYTES
    machine = agree([(T0 * 1_000_000 + k, raw) for k, raw in enumerate((small, large, prints(1, 50_000)))])
    assert machine.kind == EventKind.TRADES
    assert machine.end == 5


def test_counts_of_the_line_before_do_not_stay() -> None:
    bbo = {"coin": "BTC", "bbo": [level(100, 1), level(101, 1)]}
    machine = LineMachine(MANIFEST, UNIVERSE)
    machine.feed(T0 * 1_000_000, 0, compact("bbo", bbo | {"time": T0}))
    assert machine.feed(T0 * 1_000_000 + 1, 1, compact("bbo", bbo | {"time": T0 + 1_000})) == 5
    assert machine.feed(T0 * 1_000_000 + 2, 2, b'{"channel":"pong"}') == 0
    assert machine.kind == machine.gaps == len(machine.frames.quotes) == len(machine.frames.ints) == 0
    assert np.all(np.diff([row.item(1) for row, _ in machine.rows[:5]]) == 1)
