"""Sums over closed probes in dollars, and names of log entries that repeat with what they say."""

from types import SimpleNamespace
from typing import Any

from lotus_live.paper_desk import PaperTotals, entry_number


def probe(lots: int, net_micro: int, payoff_bps: float) -> Any:
    """Return a closed probe that paid 2 dollars of fees and got 1 dollar of funding."""
    return SimpleNamespace(
        lots=lots, net_micro=net_micro, fees_micro=2_000_000, funding_micro=-1_000_000, payoff_bps=payoff_bps
    )


def test_the_net_result_is_what_is_left_after_fees_and_funding() -> None:
    totals = PaperTotals()
    for one in (probe(3, 5_000_000, 4.0), probe(0, -1_000_000, -2.0)):
        totals.add(one)
    sums = totals.as_json()
    assert (sums["probes"], sums["unfilled"], sums["wins"], sums["mean_payoff_bps"]) == (2, 1, 1, 1.0)
    assert (sums["net_usd"], sums["fees_usd"], sums["funding_usd"], sums["before_fees_usd"]) == (4.0, 4.0, -2.0, 6.0)
    assert PaperTotals().as_json()["mean_payoff_bps"] == 0.0


def test_an_entry_has_one_number_that_fits_a_signed_column() -> None:
    assert entry_number("probe", "a") == entry_number("probe", "a") != entry_number("swap", "a")
    assert 0 <= entry_number("probe", "a") < 2**63
