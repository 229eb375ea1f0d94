"""From a span's path to the venue's frames: quotes, books, trades, contexts, and the life of a connection.

Receive stamps are drawn here. `render` stops when its buffer is nearly full and goes on from its state, so a span of
any length fits any memory. What stands in the book is `book`'s business, how it is spelt `wire_text`'s.
"""

import numpy as np

from lotus.jit import allocating_kernel, kernel
from lotus.simulation.book import EXTRA, STAMP, TRADE, evolve, fill, remember, show, trade, trade_lots
from lotus.simulation.layout import (
    LATE_BYTES,
    LATE_SLOTS,
    REPLAYED,
    RING,
    At,
    Bytes,
    Ints,
    Now,
    Rate,
    SpanLayout,
    Stream,
    Trait,
    WriterState,
)
from lotus.simulation.rng import below
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

MARGIN = 1 << 18  # bytes one block may need at most
LATENCY_US, LATENCY_JITTER_US, LATENCY_SPIKE_US = 270_000, 60_000, 600_000
_PONG_TEXT = text_bytes('{"channel":"pong"}\n')
_BID, _SPREAD, _SWEEP = int(At.BID), int(At.SPREAD), int(At.SWEEP)
_BASIS, _FUNDING, _INTEREST = int(At.BASIS), int(At.FUNDING), int(At.INTEREST)
_TICK, _TOP_LOTS = int(Trait.TICK), int(Trait.TOP_LOTS)
_PREV_DAY, _LENGTH = int(Trait.PREV_DAY), int(Trait.COIN_LENGTH)
_FAST, _SLOW, _CTX, _PONG = int(Rate.FAST), int(Rate.SLOW), int(Rate.CTX), int(Rate.PONG)
_RESIZE, _TRADE_RATE, _LATE = int(Rate.RESIZE_Q8), int(Rate.TRADE_Q10), int(Rate.LATE_Q10)
_QUOTE, _SIDE, _TRADES = int(Now.QUOTE), int(Now.SIDE), int(Now.TRADES)
_VOLUME, _NOTIONAL = int(Now.VOLUME), int(Now.NOTIONAL)
_UNIT = 10_000_000_000


def new_state(random: Stream, feed: SpanLayout) -> WriterState:
    """Return the state at the start of a span: filled books and 30 trades from before the connect."""
    assets = feed.traits.shape[0]
    state = WriterState(
        random,
        np.zeros((assets, 2, RING), dtype=np.int64),
        np.zeros((assets, len(Now) + 5), dtype=np.int64),
        np.zeros((2, 2, LEVELS), dtype=np.int64),
        np.zeros((assets, REPLAYED, TRADE_FIELDS), dtype=np.int64),
        np.zeros((LEVELS, TRADE_FIELDS), dtype=np.int64),
        np.zeros((LATE_SLOTS, LATE_BYTES), dtype=np.uint8),
        np.zeros((LATE_SLOTS, 2), dtype=np.int64),
        np.zeros(2, dtype=np.int64),
    )
    for a in range(assets):
        fill(random, state.levels[a])
        state.now[a, _SIDE] = 1
        _past_trades(random, state.memory[a], state.now[a], feed.path[0, a], feed.traits[a], int(feed.time_ms[0]))
    return state


@kernel
def _past_trades(random: Stream, memory: Ints, now: Ints, at: Ints, trait: Ints, time_ms: int) -> None:
    for i in range(REPLAYED):
        side = 1 - 2 * below(random, TRADE, 2)
        px = (at[_BID] + (at[_SPREAD] if side > 0 else 0)) * trait[_TICK]
        when = time_ms - (REPLAYED - i) * 900 + below(random, TRADE, 800)
        remember(random, memory, now, px, trade_lots(random, trait[_TOP_LOTS]), side, when)


@kernel
def _stamp(out: Bytes, pos: int, random: Stream, clock: Ints) -> int:
    """Advance the receive clock a little and start a line."""
    clock[0] += 20 + below(random, STAMP, 60)
    return put_stamp(out, pos, clock[0] * 1000)


@kernel
def _send_late(out: Bytes, pos: int, random: Stream, clock: Ints, late: Bytes, late_state: Ints, k: int) -> int:
    for slot in range(LATE_SLOTS):
        length = late_state[slot, 0]
        if length > 0 and late_state[slot, 1] <= k:
            pos = _stamp(out, pos, random, clock)
            pos = put(out, pos, late[slot, :length])
            late_state[slot, 0] = 0
    return pos


@kernel
def _hold_back(late: Bytes, late_state: Ints, due: int, coin: Bytes, prints: Ints, count: int, trait: Ints) -> bool:
    """Keep a trades message in a free slot until block `due`; False when none is free."""
    for slot in range(LATE_SLOTS):
        if late_state[slot, 0] == 0:
            late_state[slot, 0] = put_trades(late[slot], 0, coin, prints, count, trait)
            late_state[slot, 1] = due
            return True
    return False


@allocating_kernel
def _connect(out: Bytes, pos: int, state: WriterState, feed: SpanLayout) -> int:
    """Write the acknowledgements and every asset's replay of its last trades."""
    first = 0
    for end in feed.ack_ends:
        pos = _stamp(out, pos, state.random, state.clock)
        pos = put(out, pos, feed.acks[first:end])
        first = end
    replay = np.empty((REPLAYED, TRADE_FIELDS), dtype=np.int64)
    for a in range(feed.traits.shape[0]):
        for i in range(REPLAYED):
            for field in range(TRADE_FIELDS):
                replay[i, field] = state.memory[a, (state.now[a, _TRADES] + i) % REPLAYED, field]
        coin, trait = feed.coins[a, : feed.traits[a, _LENGTH]], feed.traits[a]
        pos = _stamp(out, pos, state.random, state.clock)
        pos = put_trades(out, pos, coin, replay, REPLAYED, trait)
    return pos


@kernel
def _new_quote(now: Ints, shown: Ints, at: Ints, tick: int) -> bool:
    """Put the best quotes into `now`; tell whether anything changed."""
    same = True
    for side in range(2):
        px = (at[_BID] + (at[_SPREAD] if side == 1 else 0)) * tick
        lots, orders, column = shown[side, 0, 0], shown[side, 1, 0], _QUOTE + 3 * side
        same = same and now[column] == px and now[column + 1] == lots and now[column + 2] == orders
        now[column], now[column + 1], now[column + 2] = px, lots, orders
    return not same


@allocating_kernel
def _send_ctx(out: Bytes, pos: int, coin: Bytes, now: Ints, at: Ints, trait: Ints) -> int:
    ctx = np.empty(11, dtype=np.int64)
    bid, ask = now[_QUOTE], now[_QUOTE + 3]
    mid = (bid + ask) // 2
    oracle = mid - (mid * at[_BASIS] + _UNIT // 2) // _UNIT
    ctx[0], ctx[1], ctx[2], ctx[3] = at[_FUNDING], at[_INTEREST], trait[_PREV_DAY], now[_NOTIONAL]
    ctx[4], ctx[5], ctx[6], ctx[7] = (mid - oracle) * _UNIT // oracle, oracle, mid, mid
    ctx[8], ctx[9], ctx[10] = bid - trait[_TICK] * 2, ask + trait[_TICK] * 2, now[_VOLUME]
    return put_ctx(out, pos, coin, ctx, trait)


@kernel
def _send_asset(
    out: Bytes, pos: int, state: WriterState, feed: SpanLayout, a: int, k: int, count: int, fresh: bool
) -> int:
    """Write what one asset sends in block k: trades, quote, books, context."""
    random, clock, rates = state.random, state.clock, feed.rates
    at, trait, now, levels = feed.path[k, a], feed.traits[a], state.now[a], state.levels[a]
    coin, time_ms, shown = feed.coins[a, : trait[_LENGTH]], feed.time_ms[k], state.shown
    phase = k + 2 * a
    if count > 0:
        held = at[_SWEEP] == 0 and below(random, EXTRA, 1024) < rates[_LATE]
        due = k + rates[_FAST] * (2 + below(random, EXTRA, 5))
        if not (held and _hold_back(state.late, state.late_state, due, coin, state.prints, count, trait)):
            pos = _stamp(out, pos, random, clock)
            pos = put_trades(out, pos, coin, state.prints, count, trait)
    slow = fresh or phase % rates[_SLOW] == 0
    fast = fresh or phase % rates[_FAST] == 0
    show(shown, levels, now, at, trait[_TOP_LOTS], LEVELS if slow else (5 if fast else 1))
    if _new_quote(now, shown, at, trait[_TICK]) or fresh:
        pos = _stamp(out, pos, random, clock)
        pos = put_bbo(out, pos, coin, time_ms, now[_QUOTE : _QUOTE + 6], trait)
    for form in range(0 if fast else 1, 2 if slow else 1):
        pos = _stamp(out, pos, random, clock)
        pos = put_book(out, pos, coin, time_ms, now[_QUOTE], now[_QUOTE + 3], shown, LEVELS if form else 5, trait)
    if fresh or phase % rates[_CTX] == 0:
        pos = _stamp(out, pos, random, clock)
        pos = _send_ctx(out, pos, coin, now, at, trait)
    return pos


@kernel
def _receive(random: Stream, clock: Ints, time_ms: int) -> None:
    """Move the receive clock to a block's arrival: steady latency, jitter, a spike now and then, never back."""
    latency = LATENCY_US + below(random, STAMP, LATENCY_JITTER_US)
    if below(random, STAMP, 256) == 0:
        latency += below(random, STAMP, LATENCY_SPIKE_US)
    clock[0] = max(clock[0], time_ms * 1000 + latency)


@kernel
def _tick_asset(state: WriterState, feed: SpanLayout, a: int, k: int) -> int:
    """Trade and evolve one asset's book into block k; return the number of trades."""
    before, at, trait = feed.path[max(k - 1, 0), a], feed.path[k, a], feed.traits[a]
    now, levels = state.now[a], state.levels[a]
    if at[_SWEEP] != 0:
        show(state.shown, levels, now, before, trait[_TOP_LOTS], LEVELS)
    count = trade(
        state.random, state.prints, state.memory[a], now, before, at, trait, state.shown,
        feed.time_ms[k], feed.rates[_TRADE_RATE],
    )  # fmt: skip
    evolve(state.random, levels, now, before, at, feed.rates[_RESIZE])
    return count


@kernel
def render(out: Bytes, first: int, stop: int, state: WriterState, feed: SpanLayout) -> tuple[int, int]:
    """Write blocks `first` to `stop` (or until the buffer is full); return (next block, bytes written)."""
    pos, assets, clock = 0, feed.traits.shape[0], state.clock
    for k in range(first, stop):
        if pos + MARGIN > out.size:
            return k, pos
        _receive(state.random, clock, feed.time_ms[k])
        fresh = k == feed.connects[clock[1], 1]
        silent = feed.connects[clock[1], 0] <= k < feed.connects[clock[1], 1]
        if fresh:
            pos = _connect(out, pos, state, feed)
            clock[1] += 1
        if not silent:
            pos = _send_late(out, pos, state.random, clock, state.late, state.late_state, k)
            if k > 0 and k % feed.rates[_PONG] == 0:
                pos = put(out, _stamp(out, pos, state.random, clock), _PONG_TEXT)
        for i in range(assets):
            a = (i + k) % assets
            count = _tick_asset(state, feed, a, k)
            if not silent:
                pos = _send_asset(out, pos, state, feed, a, k, count, fresh)
    return stop, pos
