"""Sensor on the inboxes of all modules: waiting messages of slow intents get a run that applies them.

What is due is read from the rows' state (not yet consumed), never from a position: a cursor over arrival numbers would
skip a row whose transaction commits late. What was asked for before is read from Dagster's runs (`asking`). A backfill
applies its own patches in step and the daemon its hot messages; this sensor serves what arrives otherwise.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack

import dagster as dg

from lotus.modules.intents import Module
from lotus_modules.handlers import SLOW
from lotus_resources.lotus_resource import Lotus
from lotus_sensors.asking import asked
from lotus_sensors.waiting import TICK_S, read_or_wait
from lotus_store.databases import Connection
from lotus_store.ledger.messages.boxes import waiting

CHANNEL = "lotus_inbox"
JOB, OP, NAME = "apply_inbox", "apply_waiting", "new_inbox"
TOGETHER = 500  # messages named in one request; its run applies whatever waits by then


def due(connections: Mapping[Module, Connection], branch: str, taken: frozenset[str]) -> dict[Module, list[str]]:
    """Return the waiting messages of slow intents on a branch as `module/event_id`, by module, without those `taken`.

    One message may wait in several inboxes, each of which is to apply it.
    """
    fresh_by_module: dict[Module, list[str]] = {}
    for module, connection in connections.items():
        rows = waiting(connection, module.value, branch, [intent.value for intent in SLOW[module]])
        if fresh := [name for event_id, _, _ in rows if (name := f"{module}/{event_id}") not in taken]:
            fresh_by_module[module] = fresh[:TOGETHER]
    return fresh_by_module


def requests(
    instance: dg.DagsterInstance, connections: Mapping[Module, Connection], branch: str
) -> list[dg.RunRequest]:
    """Return a request per module with messages that no run is to apply yet."""
    earlier = asked(instance, NAME, OP)
    return [
        dg.RunRequest(
            run_key=earlier.run_key(names),
            run_config={"ops": {OP: {"config": {"module": module.value, "asked_for": names}}}},
            tags={"lotus/module": module.value},
        )
        for module, names in due(connections, branch, earlier.taken).items()
    ]


@dg.sensor(
    name=NAME,
    job_name=JOB,
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="A message of a slow intent in a module's inbox makes its application due.",
)
def new_inbox(
    context: dg.SensorEvaluationContext, lotus: dg.ResourceParam[Lotus]
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Ask for the runs that are due."""
    branch = lotus.settings.branch
    with ExitStack() as held:
        inboxes = {m: held.enter_context(lotus.databases.reader(m.value, autocommit=True)) for m in SLOW}
        wanted = read_or_wait([*inboxes.values()], CHANNEL, lambda: requests(context.instance, inboxes, branch), TICK_S)
    if not wanted:
        yield dg.SkipReason(f"no message waits on branch {branch}")
    yield from wanted
