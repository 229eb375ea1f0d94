"""`lab.score`: days of a tape scored by one detector, with the kernels, tables and tape rules of the daily run.

A day is scored under the tables that its branch froze for it, where the lake has them, else under those of a first day;
a detector that they do not know has neutral terms, as a shadow detector has. Beliefs stand in a ledger, which is not
asked: windows are drawn as without any. Outcomes are judged by the day on which they mature, from tape alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.daily.make import day_tables
from lotus.detectors.daily.tables import DayTables
from lotus.detectors.entry_style import EntryStyle
from lotus.detectors.registry import known_detectors, scored_detectors
from lotus.detectors.scoring.scorer import Scorer, of_day
from lotus.detectors.scoring.signal_spec import SIGNAL_EVENTS
from lotus.detectors.spec import DetectorSpec, parse_spec
from lotus.detectors.windows.builder import WindowBatch, build_windows
from lotus.errors import ConfigError
from lotus.experts.annotation_spec import DSI_ANNOTATIONS
from lotus.experts.machine import AnnotationBatch, annotate
from lotus.outcomes.evaluate import mature
from lotus.outcomes.sanity import detector_series, sanity_table
from lotus.outcomes.signal_eval import OK
from lotus.outcomes.styles import StyleTape, declared
from lotus.priors.types import priors_0
from lotus.timebase import day_start_ms, next_day
from lotus_lab.tapes.day import DecodedDay, TapeOfDay, read_day
from lotus_lab.tapes.tape import RecordedTape
from lotus_store.columns import concatenated
from lotus_store.day_tables import shadow_tables, tables_of_day
from lotus_store.facts.detectors import DetectorCost, cost_of
from lotus_store.tape.annotations import read_day_annotations

if TYPE_CHECKING:
    import pandas as pd

Columns = Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True)
class ScoredDays:
    """What a detector said on some days of a tape, and what became of it; a notebook shows the verdict.

    `windows`: columns of `signal_events`, a row for every whole window. `payoffs`: those of `signal_eval`, for windows
    whose longest horizon matured by the last of the days. `sanity`: those of `sanity_table`, by day. `cost`: what the
    detector takes.
    """

    detector: DetectorSpec
    days: tuple[str, ...]
    windows: "pd.DataFrame" = field(repr=False)
    payoffs: "pd.DataFrame" = field(repr=False)
    sanity: "pd.DataFrame" = field(repr=False)
    cost: DetectorCost

    def verdict(self) -> str:
        """Return in one sentence how often it spoke and what a probe of each signal would have paid."""
        spoken = self.windows["s"] != 0.0
        ids = set(self.windows.loc[spoken, "event_id"])
        paid = self.payoffs[self.payoffs["event_id"].isin(ids) & (self.payoffs["status"] == OK)]["payoff_p"].dropna()
        head = f"{self.detector.detector_id} spoke in {int(spoken.sum()):,} of {len(spoken):,} windows"
        if paid.empty:
            return f"{head}; none of them matured whole"
        return (
            f"{head}; a probe of each paid {paid.mean():+.2f} bps net over {self.detector.horizon_s} s on average "
            f"({len(paid):,} matured; described, not tested)"
        )

    def _repr_html_(self) -> str:
        return f"<p>{self.verdict()}</p>{self.sanity.to_html(index=False)}"


def score(
    tape: RecordedTape, detector: str | Path | DetectorSpec, days: str | Sequence[str] | None = None
) -> ScoredDays:
    """Score a day or days of a tape (None: the last one) with a detector: the path of its file, a shipped one's name.

    A day is in memory as a whole, one at a time. Raises `ConfigError` for a file that `lotus detector check` refuses or
    that takes a shipped detector's name, and `TapeError` for a day that the tape has not or that memory does not hold.
    """
    import pandas as pd

    if not isinstance(tape, RecordedTape):
        raise ConfigError(f"the tape is a {type(tape).__name__}", "what lab.tape returns")
    spec = _spec_of(detector)
    chosen = sorted({days} if isinstance(days, str) else set(tape.days[-1:] if days is None else days))
    if not chosen:
        raise ConfigError("no day to score", f"days of tape {tape.name}", "an empty list, or a tape without a day")
    for day in chosen:
        tape.check_day(day)
    cost = cost_of(spec, tape.manifest)
    windows, payoffs, sanity = [], [], []
    before: tuple[TapeOfDay, Columns] | None = None  # frames of one day at a time are in memory
    for day in chosen:
        read = read_day(tape.store, tape.manifest, day)
        annotations = _annotations(tape, read)
        scored, built = _scored(tape, spec, read, annotations)
        windows.append(pd.DataFrame(dict(scored)))
        beside = before if before is not None and before[0].day == next_day(day, -1) else None
        payoffs.append(pd.DataFrame(_matured(tape, spec, [*([beside] if beside else []), (read.tape, scored)])))
        sanity.append(_sanity(tape, spec, read, built))
        before = read.tape, scored
        del read, annotations, built
    joined, matured, judged = (pd.concat(parts, ignore_index=True) for parts in (windows, payoffs, sanity))
    return ScoredDays(spec, tuple(chosen), joined, matured, judged, cost)


def _spec_of(detector: str | Path | DetectorSpec) -> DetectorSpec:
    shipped = {d.detector_id: d for d in known_detectors()}
    if isinstance(detector, str) and detector in shipped:
        return shipped[detector]
    spec = detector if isinstance(detector, DetectorSpec) else _read(Path(detector), shipped)
    if spec.detector_id in shipped and shipped[spec.detector_id].spec_id != spec.spec_id:
        raise ConfigError(f"detector {spec.detector_id}", "a name of its own", "a shipped detector has it")
    return spec


def _read(path: Path, shipped: Mapping[str, DetectorSpec]) -> DetectorSpec:
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        wanted = f"a detector's YAML file, or one of {', '.join(shipped)}"
        raise ConfigError(f"{path}: {error.strerror}", wanted, "misspelled?") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is no text: byte {error.start}", "UTF-8", "another kind of file") from None
    return parse_spec(text, str(path))


def _annotations(tape: RecordedTape, read: DecodedDay) -> AnnotationBatch:
    """Return what the experts in force on the branch say of a day: what a learned set wrote, else those as shipped."""
    coin = tape.coins[0]
    if tape.lake.exists(DSI_ANNOTATIONS.name, tape.branch, read.day, coin):
        return read_day_annotations(tape.lake, tape.branch, read.day, read.frames)
    return annotate(read.frames, window_ms=tape.manifest.kernel.window_ms)


def _scored(
    tape: RecordedTape, spec: DetectorSpec, read: DecodedDay, annotations: AnnotationBatch
) -> tuple[dict[str, Any], WindowBatch]:
    """Return the detector's events of a day in key order, and the windows of all detectors that were scored."""
    settled = scored_detectors(tape.manifest)
    universe, tables = tape.manifest.universe, _tables(tape, settled, read.day)
    every = settled if spec.detector_id in tables.detector_ids else (*settled, spec)
    if every is not settled:
        tables = shadow_tables(tables, tape.manifest, universe, every)
    windows = build_windows(read.frames, annotations, tape.manifest, every)
    scorer = Scorer(tape.manifest, universe, every, tables, [priors_0(tape.branch)], tape.branch)
    events = of_day(scorer.feed_all(windows), day_start_ms(read.day))
    own_rows = events["detector_id"] == spec.detector_id
    return {name: events[name][own_rows] for name in SIGNAL_EVENTS.names}, windows


def _tables(tape: RecordedTape, settled: Sequence[DetectorSpec], day: str) -> DayTables:
    if tape.lake.exists(SIGNAL_EVENTS.name, tape.branch, day):
        return tables_of_day(tape.lake, tape.branch, day)
    return day_tables(day, [], tape.manifest, tape.manifest.universe, settled)


def _matured(tape: RecordedTape, spec: DetectorSpec, days: Sequence[tuple[TapeOfDay, Columns]]) -> Columns:
    """Return the outcomes of what matured on the last of one or two days that follow each other."""
    day = days[-1][0].day
    events = concatenated([scored for _, scored in days])
    quotes, prints, gaps = (
        _by_asset([getattr(read, name) for read, _ in days], len(tape.coins)) for name in ("quotes", "prints", "gaps")
    )
    rows = mature(events, quotes, gaps, tape.manifest, day)
    if spec.entry.style is EntryStyle.CROSS:
        return rows
    paid_for = {spec.detector_id: spec.entry}
    return declared(rows, events, StyleTape(quotes, prints, gaps), paid_for, tape.manifest, day_start_ms(next_day(day)))


def _by_asset(tables: Sequence[Columns], assets: int) -> dict[str, Any]:
    """Return the rows of tables asset by asset, each asset's in the order of the tables."""
    parts = ({n: v[t["asset"] == k] for n, v in t.items()} for k in range(assets) for t in tables)
    return concatenated(list(parts))


def _sanity(tape: RecordedTape, spec: DetectorSpec, read: DecodedDay, windows: WindowBatch) -> "pd.DataFrame":
    import pandas as pd

    frames = read.frames.of_day(day_start_ms(read.day))
    own = [s for s in detector_series(windows, frames.cadence_ms) if s.name == spec.detector_id]
    table = pd.DataFrame(sanity_table(frames, own, tape.manifest.outcomes.taker_fee_bps))
    table.insert(0, "day", read.day)
    return table
