"""The live daemon in the graph: an asset that is observed, not made, and the check on its health.

The sensor `daemon_health` reports both without a run; "Observe", pressed by hand, looks at once. Nothing is judged
here.
"""

import warnings

import dagster as dg

from lotus_assets.catalogue import OWNERS
from lotus_assets.event_log_purge import GROUP
from lotus_live.reports.health import read_health
from lotus_resources.lotus_resource import Lotus
from lotus_sensors.daemon_health import ASSET, CHECK, check_fields

DAEMON_TEXT = (
    "The daemon that records, scores and trades live: a process of its own, looked at every half minute. "
    "`lotus live`, or `lotus up --live`, starts it."
)
CHECK_TEXT = "A daemon runs, is connected and hears lines; nothing broke; the switch is lifted, armed accounts guarded."


def look(lotus: dg.ResourceParam[Lotus]) -> dg.ObserveResult:
    """Look at the daemon now."""
    health = read_health(lotus.settings.home)
    return dg.ObserveResult(
        asset_key=ASSET, metadata=dict(health.facts), check_results=[dg.AssetCheckResult(**check_fields(health))]
    )


def live_daemon() -> dg.AssetsDefinition:
    """Return the observed asset with its check."""
    spec = dg.AssetSpec(ASSET, description=DAEMON_TEXT, group_name=GROUP, kinds={"python"}, owners=OWNERS)
    checks = [dg.AssetCheckSpec(CHECK, asset=ASSET, description=CHECK_TEXT)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # the decorator is beta; the version is pinned
        made: dg.AssetsDefinition = dg.multi_observable_source_asset(name=ASSET, specs=[spec], check_specs=checks)(look)
    return made
