"""Days of outcomes that the decision-maker learns from."""

import numpy as np

from lotus.columns import TableSpec
from lotus.decision.knowledge.evidence import EVENT_COLUMNS
from lotus.decision.knowledge.plan_terms import excursion_columns
from lotus.detectors.scoring.signal_spec import SIGNAL_EVENTS
from lotus.microtape.frames.spec import FLOAT_COLUMNS, INT_COLUMNS
from lotus.outcomes.signal_eval import signal_eval_spec
from lotus.priors.types import PriorsVersion, priors_0
from lotus.timebase import day_start_ms, next_day
from lotus_assets.stages.context import StageContext, StageResult
from lotus_assets.stages.modules import dm_evidence, dm_knowledge
from lotus_assets.stages.modules.fired_claims import FIRED_COLUMNS
from lotus_assets.stages.runner import run_stage
from lotus_store.databases import Connection
from lotus_store.ledger.day_commits import DayCommit, commit_day
from lotus_store.ledger.trading.knowledge import Knowledge, knowledge_before

HORIZONS = (30, 300)
EDGES = {"winner": 6.0, "loser": -6.0}  # bps at a score of one
EVENTS = TableSpec(
    "signal_events", SIGNAL_EVENTS.key, tuple(SIGNAL_EVENTS.column(name) for name in (*EVENT_COLUMNS, *FIRED_COLUMNS))
)
EVALUATED = TableSpec(
    "signal_eval", (), tuple(signal_eval_spec(HORIZONS).column(name) for name in excursion_columns(HORIZONS))
)
FRAME = {c.name: c.column() for c in (*INT_COLUMNS, *FLOAT_COLUMNS)}
FRAMES = TableSpec("microtape_frames", ("end_ms",), (FRAME["end_ms"], FRAME["mid"]))


def a_day(ctx: StageContext, day: str, seed: int, version: PriorsVersion | None = None, kept_bps: float = 0.0) -> None:
    """Write and commit a day of windows of two detectors, what became of them, and the frames of three coins.

    Under `version` its first braid of each detector fires in every second group of windows, which pays `kept_bps` more.
    """
    rng, n, start = np.random.default_rng(seed), 240, day_start_ms(day)
    side, score = rng.choice([-1.0, 1.0], n), rng.uniform(0.1, 0.9, n)
    detector = np.array(list(EDGES), dtype=object)[np.arange(n) % 2]
    fires = (np.arange(n) // 4 % 2).astype(np.uint64) * np.uint64(version is not None)
    edge = np.array([EDGES[name] for name in detector]) * score + kept_bps * fires
    moved = side * (edge + rng.normal(size=n))
    asset = np.array(["BTC", "ETH"], dtype=object)[np.arange(n) // 2 % 2]
    ends = start + 300_000 * (1 + np.arange(n) // 2)
    tables = {
        EVENTS: {
            "detector_id": detector, "asset": asset, "window_end_ms": ends, "s": side * score,
            "spec_version": np.ones(n, np.int32), "horizon_s": np.full(n, 300, np.int32),
            "ln_sigma_tilde": np.zeros(n), "eligible": np.ones(n, np.bool_),
            "b_vol": (np.arange(n) // 4 % 5).astype(np.uint8),
            "fired": fires, "priors_ver": np.full(n, (version or priors_0(ctx.branch)).priors_ver, object),
        },
        EVALUATED: {
            "detector_id": detector, "asset": asset, "window_end_ms": ends,
            "status": np.array(["ok"] * n, dtype=object), "horizon_s": np.full(n, 300, np.int32),
            "fwd_ret_bps_30": moved / 5.0, "fwd_ret_bps_300": moved,
            **{f"mfe_{h}": np.maximum(side * moved, 0.0) for h in HORIZONS},
            **{f"mae_{h}": np.minimum(side * moved, 0.0) for h in HORIZONS},
        },
    }  # fmt: skip
    for spec, columns in tables.items():
        written = ctx.lake.write(spec, ctx.branch, day, columns)
        commit_day(ctx.sig, DayCommit(ctx.branch, day, spec.name, written.content_hash, written.rows, ""))
    parts = []
    for coin in ("BTC", "ETH", "SOL"):
        ends = start + 10_000 * np.arange(1, 361, dtype=np.int64)
        mid = 1e5 * np.exp(np.cumsum(rng.normal(size=len(ends)) * 1e-4))
        parts.append(ctx.lake.write(FRAMES, ctx.tape_branch, day, {"end_ms": ends, "mid": mid}, coin).content_hash)
    commit_day(ctx.sig, DayCommit(ctx.tape_branch, day, FRAMES.name, "".join(parts), 0, ""))


def night(ctx: StageContext, day: str) -> StageResult:
    """Run both stages of a day."""
    for stage in (dm_evidence.STAGE, dm_knowledge.STAGE):
        result = run_stage(ctx, stage, day)
        assert not result.failed_checks, result.failed_checks
    return result


def known(dm: Connection, branch: str, day: str) -> Knowledge:
    """What is known after a day."""
    found = knowledge_before(dm, branch, next_day(day))
    assert found is not None
    assert found.day == day
    return found
