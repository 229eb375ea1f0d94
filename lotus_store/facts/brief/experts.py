"""A line of the brief about experts that cost much and add nothing, by the newest Monday's costs and credit."""

from collections.abc import Sequence
from statistics import median
from typing import Final

from lotus.governance.credit.credit_summary import ExpertCredit
from lotus.governance.expert_cost import ExpertCost
from lotus_store.facts.brief.line import BriefLine, Colour

DEAR: Final = 3.0  # times the cost of the expert in the middle
SHOWN: Final = 5


def experts_line(costs: Sequence[ExpertCost], credit: Sequence[ExpertCredit]) -> BriefLine:
    """Tell which voters cost `DEAR` times the median and move nothing, or are shown to take away; dearest first."""
    question, command = "Do experts earn their cost?", "lotus brief --week"
    if not costs or not credit:
        return BriefLine(Colour.GOOD, question, "not measured yet", command)
    usual = median(cost.cost_ns for cost in costs)
    useless = {c.expert_id: _found(c) for c in credit if not c.detector_id and not c.asset and c.votes and _found(c)}
    dear = sorted((c for c in costs if c.cost_ns >= DEAR * usual and c.expert_id in useless), key=lambda c: -c.cost_ns)
    parts = [
        f"{c.expert_id} costs {c.cost_ns:.0f} ns a frame, {c.cost_ns / max(usual, 1e-9):.1f} times the usual, and "
        f"{useless[c.expert_id]}"
        for c in dear
    ]
    more = f"; and {len(parts) - SHOWN} more" if len(parts) > SHOWN else ""
    colour = Colour.LOOK if parts else Colour.GOOD
    return BriefLine(colour, question, "; ".join(parts[:SHOWN]) + more or "yes", command)


def _found(credit: ExpertCredit) -> str:
    """Return what speaks against an expert, "" for nothing."""
    if credit.windows and credit.delta_sigma == 0.0 and credit.delta_value == 0.0:
        return f"says nothing in {credit.windows:,} windows"
    if credit.high is not None and credit.high < 0.0:
        return f"takes away {-credit.delta_value:.2f} bps a day (95 % at least {-credit.high:.2f})"
    return ""
