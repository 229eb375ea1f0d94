"""The frame tables: every column of a 200 ms frame with its formula, unit, null rule, range and warm-up.

This page is the definition; the kernels of `book` and `close` compute exactly what is written here, and
the schema of the lake, the page `docs/reference/frames.md` and the generated tests come from it. No computation
belongs here. The literature's words: time bars, order-book imbalance, micro-price, realised volatility, order-flow
imbalance.

Notation: b, a = best bid and ask price, B, A = their sizes, all of the newest top of book by venue time (BBO and both
book forms); mid = (a + b) / 2; "end" = the state when the frame closes; a frame is [end_ms - cadence, end_ms).
A null is NaN (`mid2`: 0). Trailing ranks and medians come from a histogram of 64 quarter-octave bins whose weight
halves every 20 minutes; they never see the frame they are applied to. Nothing remembers more than 2 h.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lotus.columns import Column, TableSpec

LATE: Final[int] = 1
STALE_BOOK: Final[int] = 2
STALE_CTX: Final[int] = 4
NO_QUOTE: Final[int] = 8
CROSSED: Final[int] = 16
GAP_BEFORE: Final[int] = 32
WARMUP: Final[int] = 64

QUALITY_BITS: Final[tuple[tuple[str, int, str], ...]] = (
    ("LATE", LATE, "a message or print older than the frame was counted in it"),
    ("STALE_BOOK", STALE_BOOK, "the 20-level book is missing or older than 12 s"),
    ("STALE_CTX", STALE_CTX, "open interest, funding and oracle are missing or older than 5 s"),
    ("NO_QUOTE", NO_QUOTE, "no two-sided top of book at the end of the frame"),
    (
        "CROSSED",
        CROSSED,
        "a crossed quote or book was left out: it came in the frame, or before it and none since that is not",
    ),
    ("GAP_BEFORE", GAP_BEFORE, "first frame after a gap"),
    ("WARMUP", WARMUP, "less than 60 s since the state was born: rolling columns are young"),
)


class Null(StrEnum):
    """When a column is null, and never else."""

    NEVER = "never"
    QUOTE = "without a two-sided quote at the end"
    SIZE = "without a two-sided quote at the end, or when A + B = 0"
    RETURN = "unless this frame and the one before it end with a two-sided quote"
    ANY_RETURN = "before the first `ret_bps` since birth"
    SHOWN = "when no lots were shown"
    NEAR = "before a book of either form, and while the newest has an empty side or no size"
    DEEP_SIDES = "before a 20-level book, and while the newest has an empty side or no size"
    DEEP_SLOPE = "before a 20-level book, and while the newest has an empty side, < 3 levels or all at one distance"
    DEEP = "before a 20-level book"
    FAST = "before a 5-level book"
    CTX = "before a context"
    OI = "before a context, and while the newest has no open interest"
    OI_TWICE = "unless `oi` of this frame and the one before it are known and the latter is > 0"
    FUNDING = "before a context, and while the newest has no funding rate"
    BASIS = "without a two-sided quote at the end or an oracle price in the newest context"
    TRADED = "without traded volume"
    VWAP = "without traded volume or a two-sided quote at the end"
    VOLUME = "with traded volume, before 32 frames of this life had traded"
    BAR = "until 60 s of frames have closed, and unless o and c are known"
    RANKED = "as `body_bps`, and before 300 known bars of this life"


@dataclass(frozen=True, slots=True)
class FrameColumn:
    """One column of a frame: name, unit, formula, null rule, closed range (None: no bound), numpy dtype.

    `memory` says how far back a rolling column looks; "" for what the frame and the carried books alone decide.
    """

    name: str
    unit: str
    formula: str
    null: Null = Null.NEVER
    low: float | None = None
    high: float | None = None
    memory: str = ""
    dtype: str = "f8"

    def column(self) -> Column:
        """Return the column as the lake's schema knows it."""
        nullable = self.null is not Null.NEVER
        doc = f"{self.formula}; null {self.null}" if nullable else self.formula
        return Column(self.name, self.dtype, self.unit, doc, nullable, self.low, self.high)


FULL: Final[float] = 1e4  # 100 % in bps

INT_COLUMNS: Final[tuple[FrameColumn, ...]] = (
    FrameColumn("asset", "index", "position in the universe", low=0, dtype="i2"),
    FrameColumn("frame_idx", "frames", "end_ms // cadence", low=0, dtype="i8"),
    FrameColumn(
        "end_ms", "ms UTC", "end of the frame, venue time; the frame holds what came before it", low=0, dtype="i8"
    ),
    FrameColumn("close_recv_ns", "ns UTC", "receive stamp of the message that closed the frame", low=0, dtype="i8"),
    FrameColumn(
        "close_seq",
        "line",
        "line number of the message that closed the frame; below 0 on the evening that warms a day",
        dtype="i8",
    ),
    FrameColumn(
        "quality",
        "bits",
        "sum of " + ", ".join(f"{name} {bit}" for name, bit, _ in QUALITY_BITS),
        low=0,
        high=sum(bit for _, bit, _ in QUALITY_BITS),
        dtype="u4",
    ),
    FrameColumn("mid2", "half price units", "a + b in integer price units; 0 without a quote", low=0, dtype="i8"),
)

FLOAT_COLUMNS: Final[tuple[FrameColumn, ...]] = (
    FrameColumn("mid", "price units", "(a + b) / 2 in integer price units", Null.QUOTE, low=1.5),
    FrameColumn("ret_bps", "bps", "1e4 (mid - mid') / mid', mid' of the frame before", Null.RETURN, low=-FULL),
    FrameColumn(
        "micro_drift_bps", "bps", "1e4 (m - mid) / mid, micro-price m = (a B + b A) / (A + B)", Null.SIZE, -FULL, FULL
    ),
    FrameColumn("spread_bps", "bps", "1e4 (a - b) / mid", Null.QUOTE, low=0, high=2 * FULL),
    FrameColumn("imb_1", "1", "(B - A) / (B + A)", Null.SIZE, low=-1, high=1),
    FrameColumn(
        "imb_5", "1", "as `imb_1` over the sizes of the first 5 levels of the newest book of either form; its age is "
        "the smaller of `book_age_ms` and `fast_age_ms`", Null.NEAR, low=-1, high=1,
    ),
    FrameColumn(
        "imb_10", "1", "as `imb_1` over the first 10 levels of the newest 20-level book", Null.DEEP_SIDES, -1, 1
    ),
    FrameColumn("depth_bid_usd", "USD", "sum of px sz over the bids of the newest 20-level book", Null.DEEP, low=0),
    FrameColumn("depth_ask_usd", "USD", "sum of px sz over the asks of the newest 20-level book", Null.DEEP, low=0),
    FrameColumn(
        "depth_slope", "1/bps", "least-squares slope of ln(cumulative lots) on the distance from that book's mid in "
        "bps, both sides of the newest 20-level book pooled, levels before the first size left out", Null.DEEP_SLOPE,
    ),
    FrameColumn(
        "cancel_rate", "1", "clip((R - V) / S, 0, 1) at the top of book: R lots that left the best levels (shrunk or "
        "withdrawn), V lots traded, S lots shown (at the start, then added or uncovered)", Null.SHOWN, low=0, high=1,
    ),
    FrameColumn(
        "sweep", "sign", "sign of the net lots of sweeping bursts; burst = prints of one message with one side and "
        "time, sweeping when it took >= 3 price levels or >= the trailing q99 of burst USD (after 100 bursts)",
        low=-1, high=1, memory="half-life 20 min",
    ),
    FrameColumn(
        "aggr_imb", "1", "signed taker USD / USD of the trades counted in the frame", Null.TRADED, low=-1, high=1
    ),
    FrameColumn(
        "runlen_aggr", "trades", "signed count of the last consecutive trades with one aggressor; 0 before one",
        memory="the run",
    ),
    FrameColumn(
        "vol_rel", "1", "`volume_usd` / trailing median of the frames that traded; 0 when nothing traded", Null.VOLUME,
        low=0, memory="half-life 20 min",
    ),
    FrameColumn("trade_n", "trades", "number of trades counted in the frame", low=0),
    FrameColumn(
        "rv_bps", "bps per sqrt(minute)", "sqrt(60 s / cadence * weighted mean of `ret_bps`^2), half-life 30 s",
        Null.ANY_RETURN, low=0, memory="half-life 30 s",
    ),
    FrameColumn("oi", "base units", "open interest of the newest context", Null.OI, low=0),
    FrameColumn("oi_delta", "bps", "1e4 (oi - oi') / oi', oi' of the frame before", Null.OI_TWICE, low=-FULL),
    FrameColumn("funding_bps_h", "bps per hour", "1e4 * hourly funding rate of the newest context", Null.FUNDING),
    FrameColumn(
        "basis_bps", "bps", "1e4 (mid - oracle) / oracle, oracle price of the newest context", Null.BASIS, low=-FULL
    ),
    FrameColumn(
        "wick_up_bps", "bps", "rolling 60 s bar of mids (o 60 s ago, c now, h and l every mid between): "
        "1e4 (h - max(o, c)) / c", Null.BAR, low=0, memory="60 s",
    ),
    FrameColumn("wick_dn_bps", "bps", "1e4 (min(o, c) - l) / c of that bar", Null.BAR, 0, FULL, "60 s"),
    FrameColumn("body_bps", "bps", "1e4 (c - o) / c of that bar", Null.BAR, high=FULL, memory="60 s"),
    FrameColumn(
        "range_pctl", "1", "trailing rank of that bar's range 1e4 (h - l) / c", Null.RANKED, 0, 1, "half-life 20 min"
    ),
    FrameColumn("close_loc", "1", "(c - l) / (h - l) of that bar, one half when h = l", Null.BAR, 0, 1, "60 s"),
    FrameColumn("gap_flag", "0/1", "1 on the first frame after a gap", low=0, high=1),
    FrameColumn("book_age_ms", "ms", "end_ms - venue time of the newest 20-level book (slow form)", Null.DEEP, low=0),
    FrameColumn("fast_age_ms", "ms", "end_ms - venue time of the newest 5-level book (fast form)", Null.FAST, low=0),
    FrameColumn(
        "ctx_age_ms", "ms", "end_ms - stamp of the newest context (the largest venue time seen when it came)", Null.CTX,
        low=0,
    ),
    FrameColumn("volume_usd", "USD", "sum of px sz of the trades counted in the frame", low=0),
    FrameColumn("volume_base", "base units", "sum of sz of the trades counted in the frame", low=0),
    FrameColumn(
        "vwap_bps", "bps", "1e4 (sum of px sz / sum of sz - mid) / mid of the trades counted in the frame", Null.VWAP,
        low=-FULL,
    ),
)  # fmt: skip

MICROTAPE_FRAMES: Final = TableSpec(
    "microtape_frames", ("asset", "frame_idx"), tuple(c.column() for c in INT_COLUMNS + FLOAT_COLUMNS)
)

MICROTAPE_QUOTES: Final = TableSpec(
    "microtape_quotes",
    ("asset", "seq"),
    (
        Column("asset", "i2", "index", "position in the universe", low=0),
        Column("seq", "i8", "line", "line number of the message in its day's tape"),
        Column("recv_ns", "i8", "ns UTC", "receive stamp"),
        Column("time_ms", "i8", "ms UTC", "venue time"),
        Column(
            "bid_px", "i8", "price units", "best bid; one row per message that set the top of book, two-sided", low=1
        ),
        Column("bid_sz", "i8", "lots", "its size", low=0),
        Column("ask_px", "i8", "price units", "best ask, above the bid", low=1),
        Column("ask_sz", "i8", "lots", "its size", low=0),
    ),
)

TAPE_GAPS: Final = TableSpec(
    "tape_gaps",
    ("asset", "start_ms"),
    (
        Column("asset", "i2", "index", "position in the universe", low=0),
        Column("start_ms", "i8", "ms UTC", "largest venue time before the silence; the frame open then is not emitted"),
        Column("end_ms", "i8", "ms UTC", "venue time of the message that ended it"),
        Column("seq", "i8", "line", "line number of that message"),
    ),
)

INT_NAMES: Final = tuple(c.name for c in INT_COLUMNS)
FLOAT_NAMES: Final = tuple(c.name for c in FLOAT_COLUMNS)
N_INTS: Final[int] = len(INT_COLUMNS)
N_FLOATS: Final[int] = len(FLOAT_COLUMNS)
N_QUOTE: Final[int] = len(MICROTAPE_QUOTES.columns)
N_GAP: Final[int] = len(TAPE_GAPS.columns)

# Positions inside the integer and float rows of a frame, as kernels use them, and of a quote and a gap.
I_ASSET, I_FRAME, I_END, I_RECV, I_SEQ, I_QUALITY, I_MID2 = range(N_INTS)
Q_ASSET, Q_SEQ, Q_RECV, Q_TIME = range(4)
G_ASSET, G_START, G_END, G_SEQ = range(N_GAP)
(
    C_MID, C_RET, C_MICRO, C_SPREAD, C_IMB_1, C_IMB_5, C_IMB_10, C_DEPTH_BID, C_DEPTH_ASK, C_SLOPE, C_CANCEL, C_SWEEP,
    C_AGGR, C_RUNLEN, C_VOL_REL, C_TRADE_N, C_RV, C_OI, C_OI_DELTA, C_FUNDING, C_BASIS, C_WICK_UP, C_WICK_DN, C_BODY,
    C_RANGE_PCTL, C_CLOSE_LOC, C_GAP, C_BOOK_AGE, C_FAST_AGE, C_CTX_AGE, C_VOLUME,
    C_VOLUME_BASE, C_VWAP,
) = range(N_FLOATS)  # fmt: skip
