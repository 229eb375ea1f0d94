"""The market snapshot for the book: account, marks, and a market where the venue told its volume and open interest."""

import json
from dataclasses import dataclass, replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tapes import MANIFEST, UNIVERSE, in_order, market

from lotus.detectors.registry import shipped_detectors
from lotus.manifest import Asset
from lotus.microtape.events import Ctx, EventKind
from lotus.microtape.frames.spec import C_VOL_REL, I_ASSET, I_END, N_FLOATS, N_INTS
from lotus.trading.execution.conditions import all_hold
from lotus.trading.execution.orders import AccountSnapshot, Side
from lotus.trading.plan.plan import Authority, Condition, ConditionKind
from lotus_desk.market.snapshot import BOOK_ACCOUNT, DeskTerms, MarketSnapshot
from lotus_live.paper_desk import ProbeTrader
from lotus_live.parity import neutral_beliefs
from lotus_live.pipeline.collector import DayCollector
from lotus_live.pipeline.day_lane import LaneSpec
from lotus_live.pipeline.lines import Pipeline
from lotus_venues.ladder import Ladder

BTC, ETH = Asset("BTC", 5), Asset("ETH", 4)
NOW_MS = 1_735_689_600_000
RICH = AccountSnapshot(Decimal(100_000), Decimal(0), Decimal(100_000), (), NOW_MS)


@dataclass
class Parity:
    """Whether live and batch agreed."""

    agrees: bool = True

    def __call__(self) -> bool:
        return self.agrees


@pytest.fixture
def snapshot() -> MarketSnapshot:
    terms = DeskTerms(Decimal(1000), Decimal(300), Decimal(50_000), 5_000)
    made = MarketSnapshot((BTC, ETH), "local", terms, lambda: NOW_MS, {"BTC": 40}, parity_ok=Parity())
    made.accounts = {BOOK_ACCOUNT: RICH}
    made.held = {BOOK_ACCOUNT: {"BTC": Decimal("0.25")}}
    return made


def show_top(snapshot: MarketSnapshot, asset: int, bid: int, ask: int) -> None:
    step: Any = SimpleNamespace(kind=int(EventKind.BBO), asset=asset)
    ladder = SimpleNamespace(is_two_sided=True, bids=[(bid, 1)], asks=[(ask, 1)])
    snapshot.see(NOW_MS * 1_000_000, step, [ladder, ladder], b"")  # type: ignore[list-item]


def show_context(snapshot: MarketSnapshot, asset: int, mark: int, ctx: Any) -> None:
    payload = np.zeros(len(Ctx), dtype=np.int64)
    payload[Ctx.MARK_PX] = mark
    step: Any = SimpleNamespace(kind=int(EventKind.CTX), asset=asset, payload=payload)
    raw = json.dumps({"channel": "activeAssetCtx", "data": {"coin": "x", "ctx": ctx}}).encode()
    snapshot.see(NOW_MS * 1_000_000, step, [], raw)


def test_the_book_sees_markets_that_the_venue_described(snapshot: MarketSnapshot) -> None:
    show_top(snapshot, 0, 999_990, 1_000_010)
    show_context(snapshot, 0, 1_000_000, {"dayNtlVlm": "4000000000.5", "openInterest": "1000.5", "markPx": "1"})
    show_top(snapshot, 1, 399_999, 400_001)  # nothing was told of it but prices
    portfolio = snapshot.portfolio(BOOK_ACCOUNT)
    assert portfolio is not None
    assert (portfolio.now_ms, portfolio.equity_usd, portfolio.sizes) == (NOW_MS, 100_000.0, {"BTC": 0.25})
    assert portfolio.marks == {"BTC": 100_000.0, "ETH": 4_000.0}
    assert set(portfolio.markets) == {"BTC"}
    market = portfolio.markets["BTC"]
    assert (market.adv_usd, market.open_interest_usd, market.max_leverage) == (4000000000.5, 100_050_000.0, 40.0)
    assert market.spread_bps == pytest.approx(0.2)


@pytest.mark.parametrize("ctx", [{}, {"dayNtlVlm": None, "openInterest": "1"}, {"dayNtlVlm": "x", "openInterest": "1"}])
def test_a_context_that_says_too_little_makes_no_market(snapshot: MarketSnapshot, ctx: Any) -> None:
    show_top(snapshot, 0, 999_990, 1_000_010)
    show_context(snapshot, 0, 1_000_000, ctx)
    portfolio = snapshot.portfolio(BOOK_ACCOUNT)
    assert portfolio is not None
    assert portfolio.markets == {}


def test_without_an_account_nothing_is_seen_and_a_halt_is_told(snapshot: MarketSnapshot) -> None:
    assert snapshot.portfolio("nobody") is None
    snapshot.halted = True
    portfolio = snapshot.portfolio(BOOK_ACCOUNT)
    assert portfolio is not None
    assert portfolio.halted == "the kill switch is thrown"
    snapshot.halted, snapshot.parity_ok = False, Parity(False)
    portfolio = snapshot.portfolio(BOOK_ACCOUNT)
    assert portfolio is not None
    assert portfolio.halted == "live and batch differ"


def test_plans_of_the_book_keep_within_the_settings_budget(snapshot: MarketSnapshot) -> None:
    terms = snapshot.book_terms(Authority(BOOK_ACCOUNT, Decimal(100_000), ("local:market",)), 60_000)
    assert terms.authority == Authority(BOOK_ACCOUNT, Decimal(50_000), ("local:market",))
    assert (terms.venues, terms.hold_ms, terms.stop_bps) == (("local",), 60_000, Decimal(300))


def test_plans_see_the_levels_that_they_would_meet_and_volatility_after_a_minute(snapshot: MarketSnapshot) -> None:
    step: Any = SimpleNamespace(kind=int(EventKind.BOOK), asset=0)
    ladder: Any = SimpleNamespace(is_two_sided=True, bids=[(999_990, 3)], asks=[(1_000_010, 200_000), (1_000_020, 7)])
    for second in range(61):
        before = snapshot.account_state("BTC", BOOK_ACCOUNT).view
        assert before is None or before.volatility_bps is None
        snapshot.see((NOW_MS + 1_000 * second) * 1_000_000, step, [ladder], b"")
    at = snapshot.account_state("BTC", BOOK_ACCOUNT)
    assert at.view is not None
    assert at.view.volatility_bps == 0
    asks = [(Decimal("100001"), Decimal(2)), (Decimal("100002"), Decimal("0.00007"))]
    assert at.levels == {Side.BUY: asks, Side.SELL: [(Decimal("99999"), Decimal("0.00003"))]}
    assert snapshot.account_state("ETH", BOOK_ACCOUNT).levels == {Side.BUY: [], Side.SELL: []}
    assert snapshot.account_state("SOL", BOOK_ACCOUNT).levels == {}


def show_volume(snapshot: MarketSnapshot, asset: int, end_ms: int, ratio: float) -> None:
    ints, floats = np.zeros(N_INTS, np.int64), np.full(N_FLOATS, np.nan)
    ints[I_ASSET], ints[I_END], floats[C_VOL_REL] = asset, end_ms, ratio
    snapshot.frame(ints, floats)


def test_volume_is_that_of_the_newest_frame_and_unknown_beside_prices_it_does_not_reach(
    snapshot: MarketSnapshot,
) -> None:
    spike = [Condition(ConditionKind.VOLUME_SPIKE, Decimal(3))]

    def seen() -> tuple[Decimal | None, bool]:
        view = snapshot.view("BTC")
        assert view is not None
        return view.volume_ratio, all_hold(spike, view)

    show_top(snapshot, 0, 999_990, 1_000_010)
    assert seen() == (None, False), "no frame has closed"
    show_volume(snapshot, 1, NOW_MS - 100, 9.0)
    assert seen() == (None, False), "another coin's"
    show_volume(snapshot, 0, NOW_MS - 1_000, 3.5)
    assert seen() == (Decimal("3.5"), True)
    show_volume(snapshot, 0, NOW_MS, 0.0)
    assert seen() == (Decimal(0), False)
    show_volume(snapshot, 0, NOW_MS, float("nan"))
    assert seen() == (None, False), "its usual is not known yet"
    show_volume(snapshot, 0, NOW_MS - 1_001, 3.5)
    assert seen() == (None, False), "the feed was silent in between"


def test_a_condition_on_volume_holds_when_the_tape_says_so_live_as_in_batch() -> None:
    """At every closed frame what a live plan sees is the batch's column, and the condition holds at the same frames."""
    terms = DeskTerms(Decimal(1000), Decimal(300), Decimal(50_000), 5_000)
    live = MarketSnapshot(UNIVERSE, "local", terms, lambda: 0)
    spec = LaneSpec(MANIFEST, UNIVERSE, shipped_detectors(), "main")
    condition = [Condition(ConditionKind.VOLUME_SPIKE, Decimal(4))]
    shown: list[tuple[int, int, Decimal | None, bool]] = []
    closed: dict[int, int] = {}  # the newest frame of an asset that a line closed

    def tap(ints: Any, floats: Any) -> None:
        live.frame(ints, floats)
        closed[int(ints[I_ASSET])] = int(ints[I_END])

    pipeline, batch, desk = Pipeline(spec, neutral_beliefs(spec)), DayCollector(), ProbeTrader(MANIFEST, UNIVERSE)
    whole = Pipeline(spec, neutral_beliefs(spec), lambda _: batch)
    pipeline.tap(tap)
    for number, (recv_ns, raw) in enumerate(in_order(market("2026-03-04", "09:00", 300, step_ms=250, seed=3))):
        step = pipeline.feed(recv_ns, number, raw)
        whole.feed(recv_ns, number, raw)
        desk.step(recv_ns, number, step)
        desk.show(step.asset)
        live.see(recv_ns, step, desk.venue.ladders, raw)
        for asset, end_ms in closed.items():
            view = live.view(UNIVERSE[asset].name)
            if view is not None:
                shown.append((asset, end_ms, view.volume_ratio, all_hold(condition, view)))
        closed.clear()
    whole.settle()
    ints, floats = batch.ints.array(), batch.floats.array()
    expected = {(int(i[I_ASSET]), int(i[I_END])): float(f[C_VOL_REL]) for i, f in zip(ints, floats, strict=True)}
    assert len(shown) > 2000
    for asset, end_ms, ratio, is_held in shown:
        told = expected[asset, end_ms]
        assert (ratio is None) == bool(np.isnan(told))
        assert ratio is None or float(ratio) == pytest.approx(told, abs=1e-4)
        assert is_held == (told >= 4)
    assert sum(held for *_, held in shown) > 10, "the tape has spikes"


def test_books_taken_in_when_somebody_looks_show_what_books_taken_in_at_once_do(snapshot: MarketSnapshot) -> None:
    lazy, ladder = replace(snapshot), Ladder()
    lazy.book_of = lambda _: ladder
    step: Any = SimpleNamespace(kind=int(EventKind.BBO), asset=0)
    waited = 0
    for number in range(900):
        recv_ns = (NOW_MS + 137 * number) * 1_000_000
        ladder.on_bbo(recv_ns, (999_990 + number % 17, 3), (1_000_010 + number % 23, 2))
        snapshot.see(recv_ns, step, [ladder], b"")
        if lazy.may_wait(recv_ns, step):
            waited += 1
        else:
            lazy.see(recv_ns, step, [ladder], b"")
        if number % 50 == 0 or number > 890:
            assert lazy.account_state("BTC", BOOK_ACCOUNT) == snapshot.account_state("BTC", BOOK_ACCOUNT)
        assert lazy.oldest_view_s() == snapshot.oldest_view_s()
    assert waited > 700
    assert lazy.view("BTC") == snapshot.view("BTC")
    assert snapshot.view("BTC").volatility_bps  # type: ignore[union-attr]
    assert lazy.may_wait(0, SimpleNamespace(kind=int(EventKind.TRADES), asset=0))  # type: ignore[arg-type]
    assert not lazy.may_wait(0, SimpleNamespace(kind=int(EventKind.CTX), asset=0))  # type: ignore[arg-type]
