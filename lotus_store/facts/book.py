"""The story of a plan of the book: from a fill, order, plan or decision to the ticket, and to the views behind it.

Read from the trader's and the decision-maker's databases; nothing is decided or changed here. The story of each view is
`facts`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lotus_store.databases import Databases
from lotus_store.facts.execution import execution_lines, plan_of_name, plan_story
from lotus_store.ledger.trading.decisions import decision_of
from lotus_store.ledger.trading.plans import plans_for

VIEWS = 3  # whose whole story is told


@dataclass(frozen=True, slots=True)
class BookStory:
    """Plans of one name, their ticket, the coins that they are of, and the views of those coins, heaviest first."""

    plans: list[dict[str, Any]]
    ticket: Mapping[str, Any]
    coins: tuple[str, ...]
    views: list[Mapping[str, Any]]

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {"plans": self.plans, "ticket": dict(self.ticket), "views": [dict(view) for view in self.views]}


def book_story(databases: Databases, name: str) -> BookStory | None:
    """Return the story behind the name of a fill, order, plan or decision of the book; None for any other name."""
    with databases.connect("tr") as tr:
        rows = [row for row in plans_for(tr, plan_of_name(tr, name)) if row.kind == "book"]
        plans = [plan_story(tr, row) for row in rows]
    if not rows:
        return None
    with databases.connect("dm") as dm:
        ticket = decision_of(dm, rows[0].decision_id) or {}
    coins = tuple(sorted({row.coin for row in rows}))
    views = [view for view in ticket.get("top_alphas", ()) if view["coin"] in coins]
    return BookStory(plans, ticket, coins, views)


def book_lines(story: BookStory) -> list[str]:
    """Return the story as lines for a terminal."""
    ticket = story.ticket
    lines = [*execution_lines({"plans": story.plans, "outcome": None}), ""]
    if not ticket:
        return [*lines, "TICKET is not in the decision-maker's database"]
    expected, mult = ticket["expected"], ticket["multipliers"]
    lines += [
        f"TICKET {ticket['decision_id']} of {ticket['asof_ts']}, {ticket['status']}, "
        f"equity {ticket['equity_usd']:.2f} USD",
        f"  over {ticket['horizon_s']} s: return {expected['return_bps']:+.2f} bps, cost {expected['cost_bps']:.2f} "
        f"bps, risk {expected['risk_bps']:.2f} bps, turnover {expected['turnover']:.4f}; "
        f"confidence {ticket['confidence']:.3f}",
        f"  budgets x{mult['applied']:.3f} (timing {mult['timing']:.3f}, entrainment {mult['entrainment']:.3f}, "
        f"asymmetry {mult['asymmetry']:.3f}), ratchet {'on' if mult['ratchet'] else 'off'}",
        f"  cues used: {', '.join(ticket['meta_signals_used']) or '-'}; "
        f"missing: {', '.join(ticket['meta_signals_missing']) or '-'}",
        *(
            f"  cap that binds: {b['name']} ({b['price_bps']:.3g} bps for one unit more)"
            for b in ticket["risk_binding"]
        ),
        *(f"  relaxed: {r['step']} of {r['cap']}, {r['was']:.4g} to {r['became']:.4g}" for r in ticket["relaxations"]),
        f"  policy {ticket['versions']['policy']}, calibration {ticket['versions']['calibration']} for "
        f"{ticket['versions']['calibration_day']}",
    ]
    for target in ticket["targets"]:
        if target["coin"] in story.coins:
            lines.append(
                f"  TARGET {target['coin']}: weight {target['held']:+.5f} to {target['weight']:+.5f} "
                f"(left between {target['min']:+.5f} and {target['max']:+.5f}), expected {target['mu_bps']:+.2f} bps"
                f"{_asymmetry(target)}"
            )
    lines += _overlay(ticket, story.coins)
    lines += [
        f"  VIEW {view['event_id']} of {view['source']} on {view['coin']} over {view['horizon_s']} s: "
        f"{view['mu_bps']:+.2f} bps, weight {view['weight']:+.3f}, reliability {view['reliability']:.3f}"
        f"{_claims(view)}"
        for view in story.views
    ]
    return lines


def _asymmetry(target: Mapping[str, Any]) -> str:
    """Return how soon a target should be reached and why, "" where no cue measured it."""
    found = target.get("asymmetry")
    if found is None:
        return ""
    drivers = ", ".join(f"{name} {size:.2f}" for name, size in sorted(found["drivers"].items()))
    return f"; asymmetry {found['score']:.3f} ({drivers or '-'}), urgency {found['urgency']}"


def _overlay(ticket: Mapping[str, Any], coins: Sequence[str]) -> list[str]:
    """Return what wishes of people did to the expectations of some coins."""
    lines = []
    for nudge in ticket.get("curation", {}).get("nudges", ()):
        if nudge["coin"] in coins:
            lines.append(
                f"  OVERLAY {nudge['coin']}: expectation x{math.exp(nudge['log']):.4f} (log {nudge['log']:+.4f})"
            )
            lines += [
                f"    wish {wish['act_id']} of {wish['author']}: log {wish['log']:+.4f}, {wish['reason']}"
                for wish in nudge.get("wishes", ())
            ]
    return lines


def _claims(view: Mapping[str, Any]) -> str:
    """Return what the claims of fired braids did to a view, "" where they were not heard."""
    claims = view.get("claims")
    if claims is None:
        return ""
    return (
        f"; its braids claim {claims['claim_bps']:+.2f} bps at level {claims['level']}, kept by {claims['slope']:.3f}: "
        f"{claims['added_bps']:+.2f} bps of it"
    )
