"""What launcher and workers of a fleet agree on: the settings of Celery, the queue, the release.

The broker holds names of runs only, as JSON. A message is acknowledged when it is taken: on Redis late acknowledgement
runs long tasks twice, and a run that was lost on the way is found by its start timeout.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from lotus.errors import ConfigError
from lotus_store.build import VERSION, git_sha

BROKER_ENV: Final = "LOTUS_FLEET_BROKER"  # redis:// or rediss://
RELEASE_TAG: Final = ".dagster/lotus-release"
QUEUE: Final = "lotus"
CELERY: Final[Mapping[str, Any]] = {
    "task_default_queue": QUEUE,
    "task_serializer": "json",
    "accept_content": ["json"],
    "task_acks_late": False,
    "task_ignore_result": True,
    "worker_prefetch_multiplier": 1,
    "worker_disable_prefetch": True,
    "worker_concurrency": 1,
    "worker_hijack_root_logger": False,
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "broker_transport_options": {"socket_keepalive": True, "health_check_interval": 10, "max_retries": 3},
}


def celery_app(environment: Mapping[str, str]) -> Any:
    """Return a client of the fleet's broker; raises `ConfigError` where no address is given."""
    from celery import Celery

    if not environment.get(BROKER_ENV):
        cause = "the address is given to every process of a fleet by its environment"
        raise ConfigError(f"{BROKER_ENV} is not set", "redis://HOST:PORT/0, or rediss://", cause)
    return Celery("lotus", broker=environment[BROKER_ENV], config_source=dict(CELERY), set_as_current=False)


def away() -> tuple[type[Exception], ...]:
    """Return the errors that say that the broker does not answer."""
    from kombu.exceptions import OperationalError
    from redis.exceptions import RedisError

    return OSError, OperationalError, RedisError


def waiting(app: Any) -> int:
    """Return how many messages wait in the broker; 0 where it does not answer."""
    with suppress(*away()), app.connection_for_read() as connection:
        client = connection.default_channel.client
        return sum(int(client.llen(name)) for name in client.scan_iter(f"{QUEUE}*", _type="list"))
    return 0


def release() -> str:
    """Return what must be equal on all machines of a fleet: version and commit."""
    return f"{VERSION}+{git_sha()[:12]}"
