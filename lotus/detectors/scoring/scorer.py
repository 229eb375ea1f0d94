"""The scorer: windows in, rows of SIGNAL_EVENTS out; live one window at a time, in batch a whole stretch at once.

Both drive `step` in the order in which windows close, so the same windows give the same bits. The scorer holds
one day's tables and a list of priors versions looked up by window end; it reads no history and writes no files.
"""

import math
from collections import deque
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from lotus.columns import ranks_of
from lotus.detectors.curators import act_vetoes
from lotus.detectors.daily.asset_groups import groups_of
from lotus.detectors.daily.segment_list import table_program
from lotus.detectors.daily.tables import DayTables
from lotus.detectors.scoring.draw import draw_keys
from lotus.detectors.scoring.others import ClosedWindow, HeardAt, OthersClosed
from lotus.detectors.scoring.records import SCORE_STATE_DTYPE, ScoreInputs, score_config, score_terms
from lotus.detectors.scoring.scored import BATCH, Columns, EventIds, EventNames, Scored
from lotus.detectors.scoring.signal_spec import N_FLOATS, N_INTS, PERSON, SIGNAL_EVENTS
from lotus.detectors.scoring.step import run_scores, score_window
from lotus.detectors.spec import DetectorSpec
from lotus.detectors.windows.builder import WindowBatch
from lotus.detectors.windows.row_spec import W_END, W_RECV, W_SEQ
from lotus.errors import BeliefError, SchemaError
from lotus.jit_entry import entry_point
from lotus.manifest import Asset, Manifest
from lotus.microtape.frames.spec import CROSSED, GAP_BEFORE, NO_QUOTE, WARMUP
from lotus.priors.compiled import caps_of, compile_priors
from lotus.priors.types import PriorsVersion
from lotus.priors.vocabulary import N_FEATURES
from lotus.timebase import DAY_MS, NS_PER_MS

BAD_QUALITY_BITS = NO_QUOTE | CROSSED | GAP_BEFORE | WARMUP
Rows = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.uint8]]


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
        tables_ver: str = "",
    ) -> None:
        """Start blank (no surprise, no window before).

        `tables_ver` is what rows call their tables when that is not the tables' own name.

        Raises `SchemaError` for tables of other assets or detectors, `BeliefError` for priors of another branch.
        """
        names = tuple(a.name for a in universe)
        if tables.assets != names:
            raise SchemaError(f"day tables of assets {tables.assets}", str(names), "another universe")
        self.universe, self.detectors, self.tables, self.branch = tuple(universe), tuple(detectors), tables, branch
        self._tables_ver = tables_ver or tables.tables_ver
        self._state = np.zeros(len(names), SCORE_STATE_DTYPE)
        self._config = score_config(manifest, BAD_QUALITY_BITS)
        self._terms = score_terms(tables, self.detectors, manifest.score)
        self._edges, self._hbar = tables.edge_array(), tables.hbar_array()
        self._keys = draw_keys(manifest.score.seed, universe, self.detectors)
        self._groups, self._vetoes = groups_of(tables), act_vetoes(tables)
        self._segments = table_program(tables)
        self._caps = caps_of(manifest.weave)
        self._ids = EventIds(branch, self.detectors, self.universe, manifest.kernel.window_ms)
        self._window_ms = manifest.kernel.window_ms
        self._places = {name: a for a, name in enumerate(names)}
        self._coming: deque[HeardAt] = deque()  # records of other shards that a batch has not reached
        self.swap(priors)

    def swap(self, priors: Sequence[PriorsVersion]) -> None:
        """Take another list of versions between two windows; the streaming state stays."""
        others = {p.branch for p in priors} - {self.branch}
        if others:
            raise BeliefError(
                f"priors of branch {sorted(others)}", f"branch {self.branch}", "beliefs never cross branches"
            )
        compiled = compile_priors(priors, [d.detector_id for d in self.detectors])
        self._from_ms = int(compiled.effective_from_ms[0])
        self._names = EventNames(
            branch=self.branch,
            universe=self.universe,
            detectors=self.detectors,
            tables_ver=self._tables_ver,
            priors_vers=compiled.priors_vers,
            window_ms=self._window_ms,
            ids=self._ids,
        )
        self._inputs = ScoreInputs(
            self._state, self._config, self._terms, self._edges, self._hbar, self._keys, self._groups,
            self._segments, self._vetoes, compiled.braids, compiled.first, compiled.count, compiled.effective_from_ms,
            self._caps,
        )  # fmt: skip
        window = np.zeros(1, np.int64), np.zeros(1)
        self._score = entry_point(score_window, self._inputs, *window, *self._rows(1))

    def bar(self, pairs: NDArray[np.bool_]) -> None:
        """From the next window on, veto for people the windows of bool[A, D] `pairs` beside what the tables veto."""
        self._vetoes[:] = act_vetoes(self.tables) | np.where(pairs, PERSON, 0)

    def take_over(self, other: "Scorer") -> None:
        """Go on from the streaming state of a scorer of the same assets, whatever its detectors."""
        self._state[:] = other._state
        self._coming = deque(other._coming)

    def hear(self, others: OthersClosed) -> None:
        """Take in what coins of other shards closed, for the windows scored from now on.

        A coin whose newer window is there already stays as it is; missing ones count as part of the market.
        """
        end_ms = others.window_end_ms
        for name in (*others.missing, *(one.asset for one in others.closed)):
            if name in self._places:
                self._state[self._places[name]]["seen"] = 1
        for one in others.closed:
            at = self._places.get(one.asset)
            if at is None or end_ms < self._state[at]["closed"].max():
                continue
            state = self._state[at]
            slot = int(np.argmax(np.where(state["closed"] == end_ms, np.inf, -state["closed"].astype(np.float64))))
            state["closed"][slot] = end_ms
            state["cos"][slot] = math.nan if one.phase_cos is None else one.phase_cos
            state["sin"][slot] = math.nan if one.phase_sin is None else one.phase_sin
            state["up"][slot], state["down"][slot] = one.ups, one.downs

    def hear_all(self, records: Iterable[HeardAt]) -> None:
        """Obey these records, in their order, between the windows that `feed_all` takes."""
        self._coming.extend(records)

    def closed(self, end_ms: int, names: Iterable[str]) -> list[ClosedWindow]:
        """Return what other shards need of these assets' windows that ended at `end_ms`, of those that closed."""
        out = []
        for name in names:
            state = self._state[self._places[name]]
            for slot in np.flatnonzero(state["closed"] == end_ms):
                cos, sin, up, down = (state[column][slot].item() for column in ("cos", "sin", "up", "down"))
                cos, sin = (None, None) if math.isnan(cos) else (cos, sin)
                out.append(ClosedWindow(name, cos, sin, int(up), int(down)))
        return out

    @property
    def inputs(self) -> ScoreInputs:
        """What the kernels read, versions in the order of `swap`; nobody writes into the arrays."""
        return self._inputs

    def feed(self, ints: NDArray[np.int64], floats: NDArray[np.float64]) -> Scored:
        """Score one window row (contiguous, as builders make it) and return its D rows, in detector order.

        Raises `BeliefError` when no priors are in force at the window's end.
        """
        self._check_priors(ints.item(W_END))
        rows = self._rows(1)
        return Scored(self._names, *rows, self._score(self._inputs, ints, floats, *rows))

    def feed_all(
        self, windows: WindowBatch, source: str = BATCH, wanted: Sequence[str] = SIGNAL_EVENTS.names
    ) -> Columns:
        """Score many windows in order; wanted columns of SIGNAL_EVENTS by close_seq, asset and detector."""
        if windows.detectors != self.detectors:
            raise SchemaError("windows of other detectors", str([d.detector_id for d in self.detectors]))
        if len(windows):
            self._check_priors(int(windows.ints[:, W_END].min()))
        rows = self._rows(len(windows))
        published = self._run(windows, rows)
        return Scored(self._names, *rows, published).columns(source, wanted)

    def _run(self, windows: WindowBatch, rows: Rows) -> int:
        """Score windows into their rows and obey the records between them; return how many rows were published."""
        done = published = 0
        received, number, width = windows.ints[:, W_RECV], windows.ints[:, W_SEQ], len(self.detectors)
        while self._coming and done < len(windows):
            at = self._coming[0]
            first, after = np.searchsorted(received, [at.recv_ns, at.recv_ns + 1])
            stop = max(done, int(first + np.count_nonzero(number[first:after] < at.seq)))
            if stop == len(windows):
                break
            published += self._stretch(windows, rows, slice(done, stop), width)
            self.hear(self._coming.popleft().others)
            done = stop
        return published + self._stretch(windows, rows, slice(done, len(windows)), width)

    def _stretch(self, windows: WindowBatch, rows: Rows, part: slice, width: int) -> int:
        into = slice(part.start * width, part.stop * width)
        ints, floats, bins = rows
        out = ints[into], floats[into], bins[into]
        return int(run_scores(self._inputs, windows.ints[part], windows.floats[part], *out))

    def _check_priors(self, end_ms: int) -> None:
        if end_ms < self._from_ms:
            raise BeliefError(f"no priors in force at {end_ms}", "the genesis version or an earlier one")

    def _rows(self, windows: int) -> Rows:
        n = windows * len(self.detectors)
        return np.empty((n, N_INTS), np.int64), np.empty((n, N_FLOATS)), np.empty((n, N_FEATURES), np.uint8)


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
    """Return, in key order, the events whose window starts in the UTC day from `start_ms` and was closed in it.

    What closed it is a line received in the day.
    """
    began, closed = events["window_start_ms"].astype(np.int64), events["close_recv_ns"].astype(np.int64)
    kept = np.flatnonzero((began >= start_ms) & (began < start_ms + DAY_MS) & (closed >= start_ms * NS_PER_MS))
    rows = kept[_key_order({name: events[name][kept] for name in _KEY})]
    return {name: values[rows] for name, values in events.items()}


def in_key_order(events: Columns) -> Columns:
    """Return events sorted by (window_end_ms, asset, detector_id), the order of the written table."""
    order = _key_order(events)
    return {name: values[order] for name, values in events.items()}


_KEY = ("detector_id", "asset", "window_end_ms")


def _key_order(events: Columns) -> NDArray[np.int64]:
    ranks = [ranks_of(events[name]) for name in _KEY[:2]]
    return np.lexsort((*ranks, events["window_end_ms"]))
