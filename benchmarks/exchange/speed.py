"""Orders a second of the exchange's engine beside a naive matcher: `python benchmarks/exchange/speed.py [--json]`.

Both get the same script of orders, cancels, prints and books on one asset and answer with the same executions (the
tests prove it); what is printed is CPU time in this process and the ratio. Nothing is asserted as a time.
"""

import argparse
import json
import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.exchange.naive import NaiveMatcher
from benchmarks.harness import in_turn
from lotus.manifest import Asset
from lotus.trading.execution.orders import OrderGrouping, Side
from lotus_venues.local_exchange.engine.exchange import Engine
from lotus_venues.local_exchange.engine.market import Listing
from lotus_venues.local_exchange.engine.values import OrderRequest
from lotus_venues.local_exchange.requests.wire_out import number

OWNERS = ("ann", "bob", "cid")
MID, TICK, LEVELS = 1_000_000, 10, 20
Step = tuple[Any, ...]


def script_of(steps: int, seed: int = 7) -> list[Step]:
    """Return a script: of ten steps six orders (half of them crossing), two cancels, a print and a book."""
    draw, script = random.Random(seed), []
    for number_of in range(steps):
        side, lots = draw.choice((1, -1)), draw.randint(20, 400)
        match draw.randrange(10):
            case 0:
                sizes = [draw.randint(100, 2_000) for _ in range(2 * LEVELS)]
                bids = [(MID - TICK * (i + 1), n) for i, n in enumerate(sizes[:LEVELS])]
                asks = [(MID + TICK * (i + 1), n) for i, n in enumerate(sizes[LEVELS:])]
                script.append(("book", bids, asks))
            case 1:
                script.append(("print", side, MID + side * TICK, lots))
            case 2 | 3:
                script.append(("cancel", draw.randint(0, max(1, number_of // 2))))
            case _:
                away = draw.randint(-3, 12)
                script.append(("order", draw.choice(OWNERS), side, MID - side * TICK * away, lots))
    return script


def run_engine(script: Sequence[Step]) -> int:
    """Play a script on the engine, checks of margin and accounts included; return the number of orders."""
    engine = Engine([Listing(Asset("BTC", 5), 40)])
    for owner in OWNERS:
        engine.deposit(owner, 10**15)
    engine.advance(1_000)
    engine.on_context(0, MID, MID, 0)
    oids: list[tuple[str, int]] = []
    for now, step in enumerate(script, 1_001):
        match step:
            case ("book", bids, asks):
                engine.on_book(0, bids, asks, now, whole=True)
            case ("print", side, px, lots):
                engine.on_trade(0, Side(side), px, lots, now, now)
            case ("cancel", index):
                if index < len(oids):
                    engine.cancel(oids[index][0], 0, oids[index][1])
            case ("order", owner, side, px, lots):
                request = OrderRequest(0, side > 0, number(px, 1), number(lots, 5), False, "Gtc")
                (answer,) = engine.place(owner, [request], OrderGrouping.NONE)
                if answer.order is not None:
                    oids.append((owner, answer.order.oid))
        engine.drain()
    return len(oids)


def run_naive(script: Sequence[Step]) -> int:
    """Play a script on the naive matcher, which knows no accounts; return the number of orders."""
    naive, count = NaiveMatcher(), 0
    for step in script:
        match step:
            case ("book", bids, asks):
                naive.show(bids, asks)
            case ("print", side, px, lots):
                naive.print_at(side, px, lots)
            case ("cancel", index):
                naive.cancel(index + 1)
            case ("order", owner, side, px, lots):
                count += 1
                naive.place(owner, count, side, px, lots, rests=True)
    return count


def measure(steps: int, repeats: int) -> dict[str, float]:
    """Return orders per CPU second of both and their ratio."""
    script = script_of(steps)
    orders = run_engine(script)
    calls: tuple[Callable[[], int], ...] = (lambda: run_engine(script), lambda: run_naive(script))
    ours, naive = in_turn(repeats, *calls)
    return {
        "steps": steps,
        "orders": orders,
        "engine_orders_per_s": orders / ours.typical,
        "naive_orders_per_s": orders / naive.typical,
        "ratio": naive.typical / ours.typical,
        "engine_us_per_step": ours.typical / steps * 1e6,
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=5_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    words = parser.parse_args()
    figures = measure(words.steps, words.repeats)
    if words.json:
        print(json.dumps(figures))
        return
    for key, value in figures.items():
        print(f"{key:<22} {value:>12,.2f}" if key == "ratio" else f"{key:<22} {value:>12,.0f}")


if __name__ == "__main__":
    main()
