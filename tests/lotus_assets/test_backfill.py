"""Backfill through Dagster: order, idempotence, subsets, refusals, and what the UI is told."""

import subprocess
import sys
from collections.abc import Iterator

import dagster as dg
import pytest

from lotus.errors import LotusError, TapeError
from lotus_assets.backfill import backfill
from lotus_assets.definitions import build_definitions
from lotus_assets.stages.order import LEARNING_STAGES, TAPE_STAGES
from lotus_resources.dagster_internals import range_tags
from lotus_resources.lotus_resource import Lotus
from lotus_resources.provision import bury_dead_runs, instance, provision
from lotus_store.config import Settings
from lotus_store.processes import PID_TAG, own_tags

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@pytest.fixture
def opened(lotus: Lotus) -> Iterator[dg.DagsterInstance]:
    """The persistent instance of the home."""
    with instance(provision(lotus.settings, lotus.databases)) as found:
        yield found


def lane(
    lotus: Lotus, opened: dg.DagsterInstance, names: list[str], first: str, last: str, **config: bool
) -> dg.ExecuteInProcessResult:
    """Run some learning assets over a range of days, as pressed with a run's `config`."""
    keys = [dg.AssetKey(name) for name in names]
    job = build_definitions(lotus).get_repository_def().get_implicit_job_def_for_assets(keys)
    assert job is not None
    tags = range_tags(first, last)
    asked = {**QUIET, "ops": {"learning_lane": {"config": config}}}
    return job.execute_in_process(
        instance=opened, asset_selection=keys, tags=tags, run_config=asked, raise_on_error=False
    )


def computed(result: dg.ExecuteInProcessResult) -> list[bool]:
    """Return of every materialisation whether anything was computed for it."""
    return [
        "nothing_computed" not in event.materialization.metadata for event in result.get_asset_materialization_events()
    ]


@pytest.mark.process("three days through Dagster, three times")
@pytest.mark.warm("first_day")
def test_a_backfill_runs_in_order_and_again_with_the_same_hashes(
    tiny: Settings, opened: dg.DagsterInstance, days: list[str]
) -> None:
    heard: list[tuple[object, ...]] = []
    first = backfill(tiny, days[0], days[-1], lambda *words: heard.append(words))
    assert [words[1] for words in heard if words[0] == "days learned"][-1] == len(days)
    assert {f"{day} lessons" for day in days} <= {words[3] for words in heard if len(words) == 4}
    assert ("days of tape read", len(days), len(days), days[-1]) in heard
    assert first.days == tuple(days)
    assert first.rows("signal_events") > 0
    assert len(first.hashes) == len(days) * (len(TAPE_STAGES) + len(LEARNING_STAGES))
    assert backfill(tiny, days[0], days[-1]).hashes == first.hashes
    again = backfill(tiny, days[-1], days[-1], force=True).hashes
    assert again == {key: value for key, value in first.hashes.items() if days[-1] in key}
    assert first.priors_ver == first.notes(days[-1], "active_priors")["priors_ver"]
    for name in ("raw_tape", "microtape_frames", "signal_events", "active_priors"):
        assert opened.get_materialized_partitions(dg.AssetKey(name)) >= set(days)
    beliefs = opened.get_materialized_partitions(dg.AssetKey("priors_in_force"))
    assert {day for day in beliefs if day > days[0]} >= set(days[1:])


@pytest.mark.process("a day through Dagster")
@pytest.mark.warm("first_day")
def test_the_ui_is_told_rows_hashes_and_checks_per_day(
    tiny: Settings, lotus: Lotus, opened: dg.DagsterInstance, days: list[str]
) -> None:
    summary = backfill(tiny, days[0], days[0], force=True)
    fact = opened.get_latest_materialization_event(dg.AssetKey("signal_events"))
    assert fact is not None
    assert fact.asset_materialization is not None
    metadata = fact.asset_materialization.metadata
    commit = summary.commits[days[0], "signal_events"]
    assert metadata["dagster/partition_row_count"].value == commit.rows
    assert metadata["content_hash"].value == commit.content_hash
    assert (fact.asset_materialization.tags or {})["dagster/data_version"] == commit.content_hash
    assert "| detector |" in str(metadata["table"].value)
    assert "svg" in str(metadata["plot"].value)
    keys = [dg.AssetCheckKey(dg.AssetKey("signal_events"), name) for name in ("schema", "overlap", "no_look_ahead")]
    records = opened.event_log_storage.get_latest_asset_check_execution_by_key(keys)
    assert {records[key].status.value for key in keys} == {"SUCCEEDED"}
    assert (next(iter(metadata)), list(metadata)[-1][:8]) == ("plot", "seconds_"), "what people look at stands first"
    parity = dg.AssetCheckKey(dg.AssetKey("signal_events"), "live_parity")
    (unseen,) = opened.event_log_storage.get_latest_asset_check_execution_by_key([parity]).values()
    assert unseen.status.value == "FAILED"
    evaluation = unseen.event.dagster_event.event_specific_data  # type: ignore[union-attr]
    assert (evaluation.severity, evaluation.passed) == (dg.AssetCheckSeverity.WARN, False)
    assert opened.get_latest_materialization_event(dg.AssetKey("event_log_purge")) is not None
    for module in ("sig", "dm", "tr"):
        with lotus.databases.connect(module) as c:
            assert c.execute(f"SELECT count(*) FROM {module}_inbox WHERE consumed_at IS NULL").fetchall() == [(0,)]


@pytest.mark.process("two days through Dagster, three times")
@pytest.mark.warm("first_day")
def test_a_subset_of_the_lane_runs_alone(
    lotus: Lotus, tiny: Settings, opened: dg.DagsterInstance, days: list[str]
) -> None:
    whole = backfill(tiny, days[0], days[1], force=True).hashes
    result = lane(lotus, opened, ["signal_events", "signal_eval"], days[0], days[1])
    assert result.success
    told = [e.asset_key.to_user_string() for e in result.get_asset_materialization_events() if e.asset_key]
    assert told == ["signal_events", "signal_eval"] * 2
    assert computed(result) == [False] * 4, "inputs are equal"
    shown = [event.materialization.metadata for event in result.get_asset_materialization_events()]
    assert all("svg" in str(told["plot"].value) for told in shown[::2]), "pictures of the run that computed it"
    assert computed(lane(lotus, opened, ["signal_eval"], days[1], days[1], force=True)) == [True]
    assert backfill(tiny, days[0], days[1]).hashes == whole


@pytest.mark.process("whole days through their stages")
@pytest.mark.warm("first_day")
def test_a_day_out_of_order_fails_with_what_to_materialise(
    lotus: Lotus, tiny: Settings, opened: dg.DagsterInstance, days: list[str]
) -> None:
    names = [stage.name for stage in LEARNING_STAGES]
    backfill(tiny, days[0], days[0])
    result = lane(lotus, opened, names, days[2], days[2])
    assert not result.success
    (failure,) = [e for e in result.all_events if e.is_step_failure]
    data = failure.step_failure_data.user_failure_data
    assert data is not None
    assert f"materialise active_priors[{days[1]}]" in str(data.description)
    with pytest.raises(LotusError, match=f"materialise active_priors.{days[1]}"):
        backfill(tiny, days[2], days[2])


@pytest.mark.process("a day through Dagster")
@pytest.mark.warm("taped")
def test_days_without_tape_are_carried_over(
    lotus: Lotus, tiny: Settings, opened: dg.DagsterInstance, days: list[str]
) -> None:
    backfill(tiny, days[-1], days[-1])
    result = lane(lotus, opened, ["active_priors"], days[-1], "2026-01-09")
    assert result.success
    carried = [e.partition for e in result.get_asset_materialization_events() if e.partition]
    assert "2026-01-09" in carried


def test_a_range_without_tape_is_told(tiny: Settings) -> None:
    with pytest.raises(TapeError, match="has no day"):
        backfill(tiny, "2024-01-01", "2024-01-05")


def test_runs_of_dead_processes_are_buried(opened: dg.DagsterInstance) -> None:
    gone = subprocess.Popen([sys.executable, "-c", "pass"])
    gone.wait()
    job = dg.JobDefinition(graph_def=dg.GraphDefinition(name="nothing"))
    dead = opened.create_run_for_job(
        job, tags=own_tags() | {PID_TAG: str(gone.pid)}, status=dg.DagsterRunStatus.STARTED
    )
    alive = opened.create_run_for_job(job, tags=own_tags(), status=dg.DagsterRunStatus.STARTED)
    assert bury_dead_runs(opened) == 1
    statuses = [opened.get_run_by_id(run.run_id) for run in (dead, alive)]
    assert [run.status.value for run in statuses if run] == ["FAILURE", "STARTED"]
    opened.report_run_failed(alive)
