"""Typed forms of the venue's frames, channel by channel, as the wire sends them (numbers stay decimal strings).

Only shapes live here: no parsing (`wire.py`), no units, no state. Unknown keys are tolerated (the venue adds some
without notice); a missing key or another type is an error of the decoder.
"""

from typing import Any

import msgspec


class Level(msgspec.Struct, frozen=True, gc=False):
    """One price level: decimal price and size in base units, number of resting orders."""

    px: str
    sz: str
    n: int


class L2Book(msgspec.Struct, frozen=True):
    """Full snapshot of at most 20 levels a side (5 when `fast`); `spread` appears only on aggregated books."""

    coin: str
    time: int
    levels: tuple[list[Level], list[Level]]
    fast: bool = False
    spread: str | None = None


class Bbo(msgspec.Struct, frozen=True):
    """Best bid and offer; either side may be null."""

    coin: str
    time: int
    bbo: tuple[Level | None, Level | None]


class Trade(msgspec.Struct, frozen=True, gc=False):
    """One print; `side` is the aggressor (B bought from the ask, A sold to the bid), `users` = [buyer, seller]."""

    coin: str
    side: str
    px: str
    sz: str
    time: int
    tid: int
    hash: str = ""
    users: tuple[str, ...] = ()


class AssetCtx(msgspec.Struct, frozen=True, rename="camel"):
    """Context of one perpetual; premium, mid and impact prices go null together on an empty book."""

    funding: str
    open_interest: str
    oracle_px: str
    mark_px: str
    prev_day_px: str = "0.0"
    day_ntl_vlm: str = "0.0"
    premium: str | None = None
    mid_px: str | None = None
    impact_pxs: tuple[str, str] | None = None
    day_base_vlm: str = "0.0"


class ActiveAssetCtx(msgspec.Struct, frozen=True):
    """Context of one subscribed perpetual; the frame carries no time."""

    coin: str
    ctx: AssetCtx


class SpotCtx(msgspec.Struct, frozen=True, rename="camel"):
    """Context of one spot pair."""

    mark_px: str
    prev_day_px: str = "0.0"
    day_ntl_vlm: str = "0.0"
    mid_px: str | None = None
    circulating_supply: str | None = None
    total_supply: str | None = None
    day_base_vlm: str = "0.0"
    coin: str | None = None


class ActiveSpotAssetCtx(msgspec.Struct, frozen=True):
    """Context of one subscribed spot pair (the same subscription as perpetuals, another channel)."""

    coin: str
    ctx: SpotCtx


class AllMids(msgspec.Struct, frozen=True):
    """Mid prices of every coin of one dex; spot pairs appear as `@107`."""

    mids: dict[str, str]
    dex: str | None = None


class Candle(msgspec.Struct, frozen=True):
    """One bar, re-sent until it is over; final only when a later `t` arrives."""

    t: int
    T: int
    s: str
    i: str
    o: str
    c: str
    h: str
    l: str  # noqa: E741 (the venue's key)
    v: str
    n: int


class AssetCtxs(msgspec.Struct, frozen=True):
    """Contexts of all perpetuals of one dex, in the order of its universe."""

    ctxs: list[AssetCtx]
    dex: str = ""


class AllDexsAssetCtxs(msgspec.Struct, frozen=True):
    """Contexts of all dexes: (dex, contexts in the order of that dex's universe)."""

    ctxs: list[tuple[str, list[AssetCtx]]]


class FastCtx(msgspec.Struct, frozen=True, rename="camel"):
    """Changed prices of one coin; a field that is unset did not change, null means an empty book."""

    mark_px: str | msgspec.UnsetType | None = msgspec.UNSET
    mid_px: str | msgspec.UnsetType | None = msgspec.UNSET


class SubscriptionResponse(msgspec.Struct, frozen=True):
    """Acknowledgement; the echoed subscription is normalised by the venue, so match it by subset."""

    method: str
    subscription: dict[str, Any]


class PostResponse(msgspec.Struct, frozen=True):
    """Inner part of a reply to a `post` request."""

    type: str
    payload: Any = None


class PostReply(msgspec.Struct, frozen=True):
    """Reply to a `post` request by its number."""

    id: int
    response: PostResponse


class Trades(msgspec.Struct, frozen=True):
    """Prints of one frame; the first frame after a subscription replays about 30 recent ones unmarked."""

    prints: list[Trade]


class SpotAssetCtxs(msgspec.Struct, frozen=True):
    """Contexts of all spot pairs."""

    ctxs: list[SpotCtx]


class FastAssetCtxs(msgspec.Struct, frozen=True):
    """Mark and mid price per coin: all coins in the first frame, changed ones later."""

    ctxs: dict[str, FastCtx]


class ErrorFrame(msgspec.Struct, frozen=True):
    """The venue's complaint, as text."""

    text: str


class Pong(msgspec.Struct, frozen=True):
    """Answer to a JSON ping; the only channel without data."""


class Greeting(msgspec.Struct, frozen=True):
    """The plain text that some servers send on connection."""

    text: str


class DaemonFrame(msgspec.Struct, frozen=True):
    """A record that the daemon wrote into its own tape (swaps of priors and specs)."""

    data: dict[str, Any]


class Other(msgspec.Struct, frozen=True):
    """A well-formed frame of a channel Lotus does not decode: user channels and those not yet known."""

    channel: str
    data: Any
    user: bool


WireMessage = (
    L2Book
    | Bbo
    | Trades
    | ActiveAssetCtx
    | ActiveSpotAssetCtx
    | AllMids
    | Candle
    | AssetCtxs
    | AllDexsAssetCtxs
    | SpotAssetCtxs
    | FastAssetCtxs
    | SubscriptionResponse
    | PostReply
    | ErrorFrame
    | Pong
    | Greeting
    | DaemonFrame
    | Other
)
