"""Whole days: a daemon that ran through midnight, and one fed a single day with its warm-up, emit what batch stores.

Of `lotus_live.live` beside `lotus_assets.stages.runner`.
"""

from pathlib import Path

import numpy as np
import pytest

from lotus.detectors.scoring.scored import Columns
from lotus.detectors.scoring.signal_spec import SIGNAL_EVENTS
from lotus.experts.fusion import default_experts
from lotus.experts.weekly.learned import InForce, LearnedSettings, experts_with
from lotus.simulation.spec import WorldSpec
from lotus.simulation.world import World
from lotus.timebase import DAY_MS, day_start_ms
from lotus_assets.catalogue import LEARNING_ASSETS
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.order import LEARNING_STAGES, TAPE_STAGES
from lotus_assets.stages.runner import run_stage
from lotus_live.feed.tape_file import TapeDay
from lotus_live.live import run_live
from lotus_live.parity import events_hash
from lotus_resources.lotus_resource import Lotus
from lotus_store.ledger.beliefs.expert_sets import write_expert_set
from lotus_store.ledger.day_commits import read_commit
from lotus_store.tape.header import HeaderAsset, TapeHeader
from lotus_store.tape.store import TapeStore

SPEC = WorldSpec("demo", seed=5, days=2, sessions=(("00:00", "00:06"), ("21:56", "22:02"), ("23:54", "24:00")))
DAYS = [SPEC.day(0), SPEC.day(1)]
ASIDE = {"sanity_table", "detector_audits", "detector_cards", "meta_signals", "expert_training", "expert_stats"}
ASIDE |= {"governance_day"}  # it names every table of a night
ASIDE |= {entry.name for entry in LEARNING_ASSETS if any(dep in ASIDE and at == "same_day" for dep, at in entry.deps)}


def record(store: TapeStore) -> None:
    """Write the world as a recorder would: each line into the day in which it was received."""
    world = World(SPEC)
    store.write_header(TapeHeader(store.tape, "world", tuple(HeaderAsset(a.name, a.sz_decimals) for a in SPEC.assets)))
    with store.writer() as writer:
        for day in range(SPEC.days):
            for session in range(len(SPEC.sessions)):
                for _, lines in world.span_chunks(day, session):
                    for line in lines.splitlines():
                        stamp, _, raw = line.partition(b" ")
                        if int(stamp) < (day_start_ms(DAYS[1]) + DAY_MS) * 1_000_000:
                            writer.append(int(stamp), raw)


@pytest.fixture(scope="module")
def tape_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose tape holds the busy minutes of two whole days."""
    home = tmp_path_factory.mktemp("midnight")
    record(TapeStore(home, "tiny"))
    return home


def stored(ctx: StageContext, day: str) -> Columns:
    """Return the day's events from the lake."""
    return ctx.lake.read("signal_events", ctx.branch, day, spec=SIGNAL_EVENTS)


def away_from_half(evidence: np.ndarray) -> np.ndarray:
    """Return |evidence - 1/2| where it is known: events have it aligned with their signal."""
    return np.round(np.abs(evidence[np.isfinite(evidence)] - 0.5), 12)


@pytest.mark.process("two whole days in batch and five times live")
def test_live_and_batch_agree_across_midnight(ctx: StageContext, lotus: Lotus) -> None:
    for day in DAYS:
        for stage in (*TAPE_STAGES, *LEARNING_STAGES):
            assert not run_stage(ctx, stage, day).failed_checks
    alone = [run_live(ctx.settings, TapeDay(ctx.tape, day), databases=lotus.databases) for day in DAYS]
    assert [run.events_hash for run in alone] == [events_hash(stored(ctx, day)) for day in DAYS]
    again = run_live(ctx.settings, TapeDay(ctx.tape, DAYS[1]), databases=lotus.databases)
    assert again.status["rebuilt"] == alone[1].status["lines"] > 0
    assert again.events_hash == alone[1].events_hash
    files = [ctx.tape.folder / meta.day / meta.name for meta in ctx.tape.all_segments()]
    through = run_live(ctx.settings, files, databases=lotus.databases)
    both = [stored(ctx, day) for day in DAYS]
    assert through.events_hash == events_hash({n: np.concatenate([part[n] for part in both]) for n in both[0]})
    last = [file for file in files if file.parent.name == DAYS[1]]
    cold = run_live(ctx.settings, last, databases=lotus.databases)
    assert cold.events_hash != alone[1].events_hash, "the evening before must warm the day"


@pytest.mark.process("two whole days in batch and live")
def test_live_and_batch_agree_when_the_experts_change_at_midnight(ctx: StageContext, lotus: Lotus) -> None:
    base = default_experts()
    learned = LearnedSettings(
        base.version,
        weights=tuple((name, 2.0 * v.weight) for name, v in base.fusion.voices.items()),
        off=("squeeze", "micro_lean"),
        evidence=((0.2, 0.4), (0.8, 0.6)),
    )
    write_expert_set(ctx.sig, ctx.branch, InForce(DAYS[1], "2026-01-04", learned))
    for day in DAYS:
        for stage in (s for s in (*TAPE_STAGES, *LEARNING_STAGES) if s.name not in ASIDE):
            assert not run_stage(ctx, stage, day).failed_checks
    told = [read_commit(ctx.sig, ctx.branch, day, "expert_set") for day in DAYS]
    assert [c.notes["notes"]["experts_ver"] for c in told if c] == [base.version, experts_with(learned).version]
    assert [ctx.lake.days("dsi_annotations", b) for b in (ctx.tape_branch, ctx.branch)] == [DAYS, DAYS[1:]]
    files = [ctx.tape.folder / meta.day / meta.name for meta in ctx.tape.all_segments()]
    through = run_live(ctx.settings, files, databases=lotus.databases)
    both = [stored(ctx, day) for day in DAYS]
    assert through.events_hash == events_hash({n: np.concatenate([part[n] for part in both]) for n in both[0]})
    for asset in ctx.manifest.universe:
        shared, own = (
            away_from_half(ctx.lake.read("dsi_annotations", branch, DAYS[1], asset.name)["mx_evidence"])
            for branch in (ctx.tape_branch, ctx.branch)
        )
        mine = away_from_half(both[1]["mx_evidence"][both[1]["asset"] == asset.name])
        assert np.isin(mine, own).all()
        assert not np.isin(mine, shared).all()
