"""Ask the fleet for runs, and find them again: what a process does that has work for workers.

A run is put into Dagster's queue; who executes it is Dagster's and the workers' affair, and what it did is seen by its
commits. A unit whose run is over without its commits is asked for once more and then left to the process that asks,
where its error comes up. (Literature: polling of idempotent work.)
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import dagster as dg

from lotus.errors import ConfigError
from lotus_resources.dagster_internals import IN_PROGRESS, submitting, will_be_tried_again
from lotus_resources.fleet.broker import RELEASE_TAG, asked_by, celery_app, needed, release
from lotus_resources.lotus_resource import Lotus
from lotus_resources.provision import instance, provision

UNIT_TAG = "lotus/unit"
PRIORITY_TAG = "dagster/priority"
UNIT_S = 60.0  # a run should last so long
TRIES = 2
ACTIVE = (dg.DagsterRunStatus.QUEUED, *IN_PROGRESS)
Submit = Callable[[str, Mapping[str, object], Mapping[str, str]], str]


class RunUnit(Protocol):
    """A run's worth of work: the name by which its runs are tagged, their configuration, how often it was asked for."""

    tries: int

    @property
    def name(self) -> str:
        """How its runs are tagged."""

    @property
    def config(self) -> Mapping[str, object]:
        """The configuration of its runs."""


@dataclass(slots=True)
class Asking:
    """Asks for runs of one job, with the settings of this home and some tags more."""

    lotus: Lotus
    job: str
    opened: dg.DagsterInstance
    submit: Submit
    tags: Mapping[str, str] = field(default_factory=dict)
    asked: Mapping[str, str] = field(init=False)  # the settings that every run is asked for with, and `tags`

    def __post_init__(self) -> None:
        """Ask as this home does."""
        self.asked = {**asked_by(self.lotus.settings), **self.tags}

    def is_over(self, unit: RunUnit, is_done: Callable[[], bool], begins: Callable[[], None]) -> bool:
        """Ask for a unit unless a run of it is under way; tell whether it is done, or was asked for often enough."""
        tags = {**self.asked, UNIT_TAG: unit.name}
        newest = self.opened.get_runs(filters=dg.RunsFilter(tags=tags), limit=1)
        if newest and (newest[0].status in ACTIVE or will_be_tried_again(newest[0])):
            return False
        if is_done() or unit.tries >= TRIES:
            return True
        begins()
        self.submit(self.job, unit.config, {**tags, RELEASE_TAG: release()})  # the launcher writes its own there
        unit.tries += 1
        return False


@contextmanager
def asking(lotus: Lotus, job: str, **tags: str) -> Iterator[Asking]:
    """Open what asks for runs of a job; what was asked for goes on without us.

    Raises `ConfigError` where no fleet is set up, `lotus up` does not run for this home, or neither broker nor a worker
    answers.
    """
    if not lotus.settings.fleet.slots:
        raise ConfigError("[fleet] slots is 0", "at least 1 in lotus.toml", "no fleet is set up")
    workspace = Path(lotus.settings.home) / "dagster" / "workspace.json"
    if not workspace.exists():
        raise ConfigError(f"no {workspace}", "`lotus up` running on this home", "it hands the runs to the workers")
    with needed():
        answers = celery_app(os.environ).control.ping(timeout=2.0)
    if not answers:
        raise ConfigError("no worker answers", "one at least", "lotus fleet up, on this machine or another")
    environment: dict[str, Any] = provision(lotus.settings, lotus.databases)
    with instance(environment) as opened, submitting(opened, workspace) as submit:
        yield Asking(lotus, job, opened, submit, tags)
