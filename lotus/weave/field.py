"""Field braids: once a week, a small move of a global knob from a pattern seen across assets and detectors.

Two patterns, each over micro braids in force of at least two detectors whose sign shows on at least two assets of the
week. `room`: their bounds hold back what their evidence asks for and the blocks since selection confirm them; the
total bound of phi and the floor of theta give way. `drift`: their warning lights are on; the exploration share grows.
Each knob moves by at most five per cent. Nothing else may be changed from here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from lotus.hashing import natural_id
from lotus.learning.monitor import unpatched_residuals
from lotus.learning.rows import DetectorRows
from lotus.manifest import WeaveDefaults
from lotus.priors.types import EXPLORATION, IDENTITY, NO_CAPS, FieldCaps, Knob, Patch, Rule
from lotus.timebase import DAY_MS
from lotus.weave.braid import Braid, Quality, believed

WEEK_DAYS, MIN_DETECTORS, MIN_ASSETS, HELD_BACK = 7, 2, 2, 0.9


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern found tonight: its name, the braids that show it, and what moves."""

    name: str
    parents: tuple[Braid, ...]
    caps: FieldCaps
    patch: Patch


def weekly(day: str) -> bool:
    """Return whether the night of `day` looks for patterns (Mondays).

    >>> weekly("2026-01-05"), weekly("2026-01-06")
    (True, False)
    """
    return bool(day) and date.fromisoformat(day).weekday() == 0


def patterns(board: Sequence[Braid], rows: Mapping[str, DetectorRows], weave: WeaveDefaults) -> list[Pattern]:
    """Return the patterns of the week; `rows` are the windows of the search window by detector."""
    micro = [b for b in board if b.braid_type == "micro" and b.in_force and b.detector_id in rows and b.monitor]
    broad = [b for b in micro if assets_in_line(b, board, rows[b.detector_id]) >= MIN_ASSETS]
    room = [b for b in broad if _held_back(b) and b.monitor and b.monitor.fresh_t >= weave.extension_t]
    drift = [b for b in micro if b.monitor and b.monitor.warning and _losing(b, board, rows[b.detector_id])]
    step = weave.field_step
    found = []
    if len({b.detector_id for b in room}) >= MIN_DETECTORS:
        found.append(Pattern("room", tuple(room), FieldCaps(1.0 - step, 1.0 + step), IDENTITY))
    if len({b.detector_id for b in drift}) >= MIN_DETECTORS:
        found.append(Pattern("drift", tuple(drift), NO_CAPS, Patch(knobs=(Knob(EXPLORATION, 1.0 + step),))))
    return found


def assets_in_line(braid: Braid, board: Sequence[Braid], rows: DetectorRows, sign: int = 0) -> int:
    """Return on how many assets the last week's gain in the rule has the braid's sign (or `sign` of it), both lanes."""
    left = unpatched_residuals(rows, believed(board, braid.detector_id, (braid.braid_id,)))
    inside = rows.covered(braid.rule) & rows.recent(WEEK_DAYS)
    day, rest = (braid.sign * (sign or 1) * np.bincount(rows.asset[inside], weights=r[inside]) for r in left.r)
    return int(((day > 0.0) & (rest > 0.0)).sum())


def field_braids(pattern: Pattern, board: Sequence[Braid], effective_from_ms: int, weave: WeaveDefaults) -> list[Braid]:
    """Return one field braid per detector of a pattern that has none of this kind in force."""
    held = {(b.detector_id, b.lesson_id) for b in board if b.braid_type == "field" and b.in_force}
    parents = tuple(sorted(p.braid_id for p in pattern.parents))
    out = []
    for detector in sorted({p.detector_id for p in pattern.parents} - {d for d, kind in held if kind == pattern.name}):
        first = next(p for p in pattern.parents if p.detector_id == detector)
        names = {p.detector_id for p in pattern.parents}
        out.append(
            Braid(
                braid_id=natural_id("braid", first.branch, "field", pattern.name, detector, effective_from_ms),
                branch=first.branch,
                braid_type="field",
                detector_id=detector,
                horizon_s=first.horizon_s,
                rule=Rule(),
                sign=1,
                lesson_id=pattern.name,
                grade=max(p.grade for p in pattern.parents),
                claim_bps=0.0,
                lcb_bps=0.0,
                ci95=(0.0, 0.0),
                support=min(p.support for p in pattern.parents),
                quality=Quality(0.0, 0.0, 0.0, 0.0),
                target=pattern.patch,
                patch=pattern.patch,
                delta_wanted=0.0,
                delta_realised=(0.0, 0.0, 0.0),
                state="active",
                reason=f"pattern {pattern.name} over detectors {', '.join(sorted(names))}",
                effective_from_ms=effective_from_ms,
                expires_at_ms=effective_from_ms + weave.ttl_days * DAY_MS,
                members_sample=(),
                parents=parents,
                scope="cross" if pattern.patch.knobs else "sig",
                caps=pattern.caps,
            )
        )
    return out


def _held_back(braid: Braid) -> bool:
    return abs(braid.delta_realised[1]) < HELD_BACK * abs(braid.delta_wanted) * braid.tilt_share


def _losing(braid: Braid, board: Sequence[Braid], rows: DetectorRows) -> bool:
    return assets_in_line(braid, board, rows, -1) >= MIN_ASSETS
