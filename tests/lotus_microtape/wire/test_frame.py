"""Typed decoding of every public channel, against real frames, real REST answers and hand-made ones."""

import base64
import json
import zlib

import pytest
import yaml
from tape_cases import DATA, compact

from lotus.errors import WireError
from lotus.microtape.wire import types as w
from lotus.microtape.wire.frame import MalformedJson, decode_frame


def _captured() -> list[dict[str, object]]:
    path = DATA / "hyperliquid-frames" / "frames.jsonl"
    if not path.exists():
        pytest.skip(f"captured frames {path} are not beside the checkout")
    return [json.loads(text)["frame"] for text in path.read_text().splitlines()]


@pytest.mark.recordings
def test_every_captured_frame_has_its_type() -> None:
    frames = _captured()
    kinds = [type(decode_frame(json.dumps(frame).encode())[1]) for frame in frames]
    assert len(frames) == 20
    by_channel = {
        "l2Book": w.L2Book,
        "bbo": w.Bbo,
        "trades": w.Trades,
        "activeAssetCtx": w.ActiveAssetCtx,
        "candle": w.Candle,
        "subscriptionResponse": w.SubscriptionResponse,
        "pong": w.Pong,
        "error": w.ErrorFrame,
        "userFills": w.Other,
    }
    assert kinds == [by_channel[str(frame["channel"])] for frame in frames]


@pytest.mark.recordings
def test_captured_values_survive() -> None:
    messages = [decode_frame(json.dumps(frame).encode())[1] for frame in _captured()]
    fast = messages[0]
    assert isinstance(fast, w.L2Book)
    assert fast.fast
    assert fast.levels[0][0] == w.Level("63460.0", "0.02666", 2)
    empty = next(m for m in messages if isinstance(m, w.L2Book) and m.coin == "MATIC")
    assert empty.levels == ([], [])
    nulls = next(m for m in messages if isinstance(m, w.Bbo) and m.coin == "MATIC")
    assert nulls.bbo == (None, None)
    ctx = next(m for m in messages if isinstance(m, w.ActiveAssetCtx) and m.coin == "MATIC")
    assert (ctx.ctx.premium, ctx.ctx.mid_px, ctx.ctx.impact_pxs) == (None, None, None)
    fills = next(m for m in messages if isinstance(m, w.Other))
    assert fills.user
    assert fills.data["isSnapshot"] is True


@pytest.mark.recordings
def test_rest_book_decodes_as_the_websocket_book() -> None:
    path = DATA / "hyperliquid-rest-cassettes" / "test_get_l2_snapshot.yaml"
    if not path.exists():
        pytest.skip(f"REST cassette {path} is not beside the checkout")
    body = yaml.safe_load(path.read_text())["interactions"][1]["response"]["body"]["string"]
    _, book = decode_frame(b'{"channel":"l2Book","data":' + body.encode() + b"}")
    assert isinstance(book, w.L2Book)
    assert (book.coin, len(book.levels[0]), len(book.levels[1])) == ("DYDX", 20, 20)
    assert book.levels[0][0] == w.Level("2.111", "134.4", 1)


CTX = {"funding": "0.1", "openInterest": "2", "oraclePx": "3", "markPx": "4", "midPx": None, "extra": 1}
SPOT = {"markPx": "4", "midPx": None, "coin": "@107"}


@pytest.mark.parametrize(
    ("channel", "data", "kind"),
    [
        ("allMids", {"mids": {"BTC": "29792.0", "@107": "3"}, "dex": "xyz"}, w.AllMids),
        ("assetCtxs", {"dex": "", "ctxs": [CTX, CTX]}, w.AssetCtxs),
        ("allDexsAssetCtxs", {"ctxs": [["", [CTX]], ["xyz", [CTX, CTX]]]}, w.AllDexsAssetCtxs),
        ("spotAssetCtxs", [SPOT], w.SpotAssetCtxs),
        ("activeSpotAssetCtx", {"coin": "@107", "ctx": SPOT}, w.ActiveSpotAssetCtx),
        ("post", {"id": 7, "response": {"type": "info", "payload": {"type": "l2Book", "data": {}}}}, w.PostReply),
        ("post", {"id": 8, "response": {"type": "error", "payload": "no"}}, w.PostReply),
        ("orderUpdates", [{"order": {}, "status": "open"}], w.Other),
        ("user", {"fills": []}, w.Other),
        ("outcomeMetaUpdates", {"x": 1}, w.Other),
        ("lotus.control", {"window": 3}, w.DaemonFrame),
    ],
)
def test_other_channels(channel: str, data: object, kind: type) -> None:
    name, message = decode_frame(compact(channel, data))
    assert name == channel
    assert type(message) is kind


def test_positional_contexts_keep_their_place() -> None:
    _, message = decode_frame(compact("allDexsAssetCtxs", {"ctxs": [["", [CTX]], ["xyz", [CTX, CTX]]]}))
    assert isinstance(message, w.AllDexsAssetCtxs)
    assert [(dex, len(ctxs)) for dex, ctxs in message.ctxs] == [("", 1), ("xyz", 2)]


def _packed(value: object) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(json.dumps(value).encode()) + packer.flush()


def test_fast_asset_contexts_are_unpacked() -> None:
    packed = _packed({"BTC": {"markPx": "1.5", "midPx": None}, "ETH": {"midPx": "2"}})
    _, message = decode_frame(compact("fastAssetCtxs", base64.b64encode(packed).decode()))
    assert isinstance(message, w.FastAssetCtxs)
    assert message.ctxs["BTC"].mark_px == "1.5"
    assert message.ctxs["BTC"].mid_px is None
    assert message.ctxs["ETH"].mid_px == "2"
    assert message.ctxs["ETH"].mark_px is not None  # unset: unchanged


@pytest.mark.parametrize("spoiled", ["!!!", base64.b64encode(_packed({"BTC": {}})[:-3]).decode()])
def test_damaged_fast_asset_contexts(spoiled: str) -> None:
    with pytest.raises(WireError, match="fastAssetCtxs"):
        decode_frame(compact("fastAssetCtxs", spoiled))


def test_greeting_and_bare_pong() -> None:
    assert decode_frame(b"Websocket connection established.")[0] == "greeting"
    assert decode_frame(b'{"channel":"pong"}')[1] == w.Pong()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b'{"channel":"bbo","data":{"coin":"B',
        b'{"channel":"l2Book","data":{"time":NaN}}',
        b"\xff\xfe",
        b"{}x",
    ],
)
def test_text_that_is_not_json(raw: bytes) -> None:
    with pytest.raises(WireError) as caught:
        decode_frame(raw)
    if raw != b"{}x":
        assert isinstance(caught.value, MalformedJson)


@pytest.mark.parametrize(
    ("channel", "data"),
    [
        ("l2Book", {"coin": "BTC", "levels": [[], []]}),
        ("l2Book", {"coin": "BTC", "time": 1, "levels": [[]]}),
        ("bbo", {"coin": "BTC", "time": 1, "bbo": [{"px": 1.5, "sz": "1", "n": 1}, None]}),
        ("trades", {"coin": "BTC"}),
        ("l2Book", None),
    ],
)
def test_other_forms_say_what_was_found_and_expected(channel: str, data: object) -> None:
    with pytest.raises(WireError, match=f"channel {channel} has another form.*expected.*likely cause"):
        decode_frame(compact(channel, data))
