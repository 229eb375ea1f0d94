"""Liquidation and funding by hand."""

from engine_bed import LONG_ENTRY
from small_engine import (
    BTC,
    ETH,
    T0,
    USD,
    ask,
    assert_conserved,
    move,
    oid_of,
    put,
    show,
    small_engine,
)

from lotus_venues.local_exchange.engine.values import (
    ExchangeFill,
    Funding,
    Liquidation,
    VenueCancel,
)


def test_an_account_below_maintenance_is_liquidated_into_the_book() -> None:
    made = small_engine(usd=10_000)
    put(made, ask(True, "100001", "1", "Ioc"))
    resting = oid_of(put(made, ask(True, "90000", "0.1")))
    made.drain()
    account = made.state.accounts["ann"]
    move(made, 920_000)  # 100,001 - 92,000: 8,001 lost of 9,955; maintenance 1,150
    assert account.lots(BTC) == 100_000
    move(made, 911_000)
    events = made.drain()
    (liquidation,) = [e for e in events if isinstance(e, Liquidation)]
    assert liquidation.notional_micro == 91_100 * USD
    assert VenueCancel("ann", BTC, resting) in events
    (fill,) = [e for e in events if isinstance(e, ExchangeFill)]
    assert (fill.lots, fill.px, fill.liquidated) == (100_000, 910_990, 911_000)
    assert account.lots(BTC) == 0
    assert account.raw_micro > 0
    assert_conserved(made)


def insured(shown: int, mark: int) -> int:
    """Return what the insurance makes of one lot of 100,001 USD that no bid takes when its mark falls."""
    made = small_engine(usd=10_000)
    put(made, ask(True, "100001", "1", "Ioc"))
    show(made, shown, bids=False)
    made.on_context(BTC, mark, mark, 0)
    account = made.state.accounts["ann"]
    assert (account.lots(BTC), account.raw_micro) == (0, 0)
    assert_conserved(made)
    return made.state.insurance_micro


def test_without_a_book_the_position_goes_to_the_market_and_the_insurance_pays_the_rest() -> None:
    assert insured(880_000, 880_000) < 0


def test_what_the_book_cannot_take_costs_the_maintenance_margin() -> None:
    assert 1_000 * USD < insured(912_000, 911_000) < 91_100 * USD // 80  # what was left of half the initial margin


def test_an_isolated_position_is_liquidated_alone() -> None:
    made = small_engine(usd=10_000)
    assert made.set_leverage("ann", BTC, 10, is_cross=False) == ""
    put(made, ask(True, "100001", "0.1", "Ioc"))
    position = made.state.accounts["ann"].positions[BTC]
    assert position.raw_micro + position.lots * 1_000_010 == 10_000_100 * 100  # a tenth of 10,000.1 USD
    assert made.set_leverage("ann", BTC, 10, is_cross=True) == "Cannot switch leverage type with open position."
    put(made, ask(False, "3999.9", "1", asset=ETH))
    move(made, 911_000)
    account = made.state.accounts["ann"]
    assert (account.lots(BTC), account.lots(ETH)) == (0, -10_000)
    assert 8_900 * USD < account.cross_value(made.state.marks) < 9_100 * USD
    assert_conserved(made)


def test_funding_is_paid_every_hour_on_size_times_oracle() -> None:
    made = small_engine()
    put(made, LONG_ENTRY)
    before = made.state.accounts["ann"].raw_micro
    made.drain()
    made.advance(T0 + 3_600_000 * 2)
    payments = [e for e in made.drain() if isinstance(e, Funding)]
    assert [(p.paid_micro, p.lots, p.time_ms) for p in payments] == [
        (125_000, 10_000, T0 + 3_600_000),  # 0.1 BTC x 100,000 x 0.0000125
        (125_000, 10_000, T0 + 7_200_000),
    ]
    assert before - made.state.accounts["ann"].raw_micro == 250_000
    assert_conserved(made)
