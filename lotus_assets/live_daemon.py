"""The live daemon in the graph: an external asset whose newest event is when it was last seen running, and its check.

The sensor `daemon_health` reports both; pressed by hand, the check looks at once. Nothing is judged here.
"""

import dagster as dg

from lotus_assets.catalogue import OWNERS
from lotus_assets.event_log_purge import GROUP
from lotus_live.health import read_health
from lotus_resources.lotus_resource import Lotus
from lotus_sensors.daemon_health import ASSET, CHECK, told_of

DAEMON_TEXT = (
    "The daemon that records, scores and trades live: a process of its own. Its newest event is when it was last seen "
    "running. `lotus live`, or `lotus up --live`, starts it."
)
CHECK_TEXT = "A daemon runs, is connected and hears lines; nothing broke; the switch is lifted, armed accounts guarded."


def daemon_spec() -> dg.AssetSpec:
    """Return the external asset of the daemon."""
    return dg.AssetSpec(ASSET, description=DAEMON_TEXT, group_name=GROUP, kinds={"python"}, owners=OWNERS)


@dg.asset_check(asset=ASSET, name=CHECK, description=CHECK_TEXT)
def daemon_check(lotus: dg.ResourceParam[Lotus]) -> dg.AssetCheckResult:
    """Look at the daemon now."""
    return dg.AssetCheckResult(**told_of(read_health(lotus.settings.home)))
