"""Typed decoding of one frame from the venue's websocket: text in, `WireMessage` out, or a `WireError` that says why.

This is the one module that knows channel names. It is also the oracle of the byte parser. It must not convert units,
keep state or decide what an oddity means for the tape (`decode_typed.py`, `decode_admit.py`).
"""

import base64
import binascii
import zlib
from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec

from lotus.errors import WireError
from lotus.json_text import MAX_DEPTH, too_deep
from lotus.microtape.wire import types as w

CONTROL_CHANNEL: Final = "lotus.control"
CONTROL_PREFIX: Final = b'{"channel":"%b"' % CONTROL_CHANNEL.encode()  # as a daemon writes it: else it is no record
GREETING: Final = b"Websocket connection"  # "... established." is what was seen
MAX_LINE_BYTES: Final = 8 * 2**20  # of one line of tape, stamp and frame; the venue's longest frame is below 1 MB
MAX_INFLATED: Final = 4 * 2**20  # bytes; the whole venue's prices are far below
USER_CHANNELS: Final = frozenset(
    {
        *("orderUpdates", "userFills", "user", "userFundings", "userNonFundingLedgerUpdates", "webData2", "webData3"),
        *("activeAssetData", "userHistoricalOrders", "userTwapSliceFills", "userTwapHistory", "twapStates"),
        *("openOrders", "clearinghouseState", "spotState", "allDexsClearinghouseState", "notification"),
    }
)

T = TypeVar("T")


class MalformedJson(WireError):
    """The text is not JSON at all."""


class _Envelope(msgspec.Struct):
    channel: str
    data: msgspec.Raw = msgspec.Raw()


_ENVELOPE: Final = msgspec.json.Decoder(_Envelope)
_ANY: Final = msgspec.json.Decoder()


def _typed(form: type[T]) -> Callable[[msgspec.Raw], T]:
    return msgspec.json.Decoder(form).decode


_TRADES: Final = _typed(list[w.Trade])
_SPOT_CTXS: Final = _typed(list[w.SpotCtx])
_TEXT: Final = _typed(str)
_CONTROL: Final = _typed(dict[str, Any])
_FAST_CTXS: Final = msgspec.json.Decoder(dict[str, w.FastCtx])


def _fast_asset_ctxs(data: msgspec.Raw) -> w.FastAssetCtxs:
    try:
        packed = base64.b64decode(_TEXT(data), validate=True)
        inflater = zlib.decompressobj(wbits=-15)
        plain = inflater.decompress(packed, MAX_INFLATED)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise WireError(
            f"fastAssetCtxs data cannot be unpacked ({error})", "base64 of raw deflate", "a truncated frame"
        ) from error
    if not inflater.eof:
        raise WireError(
            "fastAssetCtxs data ends inside its deflate stream",
            f"a whole stream below {MAX_INFLATED >> 20} MB",
            "truncation",
        )
    _check_depth(plain)
    return w.FastAssetCtxs(_FAST_CTXS.decode(plain))


_CHANNELS: Final[dict[str, Callable[[msgspec.Raw], w.WireMessage]]] = {
    "l2Book": _typed(w.L2Book),
    "bbo": _typed(w.Bbo),
    "trades": lambda data: w.Trades(_TRADES(data)),
    "activeAssetCtx": _typed(w.ActiveAssetCtx),
    "activeSpotAssetCtx": _typed(w.ActiveSpotAssetCtx),
    "allMids": _typed(w.AllMids),
    "candle": _typed(w.Candle),
    "assetCtxs": _typed(w.AssetCtxs),
    "allDexsAssetCtxs": _typed(w.AllDexsAssetCtxs),
    "spotAssetCtxs": lambda data: w.SpotAssetCtxs(_SPOT_CTXS(data)),
    "fastAssetCtxs": _fast_asset_ctxs,
    "subscriptionResponse": _typed(w.SubscriptionResponse),
    "post": _typed(w.PostReply),
    "error": lambda data: w.ErrorFrame(_TEXT(data)),
    CONTROL_CHANNEL: lambda data: w.DaemonFrame(_CONTROL(data)),
}


def decode_frame(raw: bytes) -> tuple[str, w.WireMessage]:
    """Return (channel, typed message) of one frame; the greeting has the channel "greeting".

    Raises `MalformedJson` when the text is not JSON or nested deeper than `MAX_DEPTH`, and `WireError` when a channel's
    data has another form.
    """
    if not raw.startswith(b"{"):
        if raw.startswith(GREETING):
            return "greeting", w.Greeting(raw.decode("utf-8", "replace"))
        raise MalformedJson(f"frame starts with {raw[:20]!r}", "a JSON object", "a truncated or foreign line")
    _check_depth(raw)
    try:
        envelope = _ENVELOPE.decode(raw)
    except msgspec.ValidationError as error:
        raise WireError(f"frame without a channel ({error})", '{"channel": ..., "data": ...}') from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedJson(f"frame is not JSON ({error})", "one JSON object a line", "a truncated line") from error
    channel = envelope.channel
    if channel == "pong":
        return channel, w.Pong()
    try:
        return channel, _by_channel(channel, envelope.data)
    except msgspec.ValidationError as error:
        raise WireError(
            f"channel {channel} has another form ({error})", "the form of the channel", "a change at the venue"
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedJson(f"data of channel {channel} is not JSON ({error})", "JSON", "a truncated line") from error


def _check_depth(raw: bytes) -> None:
    if too_deep(raw):
        raise MalformedJson(f"frame nested deeper than {MAX_DEPTH}", "the venue's forms", "a foreign or hostile line")


def _by_channel(channel: str, data: msgspec.Raw) -> w.WireMessage:
    reader = _CHANNELS.get(channel)
    if reader is not None:
        return reader(data)
    return w.Other(channel, _ANY.decode(data) if bytes(data) else None, channel in USER_CHANNELS)
