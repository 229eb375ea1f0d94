"""A tape moved in time: every time by the same span, everything else as it was."""

import json

from lotus_venues.local_exchange.shift import shifted

NS = 1_000_000
LINES = [
    (1_000 * NS, b'{"channel":"bbo","data":{"coin":"BTC","time":990,"bbo":[{"px":"1.50","sz":"2","n":1},null]}}'),
    (
        1_100 * NS,
        b'{"channel":"trades","data":[{"time":1040,"tid":7},{"time":1041,"tid":8}]}',
    ),
    (1_200 * NS, b'{"channel":"activeAssetCtx","data":{"coin":"BTC","ctx":{"markPx":"1.5"}}}'),
    (1_300 * NS, b'{"channel":"candle","data":{"t":1000,"T":1059,"s":"BTC","n":3}}'),
    (1_400 * NS, b"Websocket connection established."),
    (1_500 * NS, b'{"channel":"pong"}'),
]


def test_all_times_move_by_one_span_and_nothing_else_changes() -> None:
    moved = list(shifted(LINES, 61_000 * NS))
    assert [stamp - before for (stamp, _), (before, _) in zip(moved, LINES, strict=True)] == [60_000 * NS] * 6
    bbo, trades, context, candle, greeting, pong = (raw for _, raw in moved)
    assert bbo == LINES[0][1].replace(b"990", b"60990")
    assert [trade["time"] for trade in json.loads(trades)["data"]] == [61_040, 61_041]
    assert [trade["tid"] for trade in json.loads(trades)["data"]] == [7, 8]
    assert (context, greeting, pong) == (LINES[2][1], LINES[4][1], LINES[5][1])
    assert json.loads(candle)["data"] == {"t": 61_000, "T": 61_059, "s": "BTC", "n": 3}
    assert list(shifted([], 0)) == []
