"""The byte parser against its oracle, the typed decoder."""

import numpy as np
import pytest
from tape_cases import UNIVERSE, FrameSource, compact, level

from lotus.manifest import Asset
from lotus.microtape.events import NULL, EventKind
from lotus.microtape.parser.frame import SURPRISE, coin_table, parse_frame
from lotus.microtape.wire.typed import typed_line

COINS = coin_table(UNIVERSE, [Asset("DOGE", 0)])


def _parse(frame: bytes) -> tuple[int, int, int, tuple[int, ...]]:
    pool = np.full(len(frame) // 8 + 300, 7, dtype=np.int64)
    buf = np.frombuffer(frame + b"\n", dtype=np.uint8)
    kind, row, time_ms, end, newline = parse_frame(buf, 0, COINS.slots, COINS.names, COINS.spec, pool, 0)
    if kind != SURPRISE:
        assert newline == len(frame)
    return kind, row, time_ms, tuple(int(value) for value in pool[:end])


@pytest.mark.compile("the first seed of a process loads the parser's kernels")
@pytest.mark.parametrize("seed", [11, 12, 13, 14, 15, 16])
def test_parser_agrees_with_the_typed_decoder_wherever_it_succeeds(seed: int) -> None:
    source, parsed = FrameSource(seed), 0
    for _ in range(1000):
        frame = source.frame().replace(b"\n", b" ")
        kind, row, time_ms, values = _parse(frame)
        if kind == SURPRISE:
            continue
        parsed += 1
        typed = typed_line(frame, COINS)
        assert typed.reason is None, frame
        if row < COINS.n_assets:
            assert (typed.line, typed.row, typed.time_ms, typed.values) == (kind, row, time_ms, values), frame
    assert parsed > 250


def test_known_values() -> None:
    book = compact("l2Book", {"coin": "SOL", "time": 5, "levels": [[level(208.98, "2345.14", 3)], []]})
    assert _parse(book) == (EventKind.BOOK, 2, 5, (1, 0, 2_089_800, 234_514, 3))
    fast = compact("l2Book", {"coin": "SOL", "time": 5, "levels": [[], []], "fast": True})
    assert _parse(fast) == (EventKind.FAST, 2, 5, (0, 0))
    bbo = compact("bbo", {"coin": "BTC", "time": 6, "bbo": [None, level(80640.0, "13.74589", 46)]})
    assert _parse(bbo) == (EventKind.BBO, 0, 6, (0, 0, 0, 806_400, 1_374_589, 46))


def test_context_values() -> None:
    ctx = {
        "funding": "-0.0000052974",
        "openInterest": "36295.80812",
        "prevDayPx": "77759.0",
        "dayNtlVlm": "4490636699.3287734985",
        "premium": "-0.0005540084",
        "oraclePx": "80684.7",
        "markPx": "80640.0",
        "midPx": "80639.55",
        "impactPxs": ["80637.2", "80640.0"],
        "dayBaseVlm": "56265.69068",
    }
    kind, row, _, values = _parse(compact("activeAssetCtx", {"coin": "BTC", "ctx": ctx}))
    assert (kind, row) == (EventKind.CTX, 0)
    assert values == (-5_297_400, 3_629_580_812, 806_847, 806_400, 1_612_791, -554_008_400, 806_372, 806_400)
    empty = {**ctx, "premium": None, "midPx": None, "impactPxs": None}
    assert _parse(compact("activeAssetCtx", {"coin": "BTC", "ctx": empty}))[3][4:] == (NULL,) * 4


@pytest.mark.parametrize(
    "data",
    [
        {"coin": "BTC", "time": 5, "levels": [[level(100.25, "1")], []]},  # finer than the price unit
        {"coin": "BTC", "time": 5, "levels": [[level(100.0, "-1")], []]},
        {"coin": "BTC", "time": 5, "levels": [[level(0.0, "1")], []]},
        {"coin": "BTC", "time": 5, "levels": [[level(100.0, "9" * 17)], []]},
        {"coin": "NOPE", "time": 5, "levels": [[], []]},
        {"coin": "BTC", "time": 5, "levels": [[level(100.0 - k, "1") for k in range(21)], []]},
        {"time": 5, "coin": "BTC", "levels": [[], []]},
    ],
)
def test_surprises_are_left_to_the_typed_decoder(data: object) -> None:
    assert _parse(compact("l2Book", data))[0] == SURPRISE
