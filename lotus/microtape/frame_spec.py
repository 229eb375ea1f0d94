"""The frame tables: every column of a 200 ms frame with its formula, unit and null rule, and the tables beside it.

This page is the definition; the kernels of `frame_book` and `frame_close` compute exactly what is written here, and
the schema of the lake and the documentation come from it. No computation belongs here. The literature's words: time
bars, order-book imbalance, micro-price, realised volatility, order-flow imbalance.

Notation: b, a = best bid and ask price, B, A = their sizes, all of the newest top of book by venue time (BBO and both
book forms); mid = (a + b) / 2; "end" = the state when the frame closes; a frame is [end_ms - cadence, end_ms).
A null is NaN (`mid2`: 0). Trailing ranks and medians come from a histogram of 64 quarter-octave bins whose weight
halves every 20 minutes; they never see the frame they are applied to. Nothing remembers more than 2 h.
"""

from typing import Final

from lotus.columns import Column, TableSpec

LATE: Final[int] = 1  # a message older than the frame was counted in it
STALE_BOOK: Final[int] = 2  # the 20-level book is missing or older than 12 s
STALE_CTX: Final[int] = 4  # open interest, funding and oracle are missing or older than 5 s
NO_QUOTE: Final[int] = 8  # no two-sided top of book at the end of the frame
CROSSED: Final[int] = 16  # a crossed quote or book arrived in the frame and was left out
GAP_BEFORE: Final[int] = 32  # first frame after a gap
WARMUP: Final[int] = 64  # less than 60 s since the state was born: rolling columns are young

INT_COLUMNS: Final[tuple[Column, ...]] = (
    Column("asset", "i2", "index", "position in the universe", low=0),
    Column("frame_idx", "i8", "frames", "end_ms // cadence"),
    Column("end_ms", "i8", "ms UTC", "end of the frame, venue time; the frame holds what came before it"),
    Column("close_recv_ns", "i8", "ns UTC", "receive stamp of the message that closed the frame"),
    Column("close_seq", "i8", "line", "line number of the message that closed the frame"),
    Column(
        "quality", "u4", "bits", "LATE 1, STALE_BOOK 2, STALE_CTX 4, NO_QUOTE 8, CROSSED 16, GAP_BEFORE 32, WARMUP 64"
    ),
    Column("mid2", "i8", "half price units", "a + b in integer price units; 0 without a quote", low=0),
)

FLOAT_COLUMNS: Final[tuple[Column, ...]] = (
    Column(
        "mid",
        "f8",
        "price units",
        "(a + b) / 2 in integer price units; null without a quote",
        nullable=True,
        low=0,
    ),
    Column(
        "ret_bps",
        "f8",
        "bps",
        "1e4 (mid - mid') / mid', mid' of the frame before; null unless both exist",
        nullable=True,
    ),
    Column(
        "micro_drift_bps",
        "f8",
        "bps",
        "1e4 (m - mid) / mid, micro-price m = (a B + b A) / (A + B)",
        nullable=True,
    ),
    Column("spread_bps", "f8", "bps", "1e4 (a - b) / mid; null without a quote", nullable=True, low=0),
    Column("imb_1", "f8", "1", "(B - A) / (B + A); null without a quote", nullable=True, low=-1, high=1),
    Column(
        "imb_5",
        "f8",
        "1",
        "same over the sizes of the first 5 levels of the newest book of either form; null before a two-sided book",
        nullable=True,
        low=-1,
        high=1,
    ),
    Column(
        "imb_10",
        "f8",
        "1",
        "same over the first 10 levels of the newest 20-level book; null before one",
        nullable=True,
        low=-1,
        high=1,
    ),
    Column(
        "depth_bid_usd",
        "f8",
        "USD",
        "sum of px sz over the bids of the newest 20-level book",
        nullable=True,
        low=0,
    ),
    Column(
        "depth_ask_usd",
        "f8",
        "USD",
        "sum of px sz over the asks of the newest 20-level book",
        nullable=True,
        low=0,
    ),
    Column(
        "depth_slope",
        "f8",
        "1/bps",
        "least-squares slope of ln(cumulative lots) on the distance from that book's mid in bps, both sides "
        "of the newest 20-level book pooled; null below 3 levels or without spread in distance",
        nullable=True,
    ),
    Column(
        "cancel_rate",
        "f8",
        "1",
        "clip((R - V) / S, 0, 1) at the top of book: R lots that left the best levels (shrunk or withdrawn), "
        "V lots traded, S lots shown (at the start, then added or uncovered); null when S = 0",
        nullable=True,
        low=0,
        high=1,
    ),
    Column(
        "sweep",
        "f8",
        "sign",
        "sign of the net lots of sweeping bursts; burst = prints of one message with one side and time, "
        "sweeping when it took >= 3 price levels or >= the trailing q99 of burst USD (after 100 bursts)",
        low=-1,
        high=1,
    ),
    Column(
        "aggr_imb",
        "f8",
        "1",
        "signed taker USD / USD of the trades counted in the frame; null without a trade",
        nullable=True,
        low=-1,
        high=1,
    ),
    Column(
        "runlen_aggr",
        "f8",
        "trades",
        "signed count of the last consecutive trades with one aggressor; 0 before one",
    ),
    Column(
        "vol_rel",
        "f8",
        "1",
        "volume_usd / trailing median of the frames that traded (null before 32 of them); 0 when nothing traded",
        nullable=True,
        low=0,
    ),
    Column("trade_n", "f8", "trades", "number of trades counted in the frame", low=0),
    Column(
        "rv_bps",
        "f8",
        "bps per sqrt(minute)",
        "sqrt(60 s / cadence * weighted mean of ret_bps^2), half-life 30 s; null before a first return",
        nullable=True,
        low=0,
    ),
    Column("oi", "f8", "base units", "open interest of the newest context; null before one", nullable=True, low=0),
    Column(
        "oi_delta",
        "f8",
        "bps",
        "1e4 (oi - oi') / oi', oi' of the frame before; null unless both exist",
        nullable=True,
    ),
    Column(
        "funding_bps_h",
        "f8",
        "bps per hour",
        "1e4 * current hourly funding rate; null before a context",
        nullable=True,
    ),
    Column(
        "basis_bps",
        "f8",
        "bps",
        "1e4 (mid - oracle) / oracle; null without a quote or oracle price",
        nullable=True,
    ),
    Column(
        "wick_up_bps",
        "f8",
        "bps",
        "rolling 60 s bar of mids (o 60 s ago, c now, h, l every mid between): 1e4 (h - max(o, c)) / c; null "
        "until the bar is full and while o or c is null",
        nullable=True,
        low=0,
    ),
    Column("wick_dn_bps", "f8", "bps", "1e4 (min(o, c) - l) / c of that bar", nullable=True, low=0),
    Column("body_bps", "f8", "bps", "1e4 (c - o) / c of that bar", nullable=True),
    Column(
        "range_pctl",
        "f8",
        "1",
        "trailing rank of that bar's range 1e4 (h - l) / c; null before 300 of them",
        nullable=True,
        low=0,
        high=1,
    ),
    Column(
        "close_loc",
        "f8",
        "1",
        "(c - l) / (h - l) of that bar, one half when h = l",
        nullable=True,
        low=0,
        high=1,
    ),
    Column("gap_flag", "f8", "0/1", "1 on the first frame after a gap", low=0, high=1),
    Column(
        "book_age_ms",
        "f8",
        "ms",
        "end_ms - venue time of the newest 20-level book; null before one",
        nullable=True,
    ),
    Column(
        "ctx_age_ms",
        "f8",
        "ms",
        "end_ms - stamp of the newest context (the largest venue time seen when it came)",
        nullable=True,
    ),
    Column("volume_usd", "f8", "USD", "sum of px sz of the trades counted in the frame", low=0),
)

MICROTAPE_FRAMES: Final = TableSpec("microtape_frames", ("asset", "frame_idx"), INT_COLUMNS + FLOAT_COLUMNS)

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
    C_RANGE_PCTL, C_CLOSE_LOC, C_GAP, C_BOOK_AGE, C_CTX_AGE, C_VOLUME,
) = range(N_FLOATS)  # fmt: skip
