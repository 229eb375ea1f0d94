"""What the braids that fired in a window claimed, and how far the decision-maker counted on it; nothing is decided.

The slope is that of the knowledge in force on the window's day; the promise is that of the window's close, unfaded.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from lotus.decision.alphas import AlphaInput
from lotus.decision.knowledge.claims import heard, in_force
from lotus.decision.knowledge.regime import VOLATILITY_BIN, regime_of
from lotus.mathx import exp
from lotus.priors.claims import FiredClaim, fired_claims, total_of
from lotus.priors.types import PriorsVersion
from lotus.timebase import day_of
from lotus_store.databases import Connection, Databases
from lotus_store.ledger.beliefs.braids import claims_of
from lotus_store.ledger.trading.knowledge import knowledge_before


def fired_in(sig: Connection, version: PriorsVersion, event: Mapping[str, Any]) -> tuple[FiredClaim, ...]:
    """Return the claims of the braids that fired in an event."""
    claims_bps = claims_of(sig, [braid.braid_id for braid in version.braids])
    return fired_claims(version, str(event["detector_id"]), int(event["fired"]), claims_bps)


def claims_story(
    databases: Databases, event: Mapping[str, Any], fired: tuple[FiredClaim, ...]
) -> dict[str, Any] | None:
    """Return what was claimed, the slope in force, and the promise without and with it; None where none fired.

    The promises are None where nothing was known of the source.
    """
    if not fired:
        return None
    view = _view(event, fired)
    with databases.connect("dm") as dm:
        knowledge = knowledge_before(dm, str(event["branch"]), day_of(view.window_end_ms))
    slopes = in_force(knowledge.claims) if knowledge else {}
    alpha = knowledge.calibration.alpha(view, 1.0, view.window_end_ms) if knowledge else None
    return {
        "braids": [asdict(claim) for claim in fired],
        "claim_bps": view.claim_bps,
        "level": view.claim_level,
        "slope": slopes.get((view.source, view.horizon_s, view.claim_level), 0.0),
        "promise_of_score_bps": alpha.mu_bps if alpha else None,
        "promise_bps": heard(alpha, view, slopes, view.window_end_ms).mu_bps if alpha else None,
    }


def claims_lines(story: Mapping[str, Any] | None) -> list[str]:
    """Return the story as lines for a terminal, nothing where no braid with a claim fired."""
    if story is None:
        return []
    lines = [
        f"  claimed by its braids: {story['claim_bps']:+.2f} bps at level {story['level']}; "
        f"the decision-maker counts {story['slope']:.3f} of it"
    ]
    if story["promise_bps"] is None:
        return [*lines, "  it promised nothing: it knew nothing of this source on the day"]
    by_score, whole = story["promise_of_score_bps"], story["promise_bps"]
    return [*lines, f"  promise {by_score:+.2f} bps by score, {whole:+.2f} bps in all"]


def _view(event: Mapping[str, Any], fired: tuple[FiredClaim, ...]) -> AlphaInput:
    """Return the event as the decision-maker takes it in."""
    s, end_ms, horizon_s = float(event["s"]), int(event["window_end_ms"]), int(event["horizon_s"])
    claim_bps, level = total_of(fired)
    return AlphaInput(
        source=f"det:{event['detector_id']}@{event['spec_version']}", coin=str(event["asset"]), horizon_s=horizon_s,
        sign=1 if s > 0.0 else -1, score=abs(s) * min(float(exp(float(event["ln_sigma_tilde"]))), 1.0),
        event_id=str(event["event_id"]), lifecycle_id=str(event["event_id"]), window_end_ms=end_ms,
        valid_until_ms=end_ms + 1000 * horizon_s, regime=regime_of(int(event[VOLATILITY_BIN])), claim_bps=claim_bps,
        claim_level=level,
    )  # fmt: skip
