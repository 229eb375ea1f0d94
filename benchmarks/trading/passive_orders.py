"""Orders at rest on a tape, lived twice: by the product's kernel, and by the local exchange's matching.

Both get the same orders: where each goes is worked out here once more, from quotes alone, and told to the exchange as
placings and cancels between two frames. The exchange sees the raw frames, decodes them itself, and fills what it fills.
On one coin of one exchange there is one order at a time, so that none stands in another's way. Nothing is judged here.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.entry_style import MOST_REPEGS, REPEG_EVERY_MS
from lotus.manifest import Asset, Manifest
from lotus.microtape.frames.machine import build_frames
from lotus.microtape.frames.spec import Q_SEQ
from lotus.microtape.prints import print_columns, prints_in
from lotus.microtape.wire.decode import decode_lines
from lotus.outcomes.passive import PassiveTape, Rested, passive_tape, rest
from lotus.outcomes.path import QuotePath, first_quote
from lotus.outcomes.tape_fill import lots_of, tick_units
from lotus.timebase import NS_PER_MS
from lotus.trading.execution.orders import OrderGrouping
from lotus_venues.local_exchange.engine.exchange import Engine
from lotus_venues.local_exchange.engine.market import Listing
from lotus_venues.local_exchange.engine.values import ExchangeFill, OrderRequest
from lotus_venues.local_exchange.requests.wire_out import number
from lotus_venues.local_exchange.tape import Tape

OWNER, DEPOSIT_MICRO = "0x" + "a" * 40, 10**18
LATENCY_NS = 250 * NS_PER_MS
REST_MS = 1_000  # between two orders on one coin
WAITS_MS = (7_500, 20_000)
SIZES_USD = (1_000.0, 1_000.0, 25_000.0)


@dataclass(frozen=True, slots=True)
class RawTape:
    """Stamped lines of a tape, and its coins."""

    name: str
    lines: Sequence[bytes]
    universe: tuple[Asset, ...]


@dataclass(frozen=True, slots=True, eq=False)
class CoinTape:
    """What the kernel reads of one coin, and the line numbers of its quotes."""

    tape: PassiveTape
    seq: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Orders:
    """Orders at rest on one coin, in order of time: quotes of arrival and end [n, 2], lots [n]; one side and style."""

    coin: int
    side: int
    improves: bool
    ends: NDArray[np.int64]
    lots: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Compared:
    """Lots of one order: wanted, filled by the pessimistic and the optimistic bound, filled by the exchange."""

    wanted: int
    low: int
    high: int
    exchange: int


def coin_tapes(raw: RawTape) -> list[CoinTape]:
    """Return the quotes and prints of every coin, as the product frames them."""
    events, _ = decode_lines((line + b"\n" for line in raw.lines), raw.universe)
    frames, trades = build_frames(events, Manifest(universe=raw.universe), raw.universe), prints_in(events)
    out = []
    for index, asset in enumerate(raw.universe):
        rows = frames.quotes[frames.quotes[:, 0] == index]
        path, seq = QuotePath(*(np.ascontiguousarray(rows[:, k]) for k in range(2, 8))), rows[:, Q_SEQ].copy()
        out.append(CoinTape(passive_tape(path, seq, print_columns(trades, index), asset.sz_decimals), seq))
    return out


def orders_on(coin: int, of_coin: CoinTape, side: int, improves: bool, most: int) -> Orders:
    """Return orders one after the other over the whole tape, with waits and sizes in turn."""
    stamps, quotes = of_coin.tape.quotes.recv_ns, of_coin.tape.quotes
    ends: list[tuple[int, int]] = []
    at = int(stamps[0]) + 5_000 * NS_PER_MS if len(stamps) else 0
    while len(ends) < most:
        wait = WAITS_MS[len(ends) % len(WAITS_MS)] * NS_PER_MS
        first, last = first_quote(stamps, np.array([at, at + wait + LATENCY_NS]), 2**62).tolist()
        if first < 0 or last < 0:
            break
        ends.append((first, last))
        at = int(stamps[last]) + REST_MS * NS_PER_MS
    places = np.array(ends, dtype=np.int64).reshape(-1, 2)
    px = quotes.bid_px[places[:, 0]]
    usd = np.array([SIZES_USD[k % len(SIZES_USD)] for k in range(len(places))])
    lots = np.array([lots_of(px[k : k + 1], usd[k], of_coin.tape.sz_decimals)[0] for k in range(len(places))], np.int64)
    return Orders(coin, side, improves, places, lots)


def bounds_of(of_coin: CoinTape, orders: Orders) -> tuple[Rested, Rested]:
    """Return what the kernel says of the orders."""
    n = len(orders.lots)
    sides, improves = np.full(n, orders.side), np.full(n, orders.improves)
    return rest(of_coin.tape, orders.ends, sides, improves, (orders.lots, orders.lots), LATENCY_NS)


def placings(of_coin: CoinTape, orders: Orders, k: int) -> Iterator[tuple[int, int]]:
    """Yield (quote, price) of every place that an order goes to."""
    first, last = orders.ends[k].tolist()
    quotes, side, decimals = of_coin.tape.quotes, orders.side, 6 - of_coin.tape.sz_decimals
    own = quotes.bid_px if side > 0 else quotes.ask_px

    def place_at(i: int) -> int:
        tick = int(tick_units(own[i : i + 1], decimals)[0])
        inside = orders.improves and int(quotes.ask_px[i] - quotes.bid_px[i]) >= 2 * tick
        return int(own[i]) + side * tick * inside

    px, since, sent, moves = place_at(first), int(quotes.recv_ns[first]), 0, 0
    yield first, px
    for i in range(first + 1, last):
        now = int(quotes.recv_ns[i])
        if sent:
            if now >= sent + LATENCY_NS:
                px, since, sent, moves = place_at(i), now, 0, moves + 1
                yield i, px
        elif (int(own[i]) - px) * side > 0 and moves < MOST_REPEGS and now - since >= REPEG_EVERY_MS * NS_PER_MS:
            sent = now


@dataclass(slots=True)
class _Working:
    """The order that works on a coin now: its number among the coin's, and the exchange's numbers that it had."""

    k: int
    left: int
    oid: int = 0


def exchange_fills(raw: RawTape, coins: Sequence[CoinTape], orders: Sequence[Orders]) -> list[NDArray[np.int64]]:
    """Return the lots that the exchange filled of every order, coin by coin; `orders`: one batch for each coin."""
    steps: dict[int, list[tuple[int, int, int]]] = defaultdict(list)  # line -> (batch, order, price or 0: it is over)
    for b, batch in enumerate(orders):
        seq = coins[batch.coin].seq
        for k in range(len(batch.lots)):
            for quote, px in placings(coins[batch.coin], batch, k):
                steps[int(seq[quote])].append((b, k, px))
            steps[int(seq[batch.ends[k, 1]]) - 1].append((b, k, 0))  # what came before the last quote still counts
    engine = Engine([Listing(asset) for asset in raw.universe])
    engine.deposit(OWNER, DEPOSIT_MICRO)
    tape, owners = Tape(engine), dict[int, tuple[int, int]]()
    working: dict[int, _Working] = {}
    filled = [np.zeros(len(batch.lots), np.int64) for batch in orders]

    def take_fills() -> None:
        for event in engine.drain():
            if isinstance(event, ExchangeFill) and event.oid in owners:
                b, k = owners[event.oid]
                filled[b][k] += event.lots

    for line, stamped in enumerate(raw.lines):
        stamp, _, frame = stamped.partition(b" ")
        engine.advance(int(stamp) // NS_PER_MS)
        tape.apply(frame)
        take_fills()
        for b, k, px in steps.get(line, ()):
            batch = orders[b]
            if b in working and working[b].oid:
                engine.cancel(OWNER, batch.coin, working[b].oid)
            take_fills()
            working[b] = _Working(k, int(batch.lots[k] - filled[b][k]))
            if px and working[b].left:
                asset = raw.universe[batch.coin]
                texts = number(px, asset.px_decimals), number(working[b].left, asset.sz_decimals)
                request = OrderRequest(batch.coin, batch.side > 0, *texts, reduce_only=False, tif="Alo")
                (answer,) = engine.place(OWNER, [request], OrderGrouping.NONE)
                if answer.order is not None and not answer.error:
                    working[b].oid = answer.order.oid
                    owners[answer.order.oid] = (b, k)
    return filled


def compared(raw: RawTape, most: int) -> list[Compared]:
    """Return orders of both sides and both resting styles on every coin of a tape, at most `most` a coin and kind."""
    coins, out = coin_tapes(raw), []
    for side in (1, -1):
        for improves in (False, True):
            batches = [orders_on(c, of_coin, side, improves, most) for c, of_coin in enumerate(coins)]
            fills = exchange_fills(raw, coins, batches)
            for batch, filled in zip(batches, fills, strict=True):
                low, high = bounds_of(coins[batch.coin], batch)
                rows = zip(batch.lots.tolist(), low.lots.tolist(), high.lots.tolist(), filled.tolist(), strict=True)
                out += [Compared(*row) for row in rows]
    return out
