"""What an act on beliefs would have changed in windows already scored: their propensity before and after, recomputed.

Both sides are the versions as they would act now, on the context, score and draw of each stored window; so the figures
compare beliefs, not days. Nothing is sent or changed here. In the literature: counterfactual replay of a logged policy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lotus.detectors.cascade import logit_steps
from lotus.detectors.daily.tables import DayTables
from lotus.detectors.stage_gate import at_floor
from lotus.manifest import Manifest
from lotus.priors.asset_context import ASSET_COLUMN
from lotus.priors.compiled import attenuate, caps_of
from lotus.priors.trace import Trace, trace_priors
from lotus.priors.types import ActiveBraid, PriorsVersion, priors_version
from lotus.priors.vocabulary import BIN_COLUMNS, NULL_BIN
from lotus.weave.review import ReviewAct
from lotus.weave.trust import THROUGH_PATCH

UNCHANGED = {
    "approve": "An approval changes no number: it lifts a rejection or a hold, so that evidence may act again.",
    "extend": "An extension changes no number now: the time to live ends later, if the blocks since selection show the "
    "effect.",
    "freeze": "A freeze changes no number now: the level of trust rises no more until an approval.",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class MovedWindow:
    """A window whose propensity would be another one: before, after, and whether its draw would then publish it."""

    event_id: str
    window_end_ms: int
    detector_id: str
    asset: str
    before: float
    after: float
    draw: float

    @property
    def change(self) -> str:
        """What its draw would make of it."""
        was, would = self.draw < self.before, self.draw < self.after
        return "as before" if was == would else "published" if would else "not published"


def version_after(
    act: ReviewAct, now: PriorsVersion, target: PriorsVersion | None, caps: Sequence[float]
) -> PriorsVersion | None:
    """Return what would act once an act has had its whole effect, None where it changes no number.

    `target` is the version that a rollback names, `caps` the tilts that levels of trust allow.
    """
    if act.kind == "rollback":
        return target
    if act.kind in UNCHANGED:
        return None
    braids = [_changed(braid, act, caps) if braid.braid_id == act.target else braid for braid in now.braids]
    left = {braid.braid_id for braid in braids if braid is not None}
    acting = tuple(b for b in braids if b is not None and set(b.parents) <= left)
    return priors_version(now.branch, now.effective_from_ms, acting)


def detectors_of(first: PriorsVersion, second: PriorsVersion) -> list[str]:
    """Return the detectors whose braids differ between two versions."""
    return sorted({b.detector_id for b in {*first.braids} ^ {*second.braids}})


def moved_windows(
    windows: Sequence[Mapping[str, Any]],
    before: PriorsVersion,
    after: PriorsVersion,
    manifest: Manifest,
    tables: Sequence[DayTables] = (),
) -> list[MovedWindow]:
    """Return the windows whose propensity differs between two versions as they would act from now on.

    `tables` are those that the windows name, which say who is drawn at the floor by its stage of life. Rules about
    coins fire where windows have groups (`lotus_store.asset_context.with_groups`).
    """
    now_ms = max((v.effective_from_ms for v in (before, after)), default=0)
    now_ms = max([now_ms, *(b.effective_from_ms for v in (before, after) for b in v.braids)])
    caps, out = caps_of(manifest.weave), []
    named = {n: np.array([w[n] for w in windows], dtype=object) for n in ("detector_id", "tables_ver")}
    is_floored = at_floor(named, tables) if tables and windows else np.zeros(len(windows), np.bool_)
    for window, floored in zip(windows, is_floored.tolist(), strict=True):
        traces = [_trace(window, version, manifest, now_ms) for version in (before, after)]
        if (traces[0].theta2, traces[0].phi, traces[0].gate, traces[0].level) == (
            traces[1].theta2, traces[1].phi, traces[1].gate, traces[1].level
        ) and traces[0].fired == traces[1].fired:  # fmt: skip
            continue
        steps = [
            logit_steps(window, trace, version, manifest, caps, floored)
            for trace, version in zip(traces, (before, after), strict=True)
        ]
        if not all(steps) or steps[0][-1].logit == steps[1][-1].logit:
            continue
        shown = {name: window[name] for name in ("event_id", "window_end_ms", "detector_id", "asset", "draw")}
        out.append(MovedWindow(before=steps[0][-1].probability, after=steps[1][-1].probability, **shown))
    return out


def _changed(braid: ActiveBraid, act: ReviewAct, caps: Sequence[float]) -> ActiveBraid | None:
    patch = braid.patch
    if act.kind == "reject":
        return None
    if act.kind == "attenuate":
        theta, phi = attenuate(patch.theta_delta, patch.phi_mult, act.factor)
        return replace(braid, patch=replace(patch, theta_delta=theta, phi_mult=phi, gate=patch.gate * act.factor))
    level = max(0, braid.level - 1)
    most = max(0.0, caps[min(level, len(caps) - 1)] - THROUGH_PATCH) if caps else 0.0
    return replace(braid, level=level, patch=replace(patch, gate=min(max(patch.gate, -most), most) if level else 0.0))


def _trace(window: Mapping[str, Any], version: PriorsVersion, manifest: Manifest, now_ms: int) -> Trace:
    bins, theta1 = [int(window[name]) for name in BIN_COLUMNS], float(window["theta1"])
    group = int(window.get(ASSET_COLUMN, NULL_BIN))
    return trace_priors(version, str(window["detector_id"]), bins, theta1, now_ms, caps_of(manifest.weave), group)
