"""Dagster's storage: nothing connects before first use, and an unset address is told clearly."""

from pathlib import Path

import dagster as dg
import pytest

from lotus.errors import ConfigError
from lotus_resources import dagster_storage
from lotus_resources.dagster_home import TEMPLATE
from lotus_resources.dagster_internals import engine_of
from lotus_resources.dagster_storage import DSN_ENV, PooledRunStorage
from lotus_resources.provision import instance, provision
from lotus_store.config import Settings
from lotus_store.databases import Databases


def test_the_instance_loads_without_a_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DSN_ENV, "postgresql+psycopg2://nobody@localhost:1/none")
    (tmp_path / "dagster.yaml").write_bytes(TEMPLATE.read_bytes())
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert isinstance(instance.run_storage, PooledRunStorage)


def test_an_unset_address_is_told_at_first_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DSN_ENV, raising=False)
    storage = PooledRunStorage.from_config_value(None, {"dsn_env": DSN_ENV})
    with pytest.raises(ConfigError, match=DSN_ENV):
        engine_of(storage).connect()


@pytest.mark.process("Dagster's instance is opened on PostgreSQL")
def test_a_connection_that_rested_and_died_meanwhile_is_replaced(
    settings: Settings, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    with instance(provision(settings, databases)) as opened, databases.connect("dagster", autocommit=True) as other:
        opened.get_runs(limit=1)
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        monkeypatch.setattr(dagster_storage, "REST_S", 0.0)
        assert list(opened.get_runs(limit=1)) == list(opened.get_runs(limit=1))
