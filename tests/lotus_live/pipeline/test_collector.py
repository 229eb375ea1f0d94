"""Budget cues live equal those of the batch: every window of a live lane, one by one, against the whole day at once."""

from dataclasses import replace

import numpy as np
from tapes import MANIFEST, UNIVERSE, in_order, market, numbered

from lotus.detectors.meta_signals import META_SIGNALS, MetaSignals
from lotus.detectors.registry import shipped_detectors
from lotus.detectors.scoring.scored import Columns
from lotus.hashing import content_hash
from lotus.priors.types import priors_0
from lotus.priors.vocabulary import ALIGNED, FEATURE_NAMES, N_BINS
from lotus_live.parity import FixedBeliefs, neutral_beliefs
from lotus_live.pipeline.batch import score_tape
from lotus_live.pipeline.collector import DayCollector
from lotus_live.pipeline.day_lane import LaneSpec
from lotus_live.pipeline.lines import Pipeline

SPEC = LaneSpec(MANIFEST, UNIVERSE, shipped_detectors(), "main")
SIZE = {"depth_slope": (0.05, 0.4), "oi": (9e3, 1.1e4), "spread": (0.1, 3.0), "funding": (0.05,), "basis": (2.0,)}


def with_edges() -> FixedBeliefs:
    """Tables whose outer edges are of the size of the tape's values, so that every component is measured."""
    tables = neutral_beliefs(SPEC).tables("1970-01-01")
    features = []
    for name, aligned, bins in zip(FEATURE_NAMES, ALIGNED, N_BINS, strict=True):
        size = SIZE.get(name, (1.0,))
        low, high = (-size[0], size[0]) if aligned or len(size) == 1 else size
        features.append(tuple(np.linspace(low, high, bins - 1).tolist()))
    return FixedBeliefs(replace(tables, edges=(tuple(features),) * len(UNIVERSE)), (priors_0("main"),))


def joined(parts: list[Columns]) -> Columns:
    """Return the rows of all parts in the order of the written table."""
    rows = {name: np.concatenate([p[name] for p in parts]) for name in META_SIGNALS.names}
    order = np.lexsort((rows["asset"].astype(str), rows["window_end_ms"]))
    return {name: values[order] for name, values in rows.items()}


def test_a_live_lane_gives_the_cues_of_the_batch() -> None:
    beliefs = with_edges()
    tables = beliefs.tables("2026-03-04")
    lines = in_order(market("2026-03-04", "09:00", 600, step_ms=250, seed=5))
    pipeline = Pipeline(SPEC, beliefs, lambda _: DayCollector())
    live, parts = MetaSignals(5_000, tables), []
    for line in numbered(lines):
        parts += [live.feed(scored.columns()) for scored in pipeline.feed(line.recv_ns, line.seq, line.raw).scored]
    (day,) = score_tape(numbered(lines), SPEC, beliefs)
    batch = MetaSignals(5_000, tables).feed(day.events)
    assert content_hash(joined(parts)) == content_hash(joined([batch]))
    assert len(parts) == len(batch["asset"]) == 3 * 119
    assert np.isfinite(batch["ms_asym_score"]).sum() > 200
    assert np.isfinite(batch["ms_asym_market"]).sum() > 200
    assert (batch["ms_absent"] == 0b1100000).any()
