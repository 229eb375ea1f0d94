"""An engine of two assets with a hand-made market, for tests without sockets."""

from typing import Any

from lotus.manifest import Asset
from lotus.trading.execution.orders import OrderGrouping
from lotus_venues.local_exchange.engine.exchange import Engine
from lotus_venues.local_exchange.engine.market import Listing
from lotus_venues.local_exchange.engine.values import ExchangeFill, OrderChanged, OrderRequest, OrderResult

BTC, ETH = 0, 1
LISTINGS = (Listing(Asset("BTC", 5), 40), Listing(Asset("ETH", 4), 25))
USD = 1_000_000
T0 = 1_767_600_000_000
MARK = 1_000_000  # BTC at 100,000.0 in units of 0.1; one unit-lot is a millionth of a dollar


def small_engine(usd: int = 10_000, **keys: Any) -> Engine:
    """Ann and Bob with `usd` each; BTC 99,999 x 1 against 100,001 x 1, ETH 3,999.9 against 4,000.1, 10 more behind."""
    made = Engine(keys.pop("listings", LISTINGS), **({"schedule_volume_usd": 0} | keys))
    for owner in ("ann", "bob"):
        made.deposit(owner, usd * USD)
    made.advance(T0)
    made.on_context(BTC, MARK, MARK, 125_000)
    made.on_context(ETH, 400_000, 400_000, 125_000)
    show(made, MARK)
    made.on_book(ETH, [(399_990, 10_000), (399_000, 100_000)], [(400_010, 10_000), (401_000, 100_000)], T0, whole=True)
    made.drain()
    return made


def show(made: Engine, mid: int, *, bids: bool = True, asks: bool = True) -> None:
    """Show a BTC book around a mid: 1 BTC 1 USD away and 10 BTC 100 USD away, on each wanted side."""
    made.on_book(
        BTC,
        [(mid - 10, 100_000), (mid - 1_000, 1_000_000)] if bids else [],
        [(mid + 10, 100_000), (mid + 1_000, 1_000_000)] if asks else [],
        made.state.now_ms,
        whole=True,
    )


def move(made: Engine, mark: int) -> None:
    """Let book and mark price go to a price."""
    show(made, mark)
    made.on_context(BTC, mark, mark, 125_000)


def ask(buys: bool, px: str, size: str, tif: str | None = "Gtc", **keys: Any) -> OrderRequest:
    """A BTC order; give `trigger_px`, `kind`, `is_market` for a trigger."""
    reduce_only = keys.pop("reduce_only", False)
    asset = keys.pop("asset", BTC)
    return OrderRequest(asset, buys, px, size, reduce_only, None if "trigger_px" in keys else tif, **keys)


def put(made: Engine, request: OrderRequest, owner: str = "ann") -> OrderResult:
    """Place one order."""
    (answer,) = made.place(owner, [request], OrderGrouping.NONE)
    return answer


def bracket_of(entry: OrderRequest, mark: int = MARK) -> list[OrderRequest]:
    """A buying entry with a stop 1 % below and a take-profit 2 % above the mark."""
    low, high = str(mark * 99 // 1000), str(mark * 102 // 1000)
    stop = ask(False, str(mark * 9 // 100), entry.size, trigger_px=low, kind="sl", reduce_only=True)
    target = ask(False, str(mark * 95 // 1000), entry.size, trigger_px=high, kind="tp", reduce_only=True)
    return [entry, stop, target]


def oid_of(answer: OrderResult) -> int:
    """Number of an accepted order."""
    assert answer.order is not None
    assert not answer.error, answer.error
    return answer.order.oid


def told(made: Engine) -> list[tuple[str, Any]]:
    """What was told since the last call: (status, oid) of orders and ("fill", lots)."""
    out: list[tuple[str, Any]] = []
    for event in made.drain():
        if isinstance(event, OrderChanged):
            out.append((event.status, event.oid))
        elif isinstance(event, ExchangeFill):
            out.append(("fill", event.lots))
    return out


def assert_conserved(made: Engine) -> None:
    """Lots sum to zero with the market's; dollars sum to the deposits, to the last millionth."""
    state = made.state
    for asset in range(len(state.markets)):
        assert sum(a.lots(asset) for a in state.accounts.values()) + state.market_lots[asset] == 0
    raw = sum(a.raw_micro + sum(p.raw_micro for p in a.positions.values()) for a in state.accounts.values())
    total = raw + state.market_raw_micro + state.fees_micro + state.insurance_micro
    assert total == sum(a.deposits_micro for a in state.accounts.values())
