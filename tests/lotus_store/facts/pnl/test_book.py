"""Every plan of the book is split into its costs, to the cent."""

from typing import Any

import numpy as np
import pytest
from book_rows import START_MS, put_book

from lotus.errors import SchemaError
from lotus.manifest import Asset, Manifest
from lotus.trading.accounts.pnl import total
from lotus.trading.accounts.pnl_styles import by_style
from lotus_store.databases import Databases
from lotus_store.facts.pnl.book import book_trades
from lotus_store.ledger.trading.decisions import judge_book, note_trigger, void_book_plans
from lotus_store.ledger.trading.plans import FillLine, book_results, note_lines

MANIFEST = Manifest(universe=(Asset("BTC", 5),))


def quotes() -> dict[str, Any]:
    """The market at whole ten seconds: mid 100, 101, 99 and 97, spread 0.2."""
    times = np.array([0, 10, 20, 30], dtype=np.int64) * 1_000_000_000 + START_MS * 1_000_000
    mids = np.array([1000, 1010, 990, 970], dtype=np.int64)
    sizes = np.ones(4, dtype=np.int64)
    return {"recv_ns": times, "time_ms": times // 1_000_000, "bid_px": mids - 1, "bid_sz": sizes, "ask_px": mids + 1,
            "ask_sz": sizes}  # fmt: skip


def test_every_plan_is_split_into_its_costs(databases: Databases) -> None:
    put_book(databases)
    with databases.connect("tr") as tr:
        results = book_results(tr, "main")
    found = book_trades(results, {"BTC": quotes()}, MANIFEST)
    assert len(book_trades([], {}, MANIFEST).trades) == 0
    with pytest.raises(SchemaError, match="no quotes of BTC"):
        book_trades(results, {}, MANIFEST)
    line = total(found.trades)
    assert (found.held, found.refused, line.trades) == (0, 1, 1)
    told = {name: round(usd / 1e6, 6) for name, usd in line.micro_usd.items()}
    # sent at 10 s (mid 101), 20 s (mid 99) and 30 s (mid 97); every fill meets half a spread of 0.1
    assert told["gross"] == pytest.approx(-0.3 * 101 + 0.1 * 99 + 0.2 * 97)
    assert told["spread"] == pytest.approx(0.06)
    assert (told["fees"], told["funding"]) == (pytest.approx(0.03), pytest.approx(0.02))
    rested, left = by_style(found.trades, found.plans)
    assert (rested.end, rested.style, rested.filled, rested.rested) == ("entry", "join, or skip", pytest.approx(0.5), 1)
    assert (left.end, left.style, left.filled, left.rested) == ("exit", "cross", pytest.approx(0.5), 0)
    cash = -0.3 * 100.2 + 0.1 * 100.9 + 0.2 * 98.9
    assert told["net"] == pytest.approx(cash - 0.03 - 0.02)


def test_both_sides_of_a_trade_between_own_accounts_keep_their_fill(databases: Databases) -> None:
    other = FillLine("local", "f0", "a probe's order", "BTC", START_MS, {})
    with databases.connect("tr") as tr:
        note_lines(tr, [], [other])
    put_book(databases)
    with databases.connect("tr") as tr:
        note_lines(tr, [], [other])
        (closed, _) = book_results(tr, "main")
        assert tr.execute("SELECT count(*) FROM tr_fills WHERE fill_id = 'f0'").fetchone() == (2,)
    assert [purpose for purpose, _, _ in closed.fills] == ["entry", "exit", "exit"]


def test_a_plan_that_our_own_machine_prevented_counts_in_no_sum(databases: Databases) -> None:
    put_book(databases)
    with databases.connect("dm") as dm:
        for plan_id, cause in (("p", ""), ("q", "halted")):
            judge_book(dm, "d", plan_id, {"outcome": "closed", "void": cause})
        note_trigger(dm, "d", {"state": "armed"})
        void = void_book_plans(dm, "main", START_MS, START_MS + 1)
        assert void_book_plans(dm, "main", START_MS + 1, START_MS + 2) == frozenset()
    assert void == {"q"}
    with databases.connect("tr") as tr:
        found = book_trades(book_results(tr, "main"), {"BTC": quotes()}, MANIFEST, void)
    assert (found.refused, len(found.void), len(found.plans)) == (0, 1, 1)
    (entered, _) = by_style(found.trades, found.plans, found.void)
    assert (entered.style, entered.line.trades, entered.void) == ("join, or skip", 1, 1)
