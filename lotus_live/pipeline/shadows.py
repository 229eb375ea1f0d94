"""Shadow detectors: specifications that run beside the settled ones from one control record of the tape to the next.

The settled set is what the day's tables know. Its rows are scored by their own scorer, as if no shadow detector ran.
The rows of shadow detectors come from a scorer over both, with neutral terms for want of history, and say nothing until
warmed. Only a control record of the tape changes the set. (Literature: champion and challenger, shadow scoring.)
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.scoring.scored import Scored
from lotus.detectors.scoring.scorer import Scorer
from lotus.detectors.spec import DetectorSpec, parse_spec
from lotus.detectors.spec_compile import compile_detectors
from lotus.detectors.windows.builder import Recent
from lotus.detectors.windows.row_spec import F_SIGNAL, W_AGE, W_ASSET, W_END
from lotus.errors import ConfigError, WireError
from lotus.manifest import Manifest
from lotus.microtape.frames.spec import I_ASSET, I_END
from lotus.microtape.wire.frame import decode_frame
from lotus.microtape.wire.types import DaemonFrame
from lotus.priors.types import PriorsVersion
from lotus_store.day_tables import shadow_tables

MAX_SHADOWS: Final = 32

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_parsed = lru_cache(maxsize=256)(parse_spec)


def read_shadows(texts: Sequence[str], settled: Sequence[DetectorSpec], manifest: Manifest) -> tuple[DetectorSpec, ...]:
    """Return the shadow detectors that YAML texts specify, by detector_id, their program compiled.

    Raises `ConfigError` for a text that `lotus detector check` refuses, a name used twice or by a settled detector, and
    a set that is too large for one program.
    """
    if len(texts) > MAX_SHADOWS:
        raise ConfigError(f"{len(texts)} shadow detectors", f"at most {MAX_SHADOWS}")
    parsed = (_parsed(text, f"shadow detector {k}") for k, text in enumerate(texts))
    shadows = tuple(sorted(parsed, key=lambda d: d.detector_id))
    taken = {d.detector_id for d in settled}
    for shadow in shadows:
        if shadow.detector_id in taken:
            text = f"shadow detector {shadow.detector_id}"
            raise ConfigError(text, "a name of its own", "it is settled or stands here twice")
        taken.add(shadow.detector_id)
    compile_detectors((*settled, *shadows), manifest)
    return shadows


def beside(
    shadows: tuple[DetectorSpec, ...], settled: Sequence[DetectorSpec], manifest: Manifest
) -> tuple[DetectorSpec, ...]:
    """Return those of some shadow detectors that run beside the settled ones of a day.

    One whose name is settled on the day does not; none does where all together are too large for one program.
    """
    names = {spec.detector_id for spec in settled}
    kept = tuple(spec for spec in shadows if spec.detector_id not in names)
    try:
        compile_detectors((*settled, *kept), manifest)
    except ConfigError:
        return ()
    return kept


def prepare_shadows(
    texts: Sequence[str],
    settled: Sequence[DetectorSpec],
    manifest: Manifest,
    days: Sequence[Sequence[DetectorSpec]] = (),
) -> None:
    """Read and compile everything that a swap needs, for a thread beside the loop; raises as above.

    `days` are the detectors of the days in work, where candidates were settled.
    """
    shadows = read_shadows(texts, settled, manifest)
    warm_ups_ms(shadows, manifest)
    for detectors in days:
        beside(shadows, detectors, manifest)


def control_texts(data: Any) -> tuple[str, ...] | None:
    """Return the texts of shadow detectors in the data of a control record; None where it has no such list."""
    texts = data.get("detectors") if isinstance(data, dict) else None
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        return None
    return tuple(texts)


def control_data(raw: bytes) -> Any:
    """Return the data of a whole control frame, read as the decoder reads it; None when it cannot be read."""
    try:
        _, message = decode_frame(raw)
    except WireError:
        return None
    return message.data if isinstance(message, DaemonFrame) else None


def warm_ups_ms(shadows: Sequence[DetectorSpec], manifest: Manifest) -> Ints:
    """Return i8[T]: the time that every shadow detector and its siblings must have seen before it speaks."""
    return np.array([compile_detectors((shadow,), manifest).warm_up_ms for shadow in shadows], dtype=np.int64)


class ShadowDetectors:
    """The shadow detectors of one lane from their line on; fed every window that a builder over `detectors` closes."""

    def __init__(
        self,
        shadows: tuple[DetectorSpec, ...],
        settled: Scorer,
        manifest: Manifest,
        priors: Sequence[PriorsVersion],
        recent: Recent,
        before: "ShadowDetectors | None" = None,
    ) -> None:
        """Go on from the settled scorer's state; `recent` warms those that were not among those `before`."""
        self.shadows, self.detectors = shadows, (*settled.detectors, *shadows)
        tables = shadow_tables(settled.tables, manifest, settled.universe, self.detectors)
        name = settled.tables.tables_ver
        self.scorer = Scorer(
            manifest, settled.universe, self.detectors, tables, priors, settled.branch, tables_ver=name
        )
        self.scorer.take_over(settled)
        self._settled, self._first = settled, len(settled.detectors)
        self._window_ms, self._warm_ms = manifest.kernel.window_ms, warm_ups_ms(shadows, manifest)
        width, settled_columns = len(self.detectors), np.arange(self._first)
        columns = F_SIGNAL + settled_columns
        self._narrow = np.concatenate([np.arange(F_SIGNAL), columns, width + columns])
        self._since_ms = np.full((len(settled.universe), len(shadows)), -1, np.int64)
        for asset in np.unique(recent.ints[:, I_ASSET]).tolist():
            first = recent.ints[recent.ints[:, I_ASSET] == asset][0]
            self._since_ms[asset] = first[I_END] - manifest.kernel.cadence_ms
        for k, shadow in enumerate(shadows):
            if before is not None and shadow in before.shadows:
                self._since_ms[:, k] = before._since_ms[:, before.shadows.index(shadow)]

    def score(self, ints: Ints, floats: Floats) -> Scored:
        """Return the rows of one window: those of the settled detectors, then those of the shadow detectors."""
        row = floats.copy()
        since = self._since_ms[ints[W_ASSET]]
        since[since < 0] = ints[W_END] - self._window_ms
        np.maximum(since, ints[W_END] - (ints[W_AGE] + 1) * self._window_ms, out=since)  # state was blank at its birth
        row[F_SIGNAL + self._first : F_SIGNAL + len(self.detectors)][ints[W_END] - since < self._warm_ms] = 0.0
        ours = self.scorer.feed(ints, row)
        ours.put_first(self._settled.feed(ints, row[self._narrow]))
        return ours
