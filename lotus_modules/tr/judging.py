"""The four curators look at a plan without a fault before it is accepted: their judgement is stored, and may refuse it.

A probe measures its window whatever anybody thinks of it, so of a probe only a veto counts (risk's); a plan of the book
needs the weighted threshold too. Who knows nothing abstains. The judgements are `lotus.trading.plan.curators`'. In the
literature: pre-trade risk panel.
"""

from dataclasses import replace
from decimal import Decimal

from msgspec import structs

from lotus.modules.messages.payload import Document
from lotus.modules.messages.trading import PlanReference
from lotus.trading.estimates.pre_trade import PreTradeEstimate
from lotus.trading.execution.report import Predicted
from lotus.trading.plan.curators import CuratorFacts, CuratorVerdict, verdict
from lotus.trading.plan.plan import Plan, PlanKind
from lotus.trading.plan.refusals import Refusal, RefusalReason
from lotus.trading.plan.validate import AccountState, reference_px
from lotus_store.ledger.bodies import to_plain


def judged(plan: Plan, account: AccountState, estimate: PreTradeEstimate | None) -> CuratorVerdict:
    """Return the curators' judgement of a plan in an account state; where nothing is known, two of them abstain."""
    px = reference_px(plan, account) or Decimal(0)
    evidence = CuratorFacts(px, account.equity_usd, abs(account.position) * px)
    if estimate is not None and estimate.is_known:
        score = next((venue.score for venue in estimate.venues if venue.name == account.venue), None)
        evidence = replace(
            evidence, fill_prob=estimate.prediction.fill_prob, slippage_bps=estimate.slippage_bps, venue_score=score
        )
    return verdict(plan, evidence)


def objections(plan: Plan, result: CuratorVerdict) -> tuple[Refusal, ...]:
    """Return why the curators refuse a plan; nothing: it goes on."""
    vetoed = any(j.objects and j.curator.vetoes for j in result.judgements)
    if not vetoed and (plan.kind is PlanKind.PROBE or result.approved):
        return ()
    expected = f"no veto, and {result.threshold:.2f} of those who spoke (they say {result.score:.2f})"
    return (Refusal(RefusalReason.CURATORS, "; ".join(result.objections), expected),)


def as_body(result: CuratorVerdict, estimate: PreTradeEstimate | None) -> Document:
    """Return a verdict, and the pre-trade estimate, as plain values for the plan's strand."""
    curators = {j.curator.name: {"score": j.score, "objects": j.objects, "reason": j.reason} for j in result.judgements}
    body = {"curators": curators, "score": result.score, "threshold": result.threshold, "approved": result.approved}
    return body if estimate is None else body | to_plain(estimate)


def with_estimate(reference: PlanReference, estimate: PreTradeEstimate | None) -> PlanReference:
    """Return a plan's reference with the pre-trade estimate, for its report; as it is while nothing is known."""
    if estimate is None or estimate.route_hint is None:
        return reference
    medians = Predicted(
        fill_prob=estimate.prediction.fill_prob,
        slippage_bps=estimate.slippage_bps,
        latency_ms=estimate.latency_ms,
        route_hint=estimate.route_hint.value,
    )
    return structs.replace(reference, predicted=to_plain(medians), venue_choice=to_plain(estimate.venues))
