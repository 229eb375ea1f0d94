"""What launcher and workers of a fleet agree on: the settings of Celery, the queue, the release.

The broker holds names of runs only, as JSON. A message is acknowledged when it is taken: on Redis late acknowledgement
runs long tasks twice, and a run that was lost on the way is found by its start timeout.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final

from lotus.errors import ConfigError
from lotus_store.branch_settings import read_branch_settings, write_branch_settings
from lotus_store.build import VERSION, git_sha
from lotus_store.config import Settings, load_settings

BROKER_ENV: Final = "LOTUS_FLEET_BROKER"  # redis:// or rediss://
RELEASE_TAG: Final = ".dagster/lotus-release"
TAPE_TAG, BRANCH_TAG = ".dagster/lotus-tape", ".dagster/lotus-branch"
SECTIONS_TAG, MANIFEST_TAG = ".dagster/lotus-sections", ".dagster/lotus-manifest"
NAMES: Final = ((TAPE_TAG, "LOTUS_TAPE"), (BRANCH_TAG, "LOTUS_BRANCH"))  # a tag, and the variable that it sets
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


@contextmanager
def needed() -> Iterator[None]:
    """Raise `ConfigError` where the broker does not answer what the body asks of it."""
    try:
        yield
    except away() as problem:
        raise ConfigError("the broker does not answer", "a running one", type(problem).__name__) from problem


def waiting(app: Any) -> int:
    """Return how many messages wait in the broker; 0 where it does not answer."""
    with suppress(*away()), app.connection_for_read() as connection:
        client = connection.default_channel.client
        return sum(int(client.llen(name)) for name in client.scan_iter(f"{QUEUE}*", _type="list"))
    return 0


def asked_by(settings: Settings) -> dict[str, str]:
    """Return the tags by which a run keeps what asked for it: tape, branch, what that was begun with, the manifest."""
    sections = read_branch_settings(settings.home, settings.branch)
    return {
        TAPE_TAG: settings.tape, BRANCH_TAG: settings.branch, SECTIONS_TAG: json.dumps(sections),
        MANIFEST_TAG: settings.manifest.version,
    }  # fmt: skip


def take_over(tags: Mapping[str, str]) -> str:
    """Make this process do what tags ask: their tape and branch; return why it cannot, "" where it can.

    A branch that this machine does not know is begun as it was begun there.
    """
    os.environ.update({name: tags[tag] for tag, name in NAMES if tag in tags})
    settings, sections = load_settings(), json.loads(tags.get(SECTIONS_TAG, "{}"))
    if sections and not read_branch_settings(settings.home, settings.branch):
        write_branch_settings(settings.home, settings.branch, sections)
        settings = load_settings()
    version, asked = settings.manifest.version, tags.get(MANIFEST_TAG, settings.manifest.version)
    return "" if version == asked else (
        f"asked with settings of version {asked}; those of this machine are {version}: its lotus.toml, or "
        f"branches/{settings.branch}.json of its home, differs"
    )  # fmt: skip


def release() -> str:
    """Return what must be equal on all machines of a fleet: version and commit."""
    return f"{VERSION}+{git_sha()[:12]}"
