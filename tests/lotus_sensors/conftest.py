"""Dagster's own instance on PostgreSQL, empty, for tests that ask it what was asked."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
import pytest

from lotus_resources.provision import instance, provision
from lotus_store.config import Settings
from lotus_store.databases import Databases


@pytest.fixture
def environment(settings: Settings, databases: Databases, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of Dagster processes of the test's home; Dagster's database holds no run and no sensor state."""
    made = {**provision(settings, databases), "LOTUS_PG_DSN": settings.server_dsn}
    for name, value in made.items():
        monkeypatch.setenv(name, value)
    with instance(made) as opened:
        forget(opened)
    return made


@pytest.fixture
def persistent(environment: dict[str, str]) -> Iterator[dg.DagsterInstance]:
    """The open instance."""
    with reopened(environment) as opened:
        yield opened
        forget(opened)


@contextmanager
def reopened(environment: dict[str, str]) -> Iterator[dg.DagsterInstance]:
    """Open the instance as a process that starts anew does."""
    with instance(environment) as opened:
        yield opened


def forget(opened: dg.DagsterInstance) -> None:
    """Delete every run and all that Dagster knows about sensors."""
    for run in opened.get_runs():
        opened.delete_run(run.run_id)
    opened.wipe_all_schedules()
