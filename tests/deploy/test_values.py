"""`deploy/values.yaml` says of launching, watching and trying again what `deploy/dagster-k8s.yaml` says.

Read as the chart's template of the instance reads it: names in camel case become Dagster's, and what is not in a
section of the chart comes from `additionalInstanceConfig`.
"""

import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

from lotus_resources.dagster_home import TEMPLATE
from lotus_resources.provision import LANE_POOL

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
NAMES_OF_OTHERS = ("nodeSelector", "tolerations", "envVars")  # their members keep their names
ONLY_WITHOUT_CHART = {
    "job_image",
    "instance_config_map",
    "dagster_home",
    "service_account_name",
}  # the chart writes them


@pytest.fixture(scope="module")
def values() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "values.yaml").read_text())
    return found


@pytest.fixture(scope="module")
def pods() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "dagster-k8s.yaml").read_text())
    return found


def snake(value: Any) -> Any:
    """Return values with the names that the chart's template gives them."""
    if not isinstance(value, dict):
        return value
    named = {re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower(): name for name in value}
    return {new: value[old] if old in NAMES_OF_OTHERS else snake(value[old]) for new, old in named.items()}


def test_runs_are_launched_as_without_the_chart(values: dict[str, Any], pods: dict[str, Any]) -> None:
    given = snake(values["runLauncher"]["config"]["k8sRunLauncher"])
    given["env_secrets"] = [one["name"] for one in given["env_secrets"]]
    assert given.pop("image_pull_policy") == "IfNotPresent"
    wanted = {name: value for name, value in pods["run_launcher"]["config"].items() if name not in ONLY_WITHOUT_CHART}
    assert given == wanted
    assert values["runLauncher"]["type"] == pods["run_launcher"]["class"]
    assert values["global"]["serviceAccountName"] == pods["run_launcher"]["config"]["service_account_name"]


def test_runs_are_watched_and_tried_again_as_without_the_chart(values: dict[str, Any], pods: dict[str, Any]) -> None:
    assert snake(values["dagsterDaemon"]["runMonitoring"]) == pods["run_monitoring"]
    more = values["additionalInstanceConfig"]
    assert more["run_retries"] == pods["run_retries"]
    for section in ("runRetries", "runCoordinator"):  # else the instance has them twice
        assert values["dagsterDaemon"][section] == {"enabled": False}
    template = yaml.safe_load(TEMPLATE.read_text())
    assert more["run_queue"] == template["run_queue"]
    assert more["concurrency"]["pools"] == template["concurrency"]["pools"]
    assert f"concurrency set {LANE_POOL} 1" in (DEPLOY / "values.yaml").read_text()
    for section in ("sensors", "schedules"):
        assert snake(values["dagsterDaemon"][section]) == template[section]


def test_secrets_are_named_only_and_nothing_listens_beyond_the_cluster(values: dict[str, Any]) -> None:
    (deployment,) = values["dagster-user-deployments"]["deployments"]
    assert deployment["envSecrets"] == values["runLauncher"]["config"]["k8sRunLauncher"]["envSecrets"]
    assert deployment["includeConfigInLaunchedRuns"] == {"enabled": True}
    assert {deployment["volumes"][0]["name"]} == {one["name"] for one in deployment["volumeMounts"]}
    module = yaml.safe_load((DEPLOY.parent / "workspace.yaml").read_text())["load_from"][0]["python_module"]
    assert deployment["dagsterApiGrpcArgs"] == ["--python-module", module["module_name"]]
    text = (DEPLOY / "values.yaml").read_text()
    assert "postgresqlPassword" not in text
    assert "ingress" not in values
    assert f"--version {version('dagster')} " in text
