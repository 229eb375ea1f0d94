"""What every page says of a braid first: what it is, where it acts, how it stands, and what it has earned."""

import math
from collections.abc import Mapping
from typing import Any

from lotus.priors.trace import describe_braid
from lotus.priors.types import Patch
from lotus.priors.vocabulary import DEFAULT, Vocabulary
from lotus.weave.braid import Braid
from lotus.weave.earned import TrustRow


def braid_facts(braid: Braid, words: Vocabulary = DEFAULT) -> dict[str, str]:
    """Return identity, rule, state and grade as plain values; `words` name coins."""
    return {
        "braid_id": braid.braid_id,
        "type": braid.braid_type if braid.experiment is None else "experiment",
        "detector_id": braid.detector_id,
        "rule": describe_braid(braid.active(), words),
        "state": braid.state,
        "grade": braid.grade,
    }


def experiment_facts(braid: Braid) -> dict[str, Any] | None:
    """Return what an experiment drew and whether it raises the floor now, None for another braid."""
    if braid.experiment is None:
        return None
    state = braid.experiment
    return {
        "found": state.found,
        "floor": state.floor,
        "is_on": bool(braid.patch.knobs),
        "is_slow": state.slow,
        "days": state.days,
        "drawn": state.drawn,
        "budget": state.budget,
    }


def experiment_words(facts: Mapping[str, Any]) -> str:
    """Return what a running experiment does, from `experiment_facts` or its row, as the end of a sentence."""
    how = "on days drawn before" if facts["is_slow"] else "on every day"
    now = "on" if facts["is_on"] else "off"
    return (
        f"floor {facts['floor']:.3f} {how}, {now} until the next swap; drew {facts['drawn']:.1f} of "
        f"{facts['budget']:.0f} publications on {facts['days']} learning days"
    )


def trust_facts(row: TrustRow | None) -> dict[str, Any] | None:
    """Return level, E, the lower estimate of the daily signal to noise (None before it is known), cap and reason."""
    if row is None:
        return None
    return {
        "level": row.level,
        "e": row.e,
        "snr_low": None if math.isnan(row.snr_low) else row.snr_low,
        "cap_logit": row.cap,
        "reason": row.reason,
    }


def trust_words(facts: Mapping[str, Any] | None) -> list[str]:
    """Return `trust_facts` as one sentence, with what is missing to the next level; nothing without them."""
    if facts is None:
        return []
    snr = "not known yet" if facts["snr_low"] is None else f"at least {facts['snr_low']:.2f}"
    return [
        f"trust: level {facts['level']}, tilt up to {facts['cap_logit']:.2f} logit; E {facts['e']:.3g}, "
        f"daily signal to noise {snr}; {facts['reason']}"
    ]


def gate_words(patch: Patch) -> str:
    """Return the gate of a patch as the end of a list, nothing for one that has none."""
    return f", gate {patch.gate:+.3f}" if patch.gate else ""
