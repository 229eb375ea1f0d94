"""The four curators look at a plan without a fault before it is accepted: what they say is kept, and may refuse it.

A probe measures its window whatever anybody thinks of it, so of a probe only a veto counts (risk's); a plan of the book
needs the weighted threshold too. Who knows nothing abstains. The judgements are `lotus.trading.curators`'. In the
literature: pre-trade risk panel.
"""

from decimal import Decimal
from typing import Any

from lotus.trading.curators import Evidence, Verdict, verdict
from lotus.trading.plan import Plan, PlanKind
from lotus.trading.refusals import Refusal, RefusalReason
from lotus.trading.validate import Situation, reference_px


def judged(plan: Plan, at: Situation) -> Verdict:
    """Return what the curators say of a plan in a situation; nothing is predicted yet, so two of them abstain."""
    px = reference_px(plan, at) or Decimal(0)
    return verdict(plan, Evidence(px, at.equity_usd, abs(at.position) * px))


def objections(plan: Plan, found: Verdict) -> tuple[Refusal, ...]:
    """Return why the curators refuse a plan; nothing: it goes on."""
    vetoed = any(j.objects and j.curator.vetoes for j in found.judgements)
    if not vetoed and (plan.kind is PlanKind.PROBE or found.approved):
        return ()
    expected = f"no veto, and {found.threshold:.2f} of those who spoke (they say {found.score:.2f})"
    return (Refusal(RefusalReason.CURATORS, "; ".join(found.objections), expected),)


def as_body(found: Verdict) -> dict[str, Any]:
    """Return a verdict as plain values, for the plan's strand."""
    said = {j.curator.name: {"score": j.score, "objects": j.objects, "reason": j.reason} for j in found.judgements}
    return {"curators": said, "score": found.score, "threshold": found.threshold, "approved": found.approved}
