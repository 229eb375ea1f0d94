"""Dagster's run, event-log and schedule storage on PostgreSQL with a connection pool, opened only when first used.

Stock dagster-postgres opens a connection per statement (137 for a run of eight assets). The three classes here keep a
small pool, take their address from an environment variable that the launcher sets, and do not connect while a code
location is only being validated. Set them with the three separate keys of `dagster.yaml`: subclassing the combined
storage has no effect. Tables are made by `lotus_resources.provision`, never here.
Idea in the literature: connection pooling, lazy initialisation.
"""

import math
import os
import time
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import sqlalchemy
from dagster import Field
from dagster_postgres.run_storage import PostgresRunStorage
from dagster_postgres.schedule_storage import PostgresScheduleStorage
from sqlalchemy.engine import Engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from lotus.errors import ConfigError
from lotus_resources.dagster_home import DSN_ENV
from lotus_resources.dagster_internals import EventsOverOneConnection, engine_of, only_validates, set_engine

_UNSET = "postgresql+psycopg2://"
REST_S = 1.0


def pooled_engine(url: str) -> Engine:
    """Return a lazily connecting engine with at most 2 + 6 connections, autocommit, asynchronous commit.

    Losing the last half second of Dagster's log in a crash of the server is acceptable: what is committed is decided
    by the `day_commits` rows of the sig database, which are written with synchronous commit.
    """
    if url == _UNSET:
        return sqlalchemy.create_engine(url, creator=_refuse, isolation_level="AUTOCOMMIT")
    parsed = sqlalchemy.make_url(url)
    options = f"{parsed.query.get('options', '')} -c synchronous_commit=off".strip()
    engine = sqlalchemy.create_engine(
        parsed.difference_update_query(["options"]),
        isolation_level="AUTOCOMMIT",
        pool_size=2,
        max_overflow=6,
        pool_recycle=3600,
        connect_args={"options": options},
    )
    _ping_after_rest(engine)
    return engine


def _ping_after_rest(engine: Engine) -> None:
    """Ask a connection that rested for `REST_S` whether it lives before it is used; SQLAlchemy opens another if not."""

    def rest(_: object, record: ConnectionPoolEntry) -> None:
        record.info["since"] = time.monotonic()

    def wake(connection: DBAPIConnection, record: ConnectionPoolEntry, _: object) -> None:
        if time.monotonic() - record.info.get("since", math.inf) < REST_S:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as problem:
            raise sqlalchemy.exc.DisconnectionError from problem

    sqlalchemy.event.listen(engine, "checkin", rest)
    sqlalchemy.event.listen(engine, "checkout", wake)


def dsn_from_env(name: str = DSN_ENV) -> str:
    """Return the URL in environment variable `name`, or a placeholder whose first use raises `ConfigError`."""
    return os.environ.get(name) or _UNSET


def _refuse() -> NoReturn:
    raise ConfigError(
        f"the environment variable {DSN_ENV} is not set",
        "the SQLAlchemy URL of Dagster's own database",
        "Dagster was started directly; `lotus up` and `lotus backfill` start PostgreSQL and set it",
    )


class _Pooled:
    """What the three storages of `dagster.yaml` share; nothing is opened before the first statement."""

    @classmethod
    def config_type(cls) -> dict[str, Field]:
        """Return the one optional key: the name of the environment variable with the URL."""
        return {"dsn_env": Field(str, default_value=DSN_ENV, is_required=False)}

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Mapping[str, Any]) -> Any:
        """Build from `dagster.yaml`."""
        storage: Callable[..., Any] = cls
        url = dsn_from_env(config_value["dsn_env"])
        return set_engine(storage(url, should_autocreate_tables=False, inst_data=inst_data), pooled_engine(url))

    def close_pool(self) -> None:
        """Give the connections of the pool back."""
        engine_of(self).dispose()


class PooledRunStorage(_Pooled, PostgresRunStorage):
    """Run storage with a pool."""

    def get_cursor_values(self, keys: set[str]) -> Mapping[str, str]:
        """Return stored cursors; none while definitions are only validated, which needs no server."""
        if only_validates() or self.postgres_url == _UNSET:
            return {}
        return super().get_cursor_values(keys)

    def dispose(self) -> None:
        """Close the pool."""
        self.close_pool()


class PooledEventLogStorage(_Pooled, EventsOverOneConnection):
    """Event-log storage with a pool."""

    def dispose(self) -> None:
        """Stop the watcher and close the pool."""
        super().dispose()
        self.close_pool()


class PooledScheduleStorage(_Pooled, PostgresScheduleStorage):
    """Schedule storage with a pool."""

    def dispose(self) -> None:
        """Close the pool."""
        self.close_pool()
