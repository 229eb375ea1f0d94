"""At which venue a plan is executed: the one with the best measured score, others by a draw of told probability.

A probe measures its window, so it goes to the first venue but for the share that is explored; a plan of the book goes
where the score is best, but for the same share. While a venue is not measured in the coin, plans of the book go to all
of them alike. Keyed by the plan's name alone. In the literature: epsilon-greedy with logged propensities.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np

from lotus.hashing import key64
from lotus.trading.estimates.venue_records import Key, VenueRecord, measured_all
from lotus.trading.plan.knobs import ExecutionKnobs
from lotus.trading.plan.plan import Plan, PlanKind
from lotus.trading.plan.venue_choice import VenueFacts, VenueScore, ranked

_UNIT: Final = 2.0**-53


@dataclass(frozen=True, slots=True)
class VenueDraw:
    """The venue of a plan, and the probability with which each candidate was it; `measured`: by scores, not alike."""

    venue: str
    shares: tuple[tuple[str, float], ...]
    measured: bool


def scores_of(
    plan: Plan, liquidity: Mapping[str, Decimal], records: Mapping[Key, VenueRecord], knobs: ExecutionKnobs
) -> tuple[VenueScore, ...]:
    """Return the scores of the measured venues of `liquidity` (base units within the plan's slippage), best first."""
    rows = {venue: records[venue, plan.coin] for venue in liquidity if (venue, plan.coin) in records}
    rows = {venue: row for venue, row in rows.items() if row.is_measured}
    cheapest = min((row.fee_bps for row in rows.values()), default=0.0)
    facts = [
        VenueFacts(
            name=venue,
            liquidity=liquidity[venue],
            latency_ms=row.latency_ms or 0.0,
            slippage_bps=row.slippage_bps or 0.0,
            success_rate=row.success_rate,
            extra_fee_bps=2.0 * (row.fee_bps - cheapest),
            fill_rate=row.fill_rate,
        )
        for venue, row in rows.items()
    ]
    return ranked(plan, facts, knobs)


def drawn_venue(
    plan: Plan,
    venues: Sequence[str],
    scores: Sequence[VenueScore],
    records: Mapping[Key, VenueRecord],
    explore: float,
    seed: int,
) -> VenueDraw:
    """Return the draw of a plan among two or more `venues`, the first one first; `scores` are best first."""
    measured = measured_all(records, venues, plan.coin)
    usual = venues[0] if plan.kind is PlanKind.PROBE or not measured else scores[0].name
    if plan.kind is PlanKind.BOOK and not measured:
        shares = {venue: 1.0 / len(venues) for venue in venues}
    else:
        others = len(venues) - 1
        shares = {venue: 1.0 - explore if venue == usual else explore / others for venue in venues}
    stream = np.random.Philox(key=np.array([seed, key64("venue", str(plan.plan_id))], dtype=np.uint64))
    left = (int(stream.random_raw()) >> 11) * _UNIT
    for venue, share in shares.items():
        left -= share
        if left < 0.0:
            return VenueDraw(venue, tuple(shares.items()), measured)
    return VenueDraw(usual, tuple(shares.items()), measured)
