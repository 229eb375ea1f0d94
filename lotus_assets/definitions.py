"""The code location: assets, checks, sensors, schedule and resources of Lotus, built inside a function.

Heavy libraries are imported inside stage bodies, so that this location starts fast. Nothing connects here.
"""

import dagster as dg

from lotus_assets.breeding.forward import candidate_scores
from lotus_assets.breeding.monday import candidates
from lotus_assets.compaction_job import compact_atoms
from lotus_assets.event_log_purge import event_log_purge
from lotus_assets.fleet.tape_units import tape_unit
from lotus_assets.fleet.world_blocks import world_block
from lotus_assets.jobs import apply_inbox, learn_one_day, watchdog
from lotus_assets.learning_lane import learning_lane
from lotus_assets.live_daemon import live_daemon
from lotus_assets.promises.freshness import FRESHNESS, fresh_days
from lotus_assets.promises.sla_watch import failed_runs, sla_watch, telling
from lotus_assets.schedules import breeding, forward, hourly, nightly, purging, weekly
from lotus_assets.specs import belief_spec
from lotus_assets.tape_assets import tape_lane
from lotus_resources.live_daemon import LiveDaemonResource
from lotus_resources.lotus_resource import Lotus, LotusResource
from lotus_sensors.closed_segments import closed_segments
from lotus_sensors.daemon_health import daemon_health
from lotus_sensors.late_executions import late_executions_sensor
from lotus_sensors.new_inbox import new_inbox


def build_definitions(lotus: Lotus | None = None) -> dg.Definitions:
    """Return the definitions of the code location, on the open home `lotus` or on the one of the environment."""
    resource = LotusResource if lotus is None else dg.ResourceDefinition.hardcoded_resource(lotus)
    return dg.Definitions(
        asset_checks=FRESHNESS,
        assets=[tape_lane, belief_spec(), learning_lane, candidate_scores, candidates, event_log_purge, live_daemon()],
        sensors=[closed_segments, new_inbox, late_executions_sensor, daemon_health, failed_runs, fresh_days],
        schedules=[nightly, hourly, weekly, forward, purging, breeding, sla_watch],
        jobs=[learn_one_day, apply_inbox, watchdog, compact_atoms, telling, tape_unit, world_block],
        resources={"lotus": resource, "live_daemon": dg.ResourceDefinition.hardcoded_resource(LiveDaemonResource())},
        executor=dg.in_process_executor,
    )


defs = build_definitions()
