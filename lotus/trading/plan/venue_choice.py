"""Which venue a plan goes to: a score of liquidity, latency, slippage and past success, and the ranking by it.

    score = w_L min(1, L / size) + w_t max(0, 1 - t / t_max) + w_s max(0, 1 - s / s_max) + w_p p

with the weights of the knobs (.3, .2, .2, .3 at the start), brought to a sum of 1 so that a score stays in [0, 1]. L is
the liquidity times the share of planned size that the venue fills, s the slippage and what its fees are beyond those of
the cheapest. Only venues that the plan names are compared. In the literature: smart order routing by a linear score.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from lotus.trading.plan.knobs import ExecutionKnobs
from lotus.trading.plan.plan import Plan

NO_HISTORY = 0.5  # past success of a venue of which nothing is known


@dataclass(frozen=True, slots=True)
class VenueFacts:
    """What is known of a venue for one plan: liquidity in base units within the plan's slippage, latency, slippage.

    `success_rate` is the share of past executions that came to their end as planned, `NO_HISTORY` without any.
    `extra_fee_bps` are its fees of way in and out beyond those of the cheapest candidate, `fill_rate` the mean share of
    a plan's size that it fills; a venue that is compared with none has the values that change nothing.
    """

    name: str
    liquidity: Decimal
    latency_ms: float
    slippage_bps: float
    success_rate: float = NO_HISTORY
    extra_fee_bps: float = 0.0
    fill_rate: float = 1.0


@dataclass(frozen=True, slots=True)
class VenueScore:
    """The score of a venue and its four parts before weights, each in [0, 1]."""

    name: str
    score: float
    liquidity: float
    latency: float
    slippage: float
    success: float


def score_of(plan: Plan, venue: VenueFacts, knobs: ExecutionKnobs) -> VenueScore:
    """Return the score of a venue for a plan."""
    liquidity = min(1.0, max(0.0, float(venue.liquidity / plan.size) * venue.fill_rate))
    latency = max(0.0, 1.0 - max(0.0, venue.latency_ms) / plan.max_latency_ms)
    lost_bps = max(0.0, venue.slippage_bps) + venue.extra_fee_bps
    slippage = max(0.0, 1.0 - lost_bps / float(plan.max_slippage_bps))
    success = min(1.0, max(0.0, venue.success_rate))
    weighted = (
        (knobs.venue_liquidity, liquidity),
        (knobs.venue_latency, latency),
        (knobs.venue_slippage, slippage),
        (knobs.venue_success, success),
    )
    score = sum(w * part for w, part in weighted) / sum(w for w, _ in weighted)
    return VenueScore(
        name=venue.name, score=score, liquidity=liquidity, latency=latency, slippage=slippage, success=success
    )


def ranked(plan: Plan, venues: Iterable[VenueFacts], knobs: ExecutionKnobs) -> tuple[VenueScore, ...]:
    """Return the venues that the plan allows, best first; equal scores in the order in which the plan names them."""
    scores = [score_of(plan, venue, knobs) for venue in venues if venue.name in plan.venues]
    return tuple(sorted(scores, key=lambda s: (-s.score, plan.venues.index(s.name))))
