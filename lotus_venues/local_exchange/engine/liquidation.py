"""Liquidation and funding: what the venue does to positions on its own.

An account below its maintenance margin loses its orders, then its positions to the book at any price; what the book
cannot take goes to the market's account at the mark, less the maintenance margin, which the insurance keeps; a negative
rest is paid by it. The venue's partial liquidations of large positions, its tiers and its backstop's own prices are not
modelled: kinder than the venue. Funding is hourly on size times oracle price.
"""

from lotus.trading.execution.orders import Side, TimeInForce
from lotus_venues.local_exchange.engine.accounts import Account
from lotus_venues.local_exchange.engine.matching import execute
from lotus_venues.local_exchange.engine.state import ExchangeState
from lotus_venues.local_exchange.engine.values import EngineOrderStatus, ExchangeOrder, Funding, Liquidation

HOUR_MS = 3_600_000
RATE_ONE = 10**10


def liquidate_due(state: ExchangeState) -> bool:
    """Liquidate every account and isolated position below its maintenance margin; tell whether there was one."""
    marks, is_any = state.marks, False
    for account in list(state.accounts.values()):
        if _below(account.cross_value(marks), account.maintenance(marks, state.max_leverages)):
            _liquidate(state, account, [a for a, _ in account.held(cross=True)])
            is_any = True
        for asset, position in list(account.held(cross=False)):
            need = abs(position.lots) * marks[asset] // (2 * state.max_leverages[asset])
            if _below(position.raw_micro + position.lots * marks[asset], need):
                _liquidate(state, account, [asset])
                is_any = True
    return is_any


def _below(value: int, need: int) -> bool:
    return need > 0 and value < need


def _liquidate(state: ExchangeState, account: Account, assets: list[int]) -> None:
    marks = state.marks
    state.ids.lid += 1
    notional = sum(abs(account.lots(a)) * marks[a] for a in assets)
    event = Liquidation(account.address, state.ids.lid, notional, account.value(marks), state.now_ms)
    state.events.append(event)
    for order in [o for o in account.open.values() if o.asset in assets]:
        if order.is_open:
            state.close(order, EngineOrderStatus.LIQUIDATED_CANCELED)
    for asset in assets:
        _close(state, account, asset, marks[asset])
    _cover(state, account)


def _close(state: ExchangeState, account: Account, asset: int, mark: int) -> None:
    lots = account.lots(asset)
    order = ExchangeOrder(
        oid=0, owner=account.address, asset=asset, side=Side.SELL if lots > 0 else Side.BUY, px=mark,
        lots=abs(lots), left=abs(lots), tif=TimeInForce.IOC,
        reduce_only=True, placed_ms=state.now_ms,
    )  # fmt: skip
    state.admit(order)
    execute(state, order, None, liquidated=mark)
    if order.left:
        state.close(order, EngineOrderStatus.CANCELED)
        _give_up(state, account, asset, mark)


def _give_up(state: ExchangeState, account: Account, asset: int, mark: int) -> None:
    """Hand what the book could not take to the market's account, at the mark, for the maintenance margin."""
    position = account.positions[asset]
    lots = position.lots
    margin = abs(lots) * mark // (2 * state.max_leverages[asset])
    account.raw_micro -= margin
    state.insurance_micro += margin
    position.apply(Side.SELL if lots > 0 else Side.BUY, mark, abs(lots))
    account.raw_micro += lots * mark + position.raw_micro
    position.raw_micro = 0
    state.market_lots[asset] += lots
    state.market_raw_micro -= lots * mark
    state.touched.add((account.address, asset))


def _cover(state: ExchangeState, account: Account) -> None:
    """Let the insurance pay what a liquidated account owes once it holds nothing."""
    if account.raw_micro < 0 and not any(account.held()):
        state.insurance_micro += account.raw_micro
        account.raw_micro = 0


def pay_funding(state: ExchangeState, hour_ms: int) -> None:
    """Let every position pay (or receive) an hour's funding: lots times oracle price times rate, rounded down."""
    for asset, market in enumerate(state.markets):
        rate, oracle = market.funding_e10, market.oracle
        if not oracle:
            continue
        market.fundings.append((hour_ms, rate))
        for account in state.accounts.values():
            if not (lots := account.lots(asset)):
                continue
            paid = lots * oracle * rate // RATE_ONE
            position = account.positions[asset]
            if position.is_cross:
                account.raw_micro -= paid
            else:
                position.raw_micro -= paid
            position.funding_micro += paid
            position.funding_since_open_micro += paid
            state.market_raw_micro += paid
            event = Funding(
                owner=account.address, asset=asset, paid_micro=paid, lots=lots, rate_e10=rate, time_ms=hour_ms
            )
            account.fundings.append(event)
            state.events.append(event)
