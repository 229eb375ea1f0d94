"""At which of several venues a plan is executed: by measured scores, but for a draw of known probability."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal

import pytest
from trading_plans import plan

from lotus.trading.estimates.venue_records import Key, VenueRecord
from lotus.trading.plan.knobs import ExecutionKnobs
from lotus.trading.plan.plan import PlanId, PlanKind
from lotus.trading.plan.venue_draw import VenueDraw, drawn_venue, scores_of

VENUES = ("local", "local-2")
DEPTH = dict.fromkeys(VENUES, Decimal(1))
GOOD = VenueRecord("local", "BTC", 40, 4.5, 1.0, 100.0, 1.0, 0.9)
PLAN = plan(venues=VENUES)


def records(**of_second: float) -> dict[Key, VenueRecord]:
    """Return rows of two venues that are alike but for what is named of the second one."""
    second: VenueRecord = replace(GOOD, venue="local-2", **of_second)  # type: ignore[arg-type]
    return {("local", "BTC"): GOOD, ("local-2", "BTC"): second}


def best(rows: dict[Key, VenueRecord], **changes: object) -> str:
    """Return the venue with the best score."""
    return scores_of(plan(venues=VENUES, **changes), DEPTH, rows, ExecutionKnobs())[0].name


@pytest.mark.parametrize(
    ("name", "better", "worse"),
    [
        ("fee_bps", 3.5, 5.5),
        ("slippage_bps", 0.5, 2.0),
        ("latency_ms", 20.0, 300.0),
        ("fill_rate", 1.0, 0.7),
        ("success_rate", 0.95, 0.6),
    ],
)
def test_the_choice_follows_each_measure(name: str, better: float, worse: float) -> None:
    if name != "fill_rate":
        assert best(records(**{name: better})) == "local-2"
    assert best(records(**{name: worse})) == "local"
    assert best(records()) == "local", "of equals the first one"


def test_a_measure_of_another_coin_says_nothing() -> None:
    rows = records(fee_bps=0.0)
    assert best(rows) == "local-2"
    assert scores_of(plan(venues=VENUES, coin="ETH"), DEPTH, rows, ExecutionKnobs()) == ()


def test_the_price_of_both_ways_counts_against_the_cheapest() -> None:
    """1.7 bps a way more at the first: 3.4 of 50 bps, a fifth of the score."""
    first, second = sorted(scores_of(PLAN, DEPTH, records(fee_bps=2.8), ExecutionKnobs()), key=lambda s: s.name)
    assert second.score - first.score == pytest.approx(0.2 * 3.4 / 50)


def drawn(kind: PlanKind, rows: dict[Key, VenueRecord], explore: float, n: int = 400) -> list[VenueDraw]:
    """Return the draws of many plans."""
    made = [replace(PLAN, plan_id=PlanId(f"p{i}"), kind=kind) for i in range(n)]
    return [drawn_venue(p, VENUES, scores_of(p, DEPTH, rows, ExecutionKnobs()), rows, explore, 7) for p in made]


@pytest.mark.parametrize(
    ("kind", "rows", "usual", "share"),
    [
        (PlanKind.PROBE, records(fee_bps=0.0), "local", 0.8),
        (PlanKind.PROBE, {}, "local", 0.8),
        (PlanKind.BOOK, records(fee_bps=0.0), "local-2", 0.8),
        (PlanKind.BOOK, records(fee_bps=9.0), "local", 0.8),
        (PlanKind.BOOK, {}, "local", 0.5),
        (PlanKind.BOOK, records(executions=9), "local", 0.5),
    ],
)
def test_draws_have_the_probabilities_that_they_tell(
    kind: PlanKind, rows: dict[Key, VenueRecord], usual: str, share: float
) -> None:
    draws = drawn(kind, rows, 0.2)
    assert {dict(draw.shares)[usual] for draw in draws} == {share}
    assert all(sum(part for _, part in draw.shares) == pytest.approx(1.0) for draw in draws)
    assert Counter(draw.venue for draw in draws)[usual] / len(draws) == pytest.approx(share, abs=0.08)
    assert draws == drawn(kind, rows, 0.2), "the same names, the same draws"


def test_without_exploring_a_probe_stays_and_the_book_follows_the_score() -> None:
    assert {draw.venue for draw in drawn(PlanKind.PROBE, records(fee_bps=0.0), 0.0, 50)} == {"local"}
    assert {draw.venue for draw in drawn(PlanKind.BOOK, records(fee_bps=0.0), 0.0, 50)} == {"local-2"}
