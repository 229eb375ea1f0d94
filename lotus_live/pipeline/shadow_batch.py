"""The batch twin of shadow detectors: the control records of a day's lines cut its frames, each stretch under its set.

It exists to be compared with `shadows.ShadowDetectors`, and shares with it only what a record says and the tables. A
line closes frames before its record is obeyed, so the frames of a stretch are those closed after one record's line.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.daily.tables import DayTables
from lotus.detectors.scoring.others import heard
from lotus.detectors.scoring.scored import Columns
from lotus.detectors.scoring.scorer import Scorer
from lotus.detectors.spec import DetectorSpec
from lotus.detectors.windows.builder import Recent, WindowBatch, WindowBuilder
from lotus.detectors.windows.ring import RING_ROWS
from lotus.detectors.windows.row_spec import F_SIGNAL, W_AGE, W_ASSET, W_END
from lotus.errors import ConfigError
from lotus.experts.machine import AnnotationBatch
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.spec import I_ASSET, I_END, I_RECV, I_SEQ
from lotus.microtape.wire.reasons import ControlRecord
from lotus.priors.types import PriorsVersion
from lotus_live.pipeline.day_lane import LaneSpec
from lotus_live.pipeline.shadows import beside, control_texts, read_shadows, warm_ups_ms
from lotus_store.day_tables import shadow_tables

Ints = NDArray[np.int64]
Shadows = tuple[DetectorSpec, ...]


class ShadowBatch:
    """The shadow detectors of one day: those `inherited` at its birth, then those of the controls in its lines."""

    def __init__(
        self,
        base: LaneSpec,
        spec: LaneSpec,
        frames: FrameBatch,
        annotations: AnnotationBatch,
        tables: DayTables,
        priors: Sequence[PriorsVersion],
    ) -> None:
        """Look at a day's frames since its birth; `base` is what all lanes share, `spec` with the day's detectors."""
        self._base = base
        self._spec, self._tables, self._priors = spec, tables, priors
        self._rows = Recent(frames.ints, frames.floats, annotations.values)

    def events(self, controls: Sequence[ControlRecord], inherited: Shadows) -> list[Columns]:
        """Return the shadow detectors' events of every stretch, in scoring order."""
        settled, manifest = self._spec.detectors, self._spec.manifest
        inherited = beside(inherited, settled, manifest)
        cuts = [(0, inherited)] if inherited else []
        for control in controls:
            shadows = named_shadows(control.data, self._base)
            shadows = None if shadows is None else beside(shadows, settled, manifest)
            if shadows is not None and shadows != (cuts[-1][1] if cuts else ()):
                cuts.append((self._cut(control), shadows))
        if not cuts:
            return []
        universe = self._spec.universe
        builder = WindowBuilder(manifest, len(universe), settled)
        plain = Scorer(manifest, universe, settled, self._tables, self._priors, self._spec.branch)
        plain.hear_all(heard(controls))
        self._fed(builder, 0, cuts[0][0], plain)
        since: dict[DetectorSpec, Ints] = {}
        made = []
        stops = [*(cut for cut, _ in cuts[1:]), len(self._rows.ints)]
        for (cut, shadows), stop in zip(cuts, stops, strict=True):
            recent = self._recent(cut, shadows)
            builder.swap((*settled, *shadows), recent if shadows else None)
            since = {d: since[d] if d in since else self._first_ms(recent) for d in shadows}
            scorer = self._scorer(shadows, plain)
            windows = self._fed(builder, cut, stop, plain)
            if shadows:
                made.append(self._scored(scorer, windows, since))
        return made

    def _cut(self, control: ControlRecord) -> int:
        received, number = self._rows.ints[:, I_RECV], self._rows.ints[:, I_SEQ]
        before = (received < control.recv_ns) | ((received == control.recv_ns) & (number < control.seq))
        return int(np.count_nonzero(before))

    def _recent(self, cut: int, shadows: Shadows) -> Recent:
        span_ms = max(warm_ups_ms(shadows, self._spec.manifest).tolist(), default=0)
        rows, first = self._rows, max(0, cut - RING_ROWS)
        kept = np.arange(first, cut)
        kept = kept[rows.ints[kept, I_END] > rows.ints[kept, I_END].max(initial=0) - span_ms]
        return Recent(rows.ints[kept], rows.floats[kept], rows.annotations[kept])

    def _first_ms(self, recent: Recent) -> Ints:
        """Return i8[A]: start of each asset's first recent frame, -1 without one."""
        out = np.full(len(self._spec.universe), -1, np.int64)
        assets, first_rows = np.unique(recent.ints[:, I_ASSET], return_index=True)
        out[assets] = recent.ints[first_rows, I_END] - self._spec.manifest.kernel.cadence_ms
        return out

    def _scorer(self, shadows: Shadows, plain: Scorer) -> Scorer:
        spec, every = self._spec, (*self._spec.detectors, *shadows)
        tables = shadow_tables(self._tables, spec.manifest, spec.universe, every)
        name = self._tables.tables_ver
        scorer = Scorer(spec.manifest, spec.universe, every, tables, self._priors, spec.branch, tables_ver=name)
        scorer.take_over(plain)
        return scorer

    def _fed(self, builder: WindowBuilder, first: int, stop: int, plain: Scorer) -> WindowBatch:
        """Feed frames; take the settled scorer through the windows they closed, and return those."""
        rows, settled = self._rows, self._spec.detectors
        windows = builder.feed_all(rows.ints[first:stop], rows.floats[first:stop], rows.annotations[first:stop])
        width, settled_columns = len(windows.detectors), np.arange(len(settled))
        columns = np.concatenate([np.arange(F_SIGNAL), F_SIGNAL + settled_columns, F_SIGNAL + width + settled_columns])
        plain.feed_all(WindowBatch(settled, windows.window_ms, windows.ints, windows.floats[:, columns]))
        return windows

    def _scored(self, scorer: Scorer, windows: WindowBatch, since: dict[DetectorSpec, Ints]) -> Columns:
        first, window_ms = len(self._spec.detectors), windows.window_ms
        for k, (shadow, from_ms) in enumerate(since.items()):
            (warm_ms,) = warm_ups_ms((shadow,), self._spec.manifest).tolist()
            for asset in np.unique(windows.ints[:, W_ASSET]).tolist():
                own_rows = np.flatnonzero(windows.ints[:, W_ASSET] == asset)
                ends = windows.ints[own_rows, W_END]
                born = ends - (windows.ints[own_rows, W_AGE] + 1) * window_ms
                seen = from_ms[asset] if from_ms[asset] >= 0 else ends[0] - window_ms
                start = np.maximum.accumulate(np.maximum(born, seen))
                windows.floats[own_rows[ends - start < warm_ms], F_SIGNAL + first + k] = 0.0
                from_ms[asset] = start[-1]
        events = scorer.feed_all(windows)
        ours = np.isin(events["detector_id"].astype(str), [d.detector_id for d in since])
        return {name: values[ours] for name, values in events.items()}


def named_shadows(data: dict[str, Any], spec: LaneSpec) -> Shadows | None:
    """Return the shadow detectors that a control record puts in force; None when it changes nothing."""
    texts = control_texts(data)
    try:
        return None if texts is None else read_shadows(texts, spec.detectors, spec.manifest)
    except ConfigError:
        return None
