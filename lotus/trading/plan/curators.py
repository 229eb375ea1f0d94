"""The four curators of the trader: what each says of a validated plan, with a weight and a threshold, and the verdict.

A curator judges in [0, 1] or abstains when it knows nothing; below its threshold it objects with a reason. A plan is
approved when the weighted judgement reaches the weighted threshold of those who spoke; an objection of risk is a veto.
Nothing of a plan is changed here. In the literature: weighted expert panel with a veto.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from lotus.trading.plan.plan import Plan

LOSS_SCALE = 0.10  # share of equity lost at the stop at which the risk curator says 0


@dataclass(frozen=True, slots=True)
class Curator:
    """Name, weight and threshold of a curator."""

    name: str
    weight: float
    threshold: float
    vetoes: bool = False


EXECUTION = Curator("execution", 0.30, 0.70)
VENUE = Curator("venue", 0.25, 0.60)
RISK = Curator("risk", 0.20, 0.80, vetoes=True)
POSITION = Curator("position", 0.25, 0.75)
CURATORS = (EXECUTION, VENUE, RISK, POSITION)


@dataclass(frozen=True, slots=True)
class CuratorFacts:
    """What the curators judge; None: not known, a curator that needs it abstains.

    `fill_prob` and `slippage_bps` are predictions, `venue_score` is of the chosen venue, money is USD, and
    `coin_notional_usd` the value already held of the coin.
    """

    entry_px: Decimal
    equity_usd: Decimal
    coin_notional_usd: Decimal = Decimal(0)
    fill_prob: float | None = None
    slippage_bps: float | None = None
    venue_score: float | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one curator says: a score, or None when it abstains; `reason` says what was found."""

    curator: Curator
    score: float | None
    reason: str

    @property
    def objects(self) -> bool:
        """Whether the score is below the curator's threshold."""
        return self.score is not None and self.score < self.curator.threshold


@dataclass(frozen=True, slots=True)
class CuratorVerdict:
    """The judgements, the weighted score and threshold of those who spoke, and whether the plan may go on."""

    judgements: tuple[Judgement, ...]
    score: float
    threshold: float

    @property
    def approved(self) -> bool:
        """Whether the score reaches the threshold and nobody vetoes."""
        vetoed = any(j.objects and j.curator.vetoes for j in self.judgements)
        return not vetoed and self.score >= self.threshold

    @property
    def objections(self) -> tuple[str, ...]:
        """What the curators that object found."""
        return tuple(f"{j.curator.name}: {j.reason}" for j in self.judgements if j.objects)


def verdict(plan: Plan, evidence: CuratorFacts) -> CuratorVerdict:
    """Return what the four curators say of a plan."""
    judgements = (
        _execution(plan, evidence),
        _venue(evidence),
        _risk(plan, evidence),
        _position(plan, evidence),
    )
    return combined(judgements)


def combined(judgements: Sequence[Judgement]) -> CuratorVerdict:
    """Return the verdict of judgements: weighted means over those who spoke, 0 and 0 when nobody did."""
    spoke = [(j.curator, j.score) for j in judgements if j.score is not None]
    weight = sum(c.weight for c, _ in spoke) or 1.0
    score = sum(c.weight * s for c, s in spoke) / weight
    return CuratorVerdict(tuple(judgements), score, sum(c.weight * c.threshold for c, _ in spoke) / weight)


def _clip(x: float) -> float:
    return min(1.0, max(0.0, x))


def _execution(plan: Plan, evidence: CuratorFacts) -> Judgement:
    """Judge by the lesser of fill probability and the share of the allowed slippage that is left."""
    if evidence.fill_prob is None or evidence.slippage_bps is None:
        return Judgement(EXECUTION, None, "no history of executions")
    left = _clip(1.0 - max(0.0, evidence.slippage_bps) / float(plan.max_slippage_bps))
    found = f"fill probability {evidence.fill_prob:.2f}, slippage {evidence.slippage_bps:.1f} bps"
    return Judgement(EXECUTION, min(_clip(evidence.fill_prob), left), f"{found} of {plan.max_slippage_bps} allowed")


def _venue(evidence: CuratorFacts) -> Judgement:
    if evidence.venue_score is None:
        return Judgement(VENUE, None, "no score of the venue")
    return Judgement(VENUE, _clip(evidence.venue_score), f"venue score {evidence.venue_score:.2f}")


def _risk(plan: Plan, evidence: CuratorFacts) -> Judgement:
    """Judge by what is lost at the stop: nothing of equity is 1, `LOSS_SCALE` of it 0."""
    if plan.stop_px is None or evidence.equity_usd <= 0:
        return Judgement(RISK, 0.0, "no stop, or no equity")
    loss = float(abs(evidence.entry_px - plan.stop_px) * plan.size / evidence.equity_usd)
    return Judgement(RISK, _clip(1.0 - loss / LOSS_SCALE), f"{loss:.2%} of equity lost at the stop")


def _position(plan: Plan, evidence: CuratorFacts) -> Judgement:
    """Judge by the coin's share of the largest position that equity and leverage allow."""
    if evidence.equity_usd <= 0:
        return Judgement(POSITION, 0.0, "no equity")
    after = evidence.coin_notional_usd + plan.size * evidence.entry_px
    share = float(after / (evidence.equity_usd * plan.limits.max_leverage))
    return Judgement(POSITION, _clip(1.0 - share), f"{share:.0%} of what equity and leverage allow in {plan.coin}")
