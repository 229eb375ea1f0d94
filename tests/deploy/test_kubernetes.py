"""`deploy/dagster-k8s.yaml` behind `lotus_resources/dagster.yaml`: Dagster opens an instance with both."""

from pathlib import Path

import dagster as dg
import pytest
import yaml

from lotus_resources.dagster_home import TEMPLATE
from lotus_resources.provision import provision
from lotus_store.config import Settings
from lotus_store.databases import Databases

PODS = Path(__file__).resolve().parents[2] / "deploy" / "dagster-k8s.yaml"
KUBECONFIG = """
{apiVersion: v1, kind: Config, current-context: c, users: [{name: u, user: {}}],
 clusters: [{name: k, cluster: {server: "http://127.0.0.1:1"}}],
 contexts: [{name: c, context: {cluster: k, user: u}}]}
"""


def test_it_adds_to_the_template_and_replaces_nothing_of_it() -> None:
    template, pods = yaml.safe_load(TEMPLATE.read_bytes()), yaml.safe_load(PODS.read_bytes())
    assert not template.keys() & pods.keys()
    assert pods["run_launcher"]["config"]["env_secrets"] == ["lotus-batch"]
    assert not [word for word in pods["run_launcher"]["config"]["env_vars"] if not word.endswith("_NUM_THREADS=1")]


def test_dagster_opens_an_instance_with_it(
    settings: Settings, databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reason = "dagster-k8s brings the client of Kubernetes, 130 MB, which no other part of the product needs"
    pytest.importorskip("dagster_k8s", reason=reason)
    for name, value in provision(settings, databases).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LOTUS_IMAGE", "registry.example/lotus:1")
    (tmp_path / "kubeconfig").write_text(KUBECONFIG)
    outside = f"load_incluster_config: false\n    kubeconfig_file: {tmp_path / 'kubeconfig'}"
    text = TEMPLATE.read_text() + PODS.read_text().replace("load_incluster_config: true", outside)
    (tmp_path / "dagster.yaml").write_text(text)
    with dg.DagsterInstance.from_config(str(tmp_path)) as opened:
        launcher = opened.run_launcher
        assert type(launcher).__name__ == "K8sRunLauncher"
        assert launcher.job_image == "registry.example/lotus:1"  # type: ignore[attr-defined]
        assert opened.run_monitoring_enabled
        assert opened.run_retries_enabled
