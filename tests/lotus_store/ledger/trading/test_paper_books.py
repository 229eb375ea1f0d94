"""A paper account's books in the database: what was saved comes back, and goes on as if nothing happened."""

from dataclasses import replace
from decimal import Decimal

import psycopg
import pytest

from lotus.errors import LedgerError
from lotus.manifest import Asset
from lotus.timebase import NS_PER_MS
from lotus.trading.execution.orders import OrderGrouping, OrderState, TriggerKind
from lotus_store.databases import Databases
from lotus_store.ledger.trading.paper_books import KEPT_MS, PaperBooks, paper_marks
from lotus_venues.paper_account.account import PaperAccount
from lotus_venues.paper_account.money import PaperTerms
from lotus_venues.paper_account.orders import OrderForm

BTC = Asset("BTC", 5)
T0 = 1_760_000_400_000 * NS_PER_MS
PX = 1_000_000


def account() -> PaperAccount:
    made = PaperAccount((BTC,), PaperTerms(Decimal(100_000)), "run/probes-long")
    made.on_bbo(0, T0, T0 // NS_PER_MS, (PX, 5000), (PX + 10, 5000))
    return made


def group(made: PaperAccount, now_ns: int, name: str) -> None:
    """Buy with a stop beneath and a take-profit above."""
    stop = OrderForm(name + "-stop", 0, -1, 1000, PX - 90_000, reduce_only=True, trigger=PX - 30_000)
    gain = replace(stop, client_id=name + "-tp", trigger=PX + 30_000, kind=TriggerKind.TAKE_PROFIT)
    made.place(now_ns, [OrderForm(name, 0, 1, 1000, PX + 100), stop, gain], OrderGrouping.ENTRY_WITH_EXITS)


def keep(made: PaperAccount, books: PaperBooks) -> None:
    change = made.change()
    assert change is not None
    books.save(change)
    made.saved()
    made.take_events()


def test_an_account_comes_back_as_it_was_saved(databases: Databases) -> None:
    made, books = account(), PaperBooks(databases, "run/probes-long")
    assert books.load() is None
    for index in range(3):
        group(made, T0 + index, f"order{index}")
        keep(made, books)
    made.cancel(T0 + 5, ["order0-stop"])
    keep(made, books)
    again = PaperAccount((BTC,), made.terms, made.name)
    stored = books.load()
    assert stored is not None
    again.restore(dict(stored), outage=False)
    assert again.state == made.state
    assert PaperBooks(databases, "run/probes-short").load() is None
    with databases.connect("tr") as connection:
        (marks,) = paper_marks(connection).values()
    assert marks["far_micro"] < marks["mid_micro"]
    assert marks["time_ms"] == T0 // NS_PER_MS
    books.close()


def test_what_ended_long_ago_is_left_unless_something_alive_belongs_to_it(databases: Databases) -> None:
    made, books = account(), PaperBooks(databases, "a")
    group(made, T0, "tied")
    group(made, T0, "over")
    made.cancel(T0, ["tied-tp", "over-stop", "over-tp"])
    late = T0 + 2 * KEPT_MS * NS_PER_MS
    made.place(late, [OrderForm("late", 0, 1, 1000, PX + 100)])
    keep(made, books)
    stored = books.load()
    assert stored is not None
    assert {order["client_id"] for order in stored["orders"]} == {"tied-tp", "tied-stop", "late"}
    assert [fill["client_id"] for fill in stored["fills"]] == ["late"]
    made.forget(made.execution.now_ms - KEPT_MS)
    again = PaperAccount((BTC,), made.terms, made.name)
    again.restore(dict(stored), outage=False)
    assert again.state == made.state
    again.on_context(0, late + 1, PX - 40_000, PX, 0)
    assert again.state.orders["tied-stop"].state is OrderState.FILLED
    books.close()


def test_what_cannot_be_saved_is_told_and_saved_the_next_time(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, books = account(), PaperBooks(databases, "a")
    group(made, T0, "one")
    change = made.change()
    assert change is not None

    def gone(_: object) -> None:
        raise psycopg.OperationalError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(psycopg.Connection, "transaction", gone)
        with pytest.raises(LedgerError, match="cannot be saved: gone"):
            books.save(change)
    books.save(change)
    books.save(change)
    stored = books.load()
    assert stored is not None
    assert len(stored["fills"]) == 1
    books.close()
