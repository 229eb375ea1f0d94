"""From a span's path to the venue's frames: books, quotes, trades, contexts, and the life of a connection.

Book sizes, order counts, trades and receive stamps are drawn here from streams of their own, so nothing written can
change a price. `render` stops when its buffer is nearly full and goes on from its state: any span fits any memory.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lotus.jit import kernel
from lotus.simulation.market import Path
from lotus.simulation.rng import below, next_u64
from lotus.simulation.wire_text import (
    LEVELS,
    TRADE_FIELDS,
    put,
    put_bbo,
    put_book,
    put_ctx,
    put_stamp,
    put_trades,
    text_bytes,
)

Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]
Stream = NDArray[np.uint64]

MARGIN = 1 << 18  # bytes one block may need at most
REPLAYED = 30  # trades sent again at every connect
LATE_SLOTS, LATE_BYTES = 24, 1 << 13
BOOK, TRADE, STAMP, EXTRA = range(4)  # slots of the random state
LATENCY_US, LATENCY_JITTER_US = 270_000, 60_000
_PONG = text_bytes('{"channel":"pong"}\n')
_TID_BITS = np.uint64((1 << 50) - 1)
# cumulative size grows slowly (flat) or quickly (steep) with depth; 256 = the best quote's size
_PROFILE = np.array(
    [[256 * 4 // (4 + i) for i in range(LEVELS)], [256 + 120 * i for i in range(LEVELS)]], dtype=np.int64
)


class Feed(NamedTuple):
    """What does not change during a span: int64 per asset, cadences in blocks, the text of acknowledgements."""

    coins: Bytes  # [assets, 16]
    coin_length: Ints
    tick: Ints
    top_lots: Ints
    px_decimals: Ints
    sz_decimals: Ints
    prev_day: Ints  # px units
    cadence: Ints  # fast, slow, ctx, pong in blocks
    chances: Ints  # resize of 256, trade of 1024, late of 1024
    connects: Ints  # [n, 2]: first block of silence, block of the connect
    acks: Bytes
    ack_ends: Ints


class Book(NamedTuple):
    """Everything that changes: book factors, last quotes, trade memory, delayed trades, volumes, clock."""

    random: Stream
    factor: Ints  # [assets, 2, LEVELS] in 256ths
    orders: Ints  # [assets, 2, LEVELS]
    lots: Ints  # [2, LEVELS] scratch of displayed sizes
    quote: Ints  # [assets, 6] last bbo sent
    prints: Ints  # [LEVELS, TRADE_FIELDS] scratch of one message
    memory: Ints  # [assets, REPLAYED, TRADE_FIELDS] ring of trades
    cursor: Ints  # [assets, 2]: ring position, last aggressor
    volume: Ints  # [assets, 2]: lots, 10^-6 USD
    late: Bytes  # [LATE_SLOTS, LATE_BYTES]
    late_state: Ints  # [LATE_SLOTS, 2]: length (0 = free), due block
    clock: Ints  # [2]: last receive stamp in us, next connect


def new_book(random: Stream, feed: Feed, path: Path) -> Book:
    """Return the state at the start of a span, with a filled book and 30 trades from before the connect."""
    assets = feed.tick.size
    book = Book(
        random,
        np.zeros((assets, 2, LEVELS), dtype=np.int64),
        np.zeros((assets, 2, LEVELS), dtype=np.int64),
        np.zeros((2, LEVELS), dtype=np.int64),
        np.zeros((assets, 6), dtype=np.int64),
        np.zeros((LEVELS, TRADE_FIELDS), dtype=np.int64),
        np.zeros((assets, REPLAYED, TRADE_FIELDS), dtype=np.int64),
        np.zeros((assets, 2), dtype=np.int64),
        np.zeros((assets, 2), dtype=np.int64),
        np.zeros((LATE_SLOTS, LATE_BYTES), dtype=np.uint8),
        np.zeros((LATE_SLOTS, 2), dtype=np.int64),
        np.zeros(2, dtype=np.int64),
    )
    _prepare(book, feed, path)
    return book


@kernel
def _redraw(book: Book, a: int, side: int, level: int) -> None:
    bits = below(book.random, BOOK, 1 << 20)
    book.factor[a, side, level] = 112 + 4 * (bits & 63)
    book.orders[a, side, level] = 1 + ((bits >> 6) & 7)


@kernel
def _prepare(book: Book, feed: Feed, path: Path) -> None:
    for a in range(feed.tick.size):
        for level in range(LEVELS):
            _redraw(book, a, 0, level)
            _redraw(book, a, 1, level)
        book.cursor[a, 1] = 1
        for i in range(REPLAYED):
            side = 1 - 2 * below(book.random, TRADE, 2)
            px = (path.bid[a, 0] + (path.spread[a, 0] if side > 0 else 0)) * feed.tick[a]
            time_ms = path.time_ms[0] - (REPLAYED - i) * 900 + below(book.random, TRADE, 800)
            _remember(book, a, px, _trade_lots(book, feed, a), side, time_ms)


@kernel
def _trade_lots(book: Book, feed: Feed, a: int) -> int:
    bits = below(book.random, TRADE, 1 << 16)
    lots = (int(feed.top_lots[a]) * (1 + (bits & 31)) >> 6) >> ((bits >> 5) % 7)
    return max(1, lots)


@kernel
def _remember(book: Book, a: int, px: int, lots: int, side: int, time_ms: int) -> int:
    """Store a trade in the ring; return its row."""
    row = int(book.cursor[a, 0]) % REPLAYED
    book.cursor[a, 0] += 1
    book.memory[a, row, 0] = px
    book.memory[a, row, 1] = lots
    book.memory[a, row, 2] = side
    book.memory[a, row, 3] = time_ms
    book.memory[a, row, 4] = np.int64(next_u64(book.random, TRADE) & _TID_BITS)
    return row


@kernel
def _shift(book: Book, a: int, side: int, steps: int) -> None:
    """Move one side's sizes: steps > 0 puts new levels in front, < 0 eats the front and grows the back."""
    if steps > 0:
        for i in range(LEVELS - 1, steps - 1, -1):
            book.factor[a, side, i] = book.factor[a, side, i - steps]
            book.orders[a, side, i] = book.orders[a, side, i - steps]
        for i in range(min(steps, LEVELS)):
            _redraw(book, a, side, i)
    elif steps < 0:
        for i in range(LEVELS + steps):
            book.factor[a, side, i] = book.factor[a, side, i - steps]
            book.orders[a, side, i] = book.orders[a, side, i - steps]
        for i in range(max(0, LEVELS + steps), LEVELS):
            _redraw(book, a, side, i)


@kernel
def _evolve(book: Book, feed: Feed, path: Path, a: int, k: int) -> None:
    """Bring one asset's book to block k: shift with the quotes, and let some sizes change by themselves."""
    if k > 0:
        up_bid = path.bid[a, k] - path.bid[a, k - 1]
        up_ask = up_bid + path.spread[a, k] - path.spread[a, k - 1]
        _shift(book, a, 0, up_bid)
        _shift(book, a, 1, -up_ask)
    bits = below(book.random, BOOK, 1 << 24)
    for side in range(2):
        if (bits >> (8 * side)) & 255 < feed.chances[0]:
            _redraw(book, a, side, 0)
        _redraw(book, a, side, 1 + ((bits >> 16) + 7 * side) % (LEVELS - 1))


@kernel
def _show(book: Book, feed: Feed, path: Path, a: int, k: int, depth: int) -> None:
    """Compute the displayed sizes of `depth` levels from factors, steepness and the pattern in force."""
    tilt, vacuum, steep = path.tilt[a, k], path.vacuum[a, k], path.steep[a, k]
    for side in range(2):
        toward = tilt if side == 0 else -tilt
        gone = vacuum == (1 if side == 1 else -1)
        for i in range(depth):
            lots = feed.top_lots[a] * _PROFILE[steep, i] * book.factor[a, side, i] >> 16
            if i == 0 and toward != 0:
                lots = lots * (620 if toward > 0 else 100) >> 8
            elif toward == 1 or toward == -1:
                lots = lots * (400 if toward > 0 else 160) >> 8
            if gone and i > 0:
                lots = lots * 40 >> 8
            book.lots[side, i] = max(1, lots)


@kernel
def _trade(book: Book, feed: Feed, path: Path, a: int, k: int) -> int:
    """Draw the trades of block k against the book of the block before; return their number (rows of `prints`)."""
    bits = below(book.random, TRADE, 1 << 30)
    sweep = path.sweep[a, k]
    count = 0
    if sweep != 0:
        count = 4 + bits % 3
    elif bits & 1023 < (feed.chances[1] >> (3 * path.quiet[a, k])):
        count = 1 + (1 if bits >> 10 & 3 == 0 else 0) + (1 if bits >> 12 & 3 == 0 else 0)
    if count == 0 or k == 0:
        return 0
    moved = path.bid[a, k] - path.bid[a, k - 1]
    side = sweep
    if sweep == 0:
        side = book.cursor[a, 1] if bits >> 14 & 15 < 9 else -book.cursor[a, 1]
        if moved != 0 and bits >> 18 & 3 != 0:
            side = 1 if moved > 0 else -1
    book.cursor[a, 1] = side
    best = path.bid[a, k - 1] + (path.spread[a, k - 1] if side > 0 else 0)
    for i in range(count):
        lots = _trade_lots(book, feed, a)
        if sweep != 0:
            lots = lots // 4 + book.lots[1 if side > 0 else 0, i] // 2
        px = (best + (side * i if sweep != 0 else 0)) * feed.tick[a]
        row = _remember(book, a, px, lots, side, path.time_ms[k])
        book.prints[i, :] = book.memory[a, row, :]
        book.volume[a, 0] += lots
        book.volume[a, 1] += lots * px
    return count


@kernel
def _stamp(book: Book) -> int:
    book.clock[0] += 20 + below(book.random, STAMP, 60)
    return int(book.clock[0]) * 1000


@kernel
def _send_late(out: Bytes, pos: int, book: Book, k: int) -> int:
    for slot in range(LATE_SLOTS):
        length = book.late_state[slot, 0]
        if length > 0 and book.late_state[slot, 1] <= k:
            pos = put_stamp(out, pos, _stamp(book))
            pos = put(out, pos, book.late[slot, :length])
            book.late_state[slot, 0] = 0
    return pos


@kernel
def _hold_back(book: Book, feed: Feed, a: int, k: int, count: int, coin: Bytes) -> bool:
    """Keep the message in a free slot for one to three seconds of blocks; False when none is free."""
    for slot in range(LATE_SLOTS):
        if book.late_state[slot, 0] == 0:
            book.late_state[slot, 0] = put_trades(
                book.late[slot], 0, coin, book.prints, count, feed.px_decimals[a], feed.sz_decimals[a]
            )
            book.late_state[slot, 1] = k + feed.cadence[0] * (2 + below(book.random, EXTRA, 5))
            return True
    return False


@kernel
def _connect(out: Bytes, pos: int, book: Book, feed: Feed) -> int:
    """Write the acknowledgements and every asset's replay of its last trades."""
    first = 0
    for end in feed.ack_ends:
        pos = put_stamp(out, pos, _stamp(book))
        pos = put(out, pos, feed.acks[first:end])
        first = end
    replay = np.empty((REPLAYED, TRADE_FIELDS), dtype=np.int64)
    for a in range(feed.tick.size):
        for i in range(REPLAYED):
            replay[i, :] = book.memory[a, (book.cursor[a, 0] + i) % REPLAYED, :]
        coin = feed.coins[a, : feed.coin_length[a]]
        pos = put_stamp(out, pos, _stamp(book))
        pos = put_trades(out, pos, coin, replay, REPLAYED, feed.px_decimals[a], feed.sz_decimals[a])
    return pos


@kernel
def _send_quote(out: Bytes, pos: int, book: Book, feed: Feed, path: Path, a: int, k: int, coin: Bytes) -> int:
    """Write a bbo frame if the top changed."""
    _show(book, feed, path, a, k, 1)
    top = np.empty(6, dtype=np.int64)
    top[0], top[1], top[2] = path.bid[a, k] * feed.tick[a], book.lots[0, 0], book.orders[a, 0, 0]
    top[3] = (path.bid[a, k] + path.spread[a, k]) * feed.tick[a]
    top[4], top[5] = book.lots[1, 0], book.orders[a, 1, 0]
    same = True
    for i in range(6):
        same = same and top[i] == book.quote[a, i]
        book.quote[a, i] = top[i]
    if same:
        return pos
    pos = put_stamp(out, pos, _stamp(book))
    return put_bbo(out, pos, coin, path.time_ms[k], top, feed.px_decimals[a], feed.sz_decimals[a])


@kernel
def _send_book(
    out: Bytes, pos: int, book: Book, feed: Feed, path: Path, a: int, k: int, coin: Bytes, depth: int
) -> int:
    _show(book, feed, path, a, k, depth)
    top = np.empty(2, dtype=np.int64)
    top[0] = path.bid[a, k] * feed.tick[a]
    top[1] = (path.bid[a, k] + path.spread[a, k]) * feed.tick[a]
    pos = put_stamp(out, pos, _stamp(book))
    return put_book(
        out, pos, coin, path.time_ms[k], top, feed.tick[a], book.lots, book.orders[a], depth,
        feed.px_decimals[a], feed.sz_decimals[a],
    )  # fmt: skip


@kernel
def _send_ctx(out: Bytes, pos: int, book: Book, feed: Feed, path: Path, a: int, k: int, coin: Bytes) -> int:
    ctx = np.empty(11, dtype=np.int64)
    bid = path.bid[a, k] * feed.tick[a]
    ask = bid + path.spread[a, k] * feed.tick[a]
    mid = (bid + ask) // 2
    oracle = mid - (mid * path.basis[a, k] + 5_000_000_000) // 10_000_000_000
    ctx[0], ctx[1], ctx[2], ctx[3] = path.funding[a, k], path.interest[a, k], feed.prev_day[a], book.volume[a, 1]
    ctx[4] = (mid - oracle) * 10_000_000_000 // oracle
    ctx[5], ctx[6], ctx[7], ctx[8], ctx[9] = oracle, mid, mid, bid - feed.tick[a] * 2, ask + feed.tick[a] * 2
    ctx[10] = book.volume[a, 0]
    pos = put_stamp(out, pos, _stamp(book))
    return put_ctx(out, pos, coin, ctx, feed.px_decimals[a], feed.sz_decimals[a])


@kernel
def _send_asset(
    out: Bytes, pos: int, book: Book, feed: Feed, path: Path, a: int, k: int, count: int, fresh: bool
) -> int:
    """Write what one asset sends in block k: trades, quote, books, context."""
    coin = feed.coins[a, : feed.coin_length[a]]
    phase = k + 2 * a
    if count > 0:
        held = below(book.random, EXTRA, 1024) < feed.chances[2] and path.sweep[a, k] == 0
        if not (held and _hold_back(book, feed, a, k, count, coin)):
            pos = put_stamp(out, pos, _stamp(book))
            pos = put_trades(out, pos, coin, book.prints, count, feed.px_decimals[a], feed.sz_decimals[a])
    pos = _send_quote(out, pos, book, feed, path, a, k, coin)
    if fresh or phase % feed.cadence[0] == 0:
        pos = _send_book(out, pos, book, feed, path, a, k, coin, 5)
    if fresh or phase % feed.cadence[1] == 0:
        pos = _send_book(out, pos, book, feed, path, a, k, coin, LEVELS)
    if fresh or phase % feed.cadence[2] == 0:
        pos = _send_ctx(out, pos, book, feed, path, a, k, coin)
    return pos


@kernel
def render(out: Bytes, first: int, book: Book, feed: Feed, path: Path) -> tuple[int, int]:
    """Write blocks from `first` on until the span or the buffer ends; return (next block, bytes written)."""
    pos = 0
    assets, blocks = path.bid.shape
    for k in range(first, blocks):
        if pos + MARGIN > out.size:
            return k, pos
        latency = LATENCY_US + below(book.random, STAMP, LATENCY_JITTER_US)
        if below(book.random, STAMP, 256) == 0:
            latency += below(book.random, STAMP, 600_000)
        book.clock[0] = max(book.clock[0], path.time_ms[k] * 1000 + latency)
        fresh = k == feed.connects[book.clock[1], 1]
        silent = feed.connects[book.clock[1], 0] <= k < feed.connects[book.clock[1], 1]
        if fresh:
            pos = _connect(out, pos, book, feed)
            book.clock[1] += 1
        if not silent:
            pos = _send_late(out, pos, book, k)
            if k > 0 and k % feed.cadence[3] == 0:
                pos = put(out, put_stamp(out, pos, _stamp(book)), _PONG)
        for i in range(assets):
            a = (i + k) % assets
            if path.sweep[a, k] != 0:
                _show(book, feed, path, a, max(k - 1, 0), LEVELS)
            count = _trade(book, feed, path, a, k)
            _evolve(book, feed, path, a, k)
            if not silent:
                pos = _send_asset(out, pos, book, feed, path, a, k, count, fresh)
    return blocks, pos
