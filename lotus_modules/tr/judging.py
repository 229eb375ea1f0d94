"""The four curators look at a plan without a fault before it is accepted: what they say is kept, and may refuse it.

A probe measures its window whatever anybody thinks of it, so of a probe only a veto counts (risk's); a plan of the book
needs the weighted threshold too. Who knows nothing abstains. The judgements are `lotus.trading.plan.curators`'. In the
literature: pre-trade risk panel.
"""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from lotus.trading.estimates.pre_trade import PreTradeEstimate
from lotus.trading.execution.report import Predicted
from lotus.trading.plan.curators import CuratorFacts, CuratorVerdict, verdict
from lotus.trading.plan.plan import Plan, PlanKind
from lotus.trading.plan.refusals import Refusal, RefusalReason
from lotus.trading.plan.validate import AccountState, reference_px
from lotus_store.ledger.bodies import to_plain


def judged(plan: Plan, at: AccountState, told: PreTradeEstimate | None) -> CuratorVerdict:
    """Return what the curators say of a plan in an account state; where nothing is known, two of them abstain."""
    px = reference_px(plan, at) or Decimal(0)
    evidence = CuratorFacts(px, at.equity_usd, abs(at.position) * px)
    if told is not None and told.is_known:
        score = told.venues[0].score if told.venues else None
        evidence = replace(
            evidence, fill_prob=told.prediction.fill_prob, slippage_bps=told.slippage_bps, venue_score=score
        )
    return verdict(plan, evidence)


def objections(plan: Plan, found: CuratorVerdict) -> tuple[Refusal, ...]:
    """Return why the curators refuse a plan; nothing: it goes on."""
    vetoed = any(j.objects and j.curator.vetoes for j in found.judgements)
    if not vetoed and (plan.kind is PlanKind.PROBE or found.approved):
        return ()
    expected = f"no veto, and {found.threshold:.2f} of those who spoke (they say {found.score:.2f})"
    return (Refusal(RefusalReason.CURATORS, "; ".join(found.objections), expected),)


def as_body(found: CuratorVerdict, told: PreTradeEstimate | None) -> dict[str, Any]:
    """Return a verdict, and what was foretold, as plain values for the plan's strand."""
    said = {j.curator.name: {"score": j.score, "objects": j.objects, "reason": j.reason} for j in found.judgements}
    body = {"curators": said, "score": found.score, "threshold": found.threshold, "approved": found.approved}
    return body if told is None else body | to_plain(told)


def as_reference(told: PreTradeEstimate | None) -> dict[str, Any]:
    """Return what a plan's reference keeps of what was foretold, for its report; nothing while nothing is known."""
    if told is None or told.route_hint is None:
        return {}
    medians = Predicted(told.prediction.fill_prob, told.slippage_bps, told.latency_ms, told.route_hint.value)
    return {"predicted": to_plain(medians), "venue_choice": to_plain(told.venues)}
