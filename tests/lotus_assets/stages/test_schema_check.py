"""Blocking checks: doctored rows fail, and what fails is not committed and stops what comes after."""

from dataclasses import replace
from types import MappingProxyType

import dagster as dg
import numpy as np
import pytest

from lotus.columns import Column, TableSpec
from lotus.detectors.scoring.signal_spec import SIGNAL_EVENTS
from lotus.errors import BeliefError
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.machine import FrameStream
from lotus.microtape.frames.spec import MICROTAPE_FRAMES
from lotus_assets.definitions import build_definitions
from lotus_assets.stages import schema_check as schema_check_module
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.order import TAPE_STAGES
from lotus_assets.stages.runner import run_stage
from lotus_assets.stages.schema_check import fits, schema_check
from lotus_assets.stages.scoring import signal_events
from lotus_assets.stages.tape import dsi_annotations, tape_input
from lotus_resources.lotus_resource import Lotus
from lotus_store.ledger.day_commits import read_commit


@pytest.mark.process("whole days through their stages")
@pytest.mark.warm("first_day")
def test_schema_finds_range_type_infinity_and_repeated_keys(scored: StageContext, days: list[str]) -> None:
    sound = scored.lake.read("microtape_frames", scored.tape_branch, days[0], "BTC")
    assert schema_check(MICROTAPE_FRAMES, sound).passed
    for name, value in (("imb_1", 3.0), ("mid", np.inf), ("spread_bps", -1.0)):
        doctored = {**sound, name: np.where(np.arange(len(sound[name])) == 7, value, sound[name])}
        outcome = schema_check(MICROTAPE_FRAMES, doctored)
        assert not outcome.passed
        assert name in outcome.text
    assert not schema_check(MICROTAPE_FRAMES, {**sound, "asset": sound["asset"].astype(np.int64)}).passed
    twice = {name: np.concatenate([values, values[-1:]]) for name, values in sound.items()}
    assert "repeat the key" in schema_check(MICROTAPE_FRAMES, twice).text


@pytest.mark.process("whole days through their stages")
@pytest.mark.warm("first_day")
def test_overlap_finds_a_leaked_publication_and_a_deterministic_one(scored: StageContext, days: list[str]) -> None:
    events = scored.lake.read("signal_events", scored.branch, days[0], spec=SIGNAL_EVENTS)
    floors = scored.manifest.score.epsilon, scored.manifest.weave.trust_floor
    assert signal_events.overlap_check(events, *floors).passed
    vetoed, eligible = np.flatnonzero(~events["eligible"])[0], np.flatnonzero(events["eligible"])[0]
    nearer = 0.5 * events["pi"][eligible] + 0.25
    chances = ((vetoed, "pi", 0.1), (eligible, "pi", 1.0), (eligible, "pi", nearer), (eligible, "gate", 0.5))
    for row, name, value in ((vetoed, "published", True), *chances):
        doctored = {**events, name: events[name].copy()}
        doctored[name][row] = value
        assert not signal_events.overlap_check(doctored, *floors).passed
    of_one = events["detector_id"] == events["detector_id"][eligible]
    at_floor = {**events, "pi": np.where(of_one & events["eligible"], floors[0], events["pi"])}
    assert signal_events.overlap_check(at_floor, *floors, of_one).passed
    assert not signal_events.overlap_check(events, *floors, of_one).passed


def test_a_failed_check_commits_nothing_and_stops_the_day(
    lotus: Lotus, ctx: StageContext, days: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Doctored(FrameStream):
        def frames(self) -> FrameBatch:
            frames = super().frames()
            floats = frames.floats.copy()
            floats[len(floats) // 2 : len(floats) // 2 + 1, 4] = 9.0  # imb_1
            return replace(frames, floats=floats)

    monkeypatch.setattr(tape_input, "FrameStream", Doctored)
    with dg.DagsterInstance.ephemeral() as instance:
        keys = [dg.AssetKey(stage.name) for stage in TAPE_STAGES]
        job = build_definitions(lotus).get_repository_def().get_implicit_job_def_for_assets(keys)
        assert job is not None
        result = job.execute_in_process(
            instance=instance,
            asset_selection=keys,
            partition_key=days[0],
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            raise_on_error=False,
        )
    assert not result.success
    checks = MappingProxyType({e.check_name: e.passed for e in result.get_asset_check_evaluations()})
    assert checks["schema"] is False
    assert read_commit(ctx.sig, ctx.tape_branch, days[0], "microtape_frames") is None
    with pytest.raises(BeliefError, match="microtape_frames"):
        run_stage(ctx, dsi_annotations.STAGE, days[0])


SMALL = TableSpec(
    "small",
    ("asset", "at"),
    (
        Column("asset", "i2", "", "", low=0, high=4),
        Column("at", "i8", "", ""),
        Column("name", "text", "", ""),
        Column("share", "f8", "", "", low=0, high=1),
        Column("gap", "f8", "", "", nullable=True, low=-5),
        Column("is_on", "?", "", ""),
    ),
)


def small(n: int = 40) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    return {
        "asset": (np.arange(n) % 3).astype(np.int16),
        "at": np.arange(n),
        "name": np.array([f"row {k}" for k in range(n)], dtype=object),
        "share": rng.uniform(0.0, 1.0, n),
        "gap": np.where(np.arange(n) % 5 == 0, np.nan, rng.normal(size=n)),
        "is_on": np.arange(n) % 2 == 0,
    }


def with_value(name: str, value: object) -> dict[str, np.ndarray]:
    values = small()[name].copy()
    values[7] = value
    return {**small(), name: values}


SOUND = [small(), small(1), small(0), {**small(), "gap": np.full(40, np.nan)}, with_value("share", 1.0)]
DOCTORED = [
    *(with_value(*case) for case in (("asset", 5), ("asset", -1), ("share", np.nan), ("share", 1.01))),
    *(with_value(*case) for case in (("share", np.inf), ("gap", -np.inf), ("gap", -6.0), ("name", None))),
    {**small(), "at": small()["at"].astype(np.int32)},
    {**small(), "more": small()["at"]},
    {name: values for name, values in small().items() if name != "gap"},
]


@pytest.mark.parametrize("columns", SOUND)
def test_what_fits_passes_and_pandera_finds_nothing_in_it(columns: dict[str, np.ndarray]) -> None:
    assert fits(SMALL, columns)
    assert schema_check_module._failures(SMALL, columns) is None
    assert schema_check(SMALL, columns).passed


@pytest.mark.parametrize("columns", DOCTORED)
def test_what_does_not_fit_fails_with_what_pandera_found(columns: dict[str, np.ndarray]) -> None:
    assert not fits(SMALL, columns)
    outcome = schema_check(SMALL, columns)
    assert not outcome.passed
    assert int(outcome.numbers["failures"]) >= 1


@pytest.mark.parametrize("order", ["as written", "shuffled"])
def test_rows_that_repeat_a_key_are_counted_in_any_order(order: str) -> None:
    rows = np.array([0, 1, 2, 3, 3, 3, 9])
    rows = np.random.default_rng(1).permutation(rows) if order == "shuffled" else rows
    columns = {name: values[rows] for name, values in small().items()}
    assert "2 rows repeat the key" in schema_check(SMALL, columns).text
