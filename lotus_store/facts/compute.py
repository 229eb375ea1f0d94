"""What experts cost, were worth and were given on the newest Mondays: facts for the command and for pages."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import groupby, pairwise
from typing import Any, Final

import numpy as np

from lotus.governance.allocation_value import LoggedWeek, gain_on_uniform
from lotus_store.databases import Connection
from lotus_store.ledger.beliefs.compute import ComputeAllocation, allocations_before, newest_costs
from lotus_store.ledger.beliefs.expert_credit import newest_credit

STATES: Final = ("votes", "bench", "computed", "idle")


def compute_facts(sig: Connection, branch: str, quota_ns: float) -> dict[str, Any]:
    """Return every expert's cost and credit, the newest allocation, and what it gained on equal probabilities.

    The gain is over the Mondays whose rewards are there: those that another follows; None for each end below five.
    """
    costs = {one.expert_id: one for one in newest_costs(sig, branch)}
    credit = {
        one.expert_id: one for one in newest_credit(sig, branch, "9999-12-31") if one.detector_id == one.asset == ""
    }
    lines = allocations_before(sig, branch)
    newest = [one for one in lines if one.day == lines[-1].day] if lines else []
    given = {one.arm: one for one in newest}
    rows = []
    for name in sorted({*costs, *credit, *given}):
        cost, worth, arm = costs.get(name), credit.get(name), given.get(name)
        rows.append({
            "expert_id": name, "votes": None if worth is None else worth.votes and arm is None,
            "cost_ns": None if cost is None else cost.cost_ns,
            "marginal_ns": None if cost is None else cost.marginal_ns,
            "delta_value": None if worth is None else worth.delta_value, "low": None if worth is None else worth.low,
            "high": None if worth is None else worth.high, "shapley": None if worth is None else worth.shapley,
            "q": None if arm is None else arm.q, "computed": None if arm is None else arm.drawn,
        })  # fmt: skip
    gain = gain_on_uniform(logged_weeks(lines))
    return {"quota_ns": quota_ns, "experts": rows, "allocated_on": newest[0].day if newest else "",
            "from_day": newest[0].from_day if newest else "", "gain_on_equal": asdict(gain)}  # fmt: skip


def logged_weeks(lines: Sequence[ComputeAllocation]) -> list[LoggedWeek]:
    """Return the weeks of allocations that another Monday follows: its rewards are those of the week before it."""
    mondays = [list(rows) for _, rows in groupby(lines, key=lambda one: one.day)]
    out = []
    for rows, after in pairwise(mondays):
        came = {one.arm: one.reward for one in after}
        usable = [one for one in rows if one.cost is not None and (not one.drawn or came.get(one.arm) is not None)]
        if usable:
            reward = [came.get(one.arm) if one.drawn else None for one in usable]
            out.append(
                LoggedWeek(
                    np.array([one.q for one in usable]),
                    np.array([one.cost for one in usable], np.float64),
                    np.zeros(len(usable)),
                    np.array([one.drawn for one in usable], np.bool_),
                    np.array([np.nan if value is None else value for value in reward]),
                )
            )
    return out


def state_of(expert: Mapping[str, Any]) -> str:
    """Return the state of an expert of the facts in a word of `STATES`."""
    if expert["computed"] is None:
        return "votes" if expert["votes"] else "bench"
    return "computed" if expert["computed"] else "idle"


def gain_words(gain: Mapping[str, Any]) -> str:
    """Return what was gained on equal probabilities, with its interval; "" before a Monday has its rewards."""
    if not gain["days"]:
        return ""
    ends = "no interval below five" if gain["low"] is None else f"95 % {gain['low']:+.1f} to {gain['high']:+.1f}"
    return f"Gained on equal probabilities over {gain['days']} Mondays: {gain['total']:+.1f} bps ({ends})."
