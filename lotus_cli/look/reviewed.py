"""How acts of reviewers turned out after 30 days, as plain rows and lines of text."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from lotus.governance.review_skill import JudgedReview, ReviewSkill


def judged_rows(judged: Sequence[JudgedReview], skills: Sequence[ReviewSkill]) -> dict[str, list[dict[str, Any]]]:
    """Return the acts with what came of them, and the score of every reviewer."""
    acts = [
        {
            "act_id": one.act.act_id, "kind": one.act.kind, "target": one.act.target, "author": one.act.author,
            "asof_day": one.act.asof_day, "confidence": one.confidence, "days": one.days, "windows": one.windows,
            "value_bps": one.value_bps, "low": one.low, "high": one.high, "right": one.right,
        }
        for one in judged
    ]  # fmt: skip
    return {"judged": acts, "skills": [asdict(one) for one in skills]}


def judged_lines(facts: Mapping[str, Any]) -> list[str]:
    """Return a line for every act that is judged and for every reviewer, none before the first."""
    lines = []
    for one in facts["judged"]:
        word = {True: "right", False: "wrong", None: "not known: no window was moved"}[one["right"]]
        sure = "" if one["confidence"] is None else f", said {one['confidence']:.2f}"
        lines.append(
            f"  30 days after {one['asof_day']}: {one['kind']} {one['target']} by {one['author']}{sure}: {word}, "
            f"the braid {_added(one)}"
        )
    for one in facts["skills"]:
        score = "no confidence was said"
        if one["brier"] is not None:
            score = f"Brier score {one['brier']:.3f} over {one['said']} (one half scores 0.25)"
        lines.append(
            f"  {one['author']}: {one['judged']} acts judged, {one['right']} right, {one['unknown']} not known; "
            f"{score}; regret {one['regret_bps']:+.1f} bps{_reach(one)}"
        )
    return lines


def _added(one: Mapping[str, Any]) -> str:
    would = "added" if one["kind"] == "approve" else "would have added"
    return f"{would} {one['value_bps']:+.1f} bps{_reach(one)} over {one['windows']:,} windows of {one['days']} days"


def _reach(one: Mapping[str, Any]) -> str:
    return "" if one["low"] is None else f" ({one['low']:+.1f} to {one['high']:+.1f})"
