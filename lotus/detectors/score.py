"""The scorer: windows in, SIGNAL_EVENTS rows out; live one window at a time, in batch a whole stretch at once.

Both drive `score_step` in the order in which windows close, so the same windows give the same bits. The scorer holds
one day's tables and a list of priors versions looked up by window end; it reads no history and writes no files.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lotus.detectors import signal_spec as spec
from lotus.detectors.daytables import DayTables
from lotus.detectors.draw import draw_keys
from lotus.detectors.score_step import run_scores, score_window
from lotus.detectors.score_tables import SCORE_STATE_DTYPE, ScoreInputs, score_config, score_terms
from lotus.detectors.spec import DetectorSpec
from lotus.detectors.window_spec import W_END
from lotus.detectors.windows import WindowBatch
from lotus.errors import BeliefError, SchemaError
from lotus.hashing import DIGEST_BYTES
from lotus.manifest import Asset, Manifest
from lotus.microtape.frame_spec import CROSSED, GAP_BEFORE, NO_QUOTE, WARMUP
from lotus.priors.compiled import CompiledPriors, caps_of, compile_priors
from lotus.priors.types import PriorsVersion
from lotus.priors.vocabulary import BIN_COLUMNS, N_FEATURES
from lotus.timebase import DAY_MS, NS_PER_MS

BAD_QUALITY_BITS = NO_QUOTE | CROSSED | GAP_BEFORE | WARMUP
Columns = dict[str, NDArray[np.generic]]


class Scorer:
    """Streaming scorer of one branch and day; feed windows in the order of (close_seq, asset)."""

    def __init__(
        self,
        manifest: Manifest,
        universe: Sequence[Asset],
        detectors: Sequence[DetectorSpec],
        tables: DayTables,
        priors: Sequence[PriorsVersion],
        branch: str,
        nudges: NDArray[np.float64] | None = None,
    ) -> None:
        """Start blank (no surprise, no window before); `nudges` f8 [D]: sums of the curators' log nudges, default 0.

        Raises `SchemaError` for tables of other assets or detectors, `BeliefError` for priors of another branch.
        """
        names = tuple(a.name for a in universe)
        if tables.assets != names:
            raise SchemaError(f"day tables of assets {tables.assets}", str(names), "another universe")
        self.universe, self.detectors, self.tables, self.branch = tuple(universe), tuple(detectors), tables, branch
        nothing = np.zeros(len(self.detectors))
        given = nothing if nudges is None else np.asarray(nudges, dtype=np.float64)
        self._state = np.zeros(len(names), SCORE_STATE_DTYPE)
        self._config = score_config(manifest, BAD_QUALITY_BITS)
        self._terms = score_terms(tables, self.detectors, given, manifest.score.kappa_curator)
        self._edges, self._hbar = tables.edge_array(), tables.hbar_array()
        self._keys = draw_keys(manifest.score.seed, universe, self.detectors)
        self._caps = caps_of(manifest.weave)
        self._window_ms = manifest.kernel.window_ms
        self._ids = _EventIds(branch, self.detectors, self.universe)
        self._priors = self._compile(priors)

    def swap(self, priors: Sequence[PriorsVersion]) -> None:
        """Take another list of versions between two windows; the streaming state stays."""
        self._priors = self._compile(priors)

    def take_over(self, other: "Scorer") -> None:
        """Go on from the streaming state of a scorer of the same assets, whatever its detectors."""
        self._state[:] = other._state

    def feed(self, ints: NDArray[np.int64], floats: NDArray[np.float64]) -> Columns:
        """Score one window row and return its D events as columns of SIGNAL_EVENTS, in detector order.

        Raises `BeliefError` when no priors are in force at the window's end.
        """
        self._check_priors(int(ints[W_END]))
        out = self._outputs(1)
        score_window(self._inputs(), ints, floats, *out)
        return self._table(*out, "live")

    def feed_all(self, windows: WindowBatch, source: str = "batch") -> Columns:
        """Score many windows in order; columns of SIGNAL_EVENTS in scoring order (close_seq, asset, detector)."""
        if windows.detectors != self.detectors:
            raise SchemaError("windows of other detectors", str([d.detector_id for d in self.detectors]))
        if len(windows):
            self._check_priors(int(windows.ints[:, W_END].min()))
        out = self._outputs(len(windows))
        run_scores(self._inputs(), windows.ints, windows.floats, *out)
        return self._table(*out, source)

    def _compile(self, priors: Sequence[PriorsVersion]) -> CompiledPriors:
        others = {p.branch for p in priors} - {self.branch}
        if others:
            raise BeliefError(
                f"priors of branch {sorted(others)}", f"branch {self.branch}", "beliefs never cross branches"
            )
        return compile_priors(priors, [d.detector_id for d in self.detectors])

    def _check_priors(self, end_ms: int) -> None:
        if end_ms < self._priors.effective_from_ms[0]:
            raise BeliefError(f"no priors in force at {end_ms}", "the genesis version or an earlier one")

    def _inputs(self) -> ScoreInputs:
        p = self._priors
        return ScoreInputs(
            self._state, self._config, self._terms, self._edges, self._hbar, self._keys,
            p.braids, p.first, p.count, p.effective_from_ms, self._caps,
        )  # fmt: skip

    def _outputs(self, windows: int) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.uint8]]:
        n = windows * len(self.detectors)
        return np.zeros((n, spec.N_INTS), np.int64), np.zeros((n, spec.N_FLOATS)), np.zeros((n, N_FEATURES), np.uint8)

    def _table(
        self, ints: NDArray[np.int64], floats: NDArray[np.float64], bins: NDArray[np.uint8], source: str
    ) -> Columns:
        asset, detector = ints[:, spec.K_ASSET], ints[:, spec.K_DETECTOR]
        start = ints[:, spec.K_END] - self._window_ms
        made: Columns = {
            "event_id": self._ids.of(asset, detector, start),
            "branch": np.full(len(ints), self.branch, dtype=object),
            "detector_id": _pick([d.detector_id for d in self.detectors], detector),
            "spec_version": np.array([d.version for d in self.detectors], dtype=np.int32)[detector],
            "asset": _pick([a.name for a in self.universe], asset),
            "window_start_ms": start,
            "horizon_s": np.array([d.horizon_s for d in self.detectors], dtype=np.int32)[detector],
            "veto": ints[:, spec.K_VETO].astype(np.uint32),
            "eligible": ints[:, spec.K_VETO] == 0,
            "published": ints[:, spec.K_PUBLISHED] == 1,
            "fired": ints[:, spec.K_FIRED].astype(np.uint64),
            "priors_ver": _pick(self._priors.priors_vers, ints[:, spec.K_VERSION]),
            "tables_ver": np.full(len(ints), self.tables.tables_ver, dtype=object),
            "cond_key": np.ascontiguousarray(ints[:, spec.K_COND]).view(np.uint64),
            "source": np.full(len(ints), source, dtype=object),
        }
        for name in ("window_end_ms", "close_recv_ns", "close_seq", "mid2"):
            made[name] = np.ascontiguousarray(ints[:, spec.KERNEL_INTS.index(name)])
        made |= {name: np.ascontiguousarray(floats[:, k]) for k, name in enumerate(spec.KERNEL_FLOATS)}
        made |= {name: np.ascontiguousarray(bins[:, k]) for k, name in enumerate(BIN_COLUMNS)}
        return {name: made[name] for name in spec.SIGNAL_EVENTS.names}


def score_windows(
    windows: WindowBatch,
    manifest: Manifest,
    universe: Sequence[Asset],
    tables: DayTables,
    priors: Sequence[PriorsVersion],
    branch: str,
) -> Columns:
    """Score windows that start from a blank state; columns of SIGNAL_EVENTS in key order."""
    return in_key_order(Scorer(manifest, universe, windows.detectors, tables, priors, branch).feed_all(windows))


def of_day(events: Columns, start_ms: int) -> Columns:
    """Return the events whose window starts in the UTC day from `start_ms` and was closed by a line received in it."""
    began, closed = events["window_start_ms"].astype(np.int64), events["close_recv_ns"].astype(np.int64)
    keep = (began >= start_ms) & (began < start_ms + DAY_MS) & (closed >= start_ms * NS_PER_MS)
    return {name: values[keep] for name, values in events.items()}


def in_key_order(events: Columns) -> Columns:
    """Return events sorted by (window_end_ms, asset, detector_id), the order of the written table."""
    ranks = []
    for name in ("detector_id", "asset"):
        rank = {text: k for k, text in enumerate(sorted(set(events[name].tolist())))}
        ranks.append(np.array([rank[text] for text in events[name].tolist()], dtype=np.int64))
    order = np.lexsort((*ranks, events["window_end_ms"]))
    return {name: values[order] for name, values in events.items()}


def _pick(names: Sequence[str], index: NDArray[np.int64]) -> NDArray[np.object_]:
    return np.array(names, dtype=object)[index]


class _EventIds:
    """Event identities: natural_id(branch, detector_id, spec_version, asset, window_start_ms), from shared prefixes."""

    def __init__(self, branch: str, detectors: Sequence[DetectorSpec], universe: Sequence[Asset]) -> None:
        self._width = len(detectors)
        self._prefix = [_digest(branch, d.detector_id, d.version, asset.name) for asset in universe for d in detectors]

    def of(
        self, asset: NDArray[np.int64], detector: NDArray[np.int64], start_ms: NDArray[np.int64]
    ) -> NDArray[np.object_]:
        """Return one identity per row."""
        out = np.empty(len(asset), dtype=object)
        which = (asset * self._width + detector).tolist()
        for i, (prefix, start) in enumerate(zip(which, start_ms.tolist(), strict=True)):
            digest = self._prefix[prefix].copy()
            digest.update(_part(start))
            out[i] = digest.hexdigest()
        return out


def _digest(*parts: str | int) -> "hashlib.blake2b":
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for part in parts:
        digest.update(_part(part))
    return digest


def _part(part: str | int) -> bytes:
    raw = repr(part).encode()
    return b"%s:%d:%s" % (type(part).__name__.encode(), len(raw), raw)
