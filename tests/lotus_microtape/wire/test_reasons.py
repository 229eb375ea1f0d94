"""One bad frame ends nothing: deep, huge, cut and arbitrary frames get the same verdict one by one and in a batch."""

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tape_cases import T0, UNIVERSE, FrameSource, compact, level, line

from lotus.errors import ConfigError
from lotus.manifest import Asset
from lotus.microtape.parser.frame import MAX_COINS, coin_table
from lotus.microtape.wire import typed
from lotus.microtape.wire.decode import Decoder, clean_frame, decode_lines
from lotus.microtape.wire.reasons import DecodeReport, LineKind, QuarantineReason

RECV = T0 * 1_000_000
GOOD = compact("bbo", {"coin": "BTC", "time": T0, "bbo": [level(100.0, 1), level(101.0, 1)]})
FORMS = (
    b'{"channel":"x","data":%b}',
    b'{"channel":"bbo","data":{"coin":"BTC","time":1,"bbo":%b}}',
    b'{"channel":"trades","data":%b}',
    b'{"channel":"l2Book","data":{"coin":"BTC","odd":%b}}',
    b'{"channel":"lotus.control","data":{"detectors":%b}}',
    b'{"odd":%b,"channel":"pong"}',
    b"%b",
)
deep_frames = st.builds(
    lambda form, n, opened, closed, cut: (form % (opened * n + closed * n))[: -cut or None],
    st.sampled_from(FORMS),
    st.sampled_from([20, 63, 64, 65, 200, 900, 1_100, 30_000]),
    st.sampled_from([b"[", b'{"a":', b'[{"a":[']),
    st.sampled_from([b"]", b"}", b"]}]", b""]),
    st.sampled_from([0, 0, 1, 7]),
)
cut_frames = st.builds(lambda seed, cut: FrameSource(seed).frame()[:cut], st.integers(0, 500), st.integers(0, 400))


def verdicts(frames: list[bytes]) -> tuple[DecodeReport, DecodeReport]:
    """Return what is counted live and in a batch; every frame is followed by a good one."""
    pairs = [(RECV + k, clean_frame(frame)) for k, frame in enumerate(f for one in frames for f in (one, GOOD))]
    live = Decoder(UNIVERSE)
    for seq, (recv_ns, frame) in enumerate(pairs):
        live.decode_line(recv_ns, frame, seq)
    return live.report(), decode_lines(b"".join(line(*pair) for pair in pairs), UNIVERSE)[1]


def far_down(depth: int, call: Callable[[], Any]) -> Any:
    """Return the value of a call made `depth` Python calls further down."""
    return call() if depth == 0 else far_down(depth - 1, call)


@given(st.lists(deep_frames | cut_frames | st.binary(max_size=60), min_size=1, max_size=4))
def test_live_and_batch_judge_alike_and_the_next_frame_is_read(frames: list[bytes]) -> None:
    live, batch = verdicts(frames)
    assert live == batch
    assert live.lines == 2 * len(frames)
    assert live.kinds["bbo"] >= len(frames)


@pytest.mark.parametrize("form", FORMS)
def test_a_deep_frame_is_bad_json(form: bytes) -> None:
    live, batch = verdicts([form % (b"[" * 1_100 + b"]" * 1_100)])
    assert live.reasons == batch.reasons == {"bad_json": 1}


@pytest.mark.parametrize("deep", [60, 64, 65, 70, 900])
def test_the_verdict_does_not_depend_on_the_stack(deep: int) -> None:
    raw = b'{"channel":"x","data":' + b"[" * deep + b"]" * deep + b"}"
    decoder = Decoder(UNIVERSE)
    room = sys.getrecursionlimit() - len(frames_below()) - 150
    kinds = {far_down(depth, lambda: decoder.decode_line(RECV, raw, 0)).line for depth in (0, room // 2, room)}
    assert kinds == {LineKind.UNKNOWN_CHANNEL if deep < 64 else LineKind.QUARANTINE}


def frames_below() -> list[object]:
    """Return the Python frames of the caller."""
    found, frame = [], sys._getframe()
    while frame is not None:
        found.append(frame)
        frame = frame.f_back  # type: ignore[assignment]
    return list(found)


def test_an_error_of_the_decoder_itself_puts_one_line_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(raw: bytes) -> Any:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(typed, "decode_frame", broken)
    live, batch = verdicts([b'{"channel":"allMids","data":{}}'])
    assert live.reasons == batch.reasons == {"unforeseen": 1}
    assert live.quarantine[0].reason is QuarantineReason.UNFORESEEN


@pytest.mark.clock("a frame of 100,000 trades was quadratic")
def test_a_frame_of_very_many_trades_is_read_in_time() -> None:
    one = {"coin": "BTC", "side": "B", "px": "100.0", "sz": "1.0", "time": T0, "hash": "0x0", "users": ["a", "b"]}
    raw = compact("trades", [one | {"tid": tid} for tid in range(60_000)])
    began = time.process_time()
    got = Decoder(UNIVERSE).decode_line(RECV, raw, 0)
    assert (got.kind, got.end) == (LineKind.TRADES, 300_000)
    assert time.process_time() - began < 10.0


def test_more_coins_than_the_index_holds_are_refused() -> None:
    coins = [Asset(f"C{k}", 2) for k in range(MAX_COINS + 1)]
    assert np.iinfo(np.int16).max == MAX_COINS
    assert coin_table(coins[1:]).n_assets == MAX_COINS
    for universe, ignored in ((coins, []), (coins[:3], coins[3:])):
        with pytest.raises(ConfigError, match=r"32768 coins.*at most 32767"):
            Decoder(universe, ignored)
