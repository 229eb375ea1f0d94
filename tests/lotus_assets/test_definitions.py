"""The code location: it loads without a server, and its graph is the golden one."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from lotus_assets.definitions import build_definitions

ROOT = Path(__file__).resolve().parents[2]
ADVISORY = {
    "lawful", "live_parity", "leakage", "fragility", "promises_kept", "significant", "support", "healthy", "drift",
    "freshness_check", "metric_regression", "bred",
}  # fmt: skip
GOLDEN = Path(__file__).parent / "golden" / "asset_graph.json"


def graph() -> dict[str, Any]:
    """Return the asset graph as plain data: group, kinds, owners, dependencies with offsets, blocking checks."""
    repository = build_definitions().get_repository_def()
    nodes = {}
    for key in sorted(repository.asset_graph.get_all_asset_keys(), key=str):
        node = repository.asset_graph.get(key)
        checks = sorted(k.name for k in repository.asset_graph.get_check_keys_for_assets({key}))
        nodes[key.to_user_string()] = {
            "group": node.group_name,
            "kinds": sorted(node.kinds),
            "owners": list(node.owners),
            "executable": node.is_executable,
            "deps": {
                parent.to_user_string(): getattr(node.partition_mappings.get(parent), "start_offset", 0)
                for parent in sorted(node.parent_keys, key=str)
            },
            "checks": checks,
            "has_code_version": bool(node.code_version),
        }
    return nodes


def test_the_graph_is_the_golden_one() -> None:
    """Write the file again with LOTUS_WRITE_GOLDEN=1 after a wanted change."""
    text = json.dumps(graph(), indent=1, sort_keys=True) + "\n"
    if os.environ.get("LOTUS_WRITE_GOLDEN"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()


def test_few_coarse_daily_assets_with_blocking_checks_and_some_that_only_tell() -> None:
    repository = build_definitions().get_repository_def()
    assert len(repository.asset_graph.get_all_asset_keys()) <= 48
    for key in repository.asset_graph.asset_check_keys:
        assert repository.asset_graph.get_check_spec(key).blocking == (key.name not in ADVISORY)
    daily = {
        key.to_user_string(): isinstance(repository.asset_graph.get(key).partitions_def, dg.DailyPartitionsDefinition)
        for key in repository.asset_graph.get_all_asset_keys()
    }
    assert {name for name, is_daily in daily.items() if not is_daily} == {
        "candidate_scores",
        "candidates",
        "event_log_purge",
        "live_daemon",
    }


def test_sensors_schedule_and_jobs_are_there() -> None:
    repository = build_definitions().get_repository_def()
    sensors = {"closed_segments", "daemon_health", "failed_runs", "fresh_days", "late_executions", "new_inbox"}
    assert {sensor.name for sensor in repository.sensor_defs} == sensors
    schedules = {schedule.name for schedule in repository.schedule_defs}
    assert schedules == {
        "nightly", "hourly_watchdog", "weekly_compaction", "candidates_forward", "nightly_purge", "weekly_breeding",
        "sla_watch",
    }  # fmt: skip
    assert {"learn_one_day", "apply_inbox", "watchdog", "compact_atoms"} <= {
        job.name for job in repository.get_all_jobs()
    }


@pytest.mark.process("loads the code location in a process of its own")
def test_heavy_libraries_are_not_loaded_with_the_code_location() -> None:
    heavy = ["econml", "cvxpy", "sklearn", "matplotlib", "duckdb", "pandera", "eth_account", "websockets"]
    code = f"import sys, lotus_assets.definitions; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.process("runs the `dg` command")
def test_dagster_validates_without_a_server(tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("DAGSTER", "LOTUS"))}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    command = [sys.executable, "-m", "dagster", "definitions", "validate"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "All code locations passed validation" in done.stdout + done.stderr


@pytest.mark.parametrize("field", ["home", "config", "branch", "tape"])
def test_a_runs_config_chooses_no_home(field: str) -> None:
    @dg.op(required_resource_keys={"lotus"})
    def nothing() -> None:
        raise AssertionError("it ran")

    @dg.job(resource_defs={"lotus": build_definitions().resources["lotus"]})
    def idle() -> None:
        nothing()

    config = {"resources": {"lotus": {"config": {field: "elsewhere"}}}}
    with pytest.raises(dg.DagsterInvalidConfigError, match=field):
        idle.execute_in_process(run_config=config)


def test_a_runs_config_chooses_no_daemon() -> None:
    @dg.op(required_resource_keys={"live_daemon"})
    def look(context: dg.OpExecutionContext) -> str:
        return f"{context.resources.live_daemon.home}{context.resources.live_daemon.arguments}"

    @dg.job(resource_defs={"live_daemon": build_definitions().resources["live_daemon"]})
    def looks() -> None:
        look()

    config = {"resources": {"live_daemon": {"config": {"home": "elsewhere", "arguments": ["--trade"]}}}}
    assert looks.execute_in_process(run_config=config).output_for_node("look") == "[]"
