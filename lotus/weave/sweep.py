"""Between two nights: the watchdog over the stored board, at a moment of event time.

What needs no new windows: times to live, monitors that reached 20, support that dried up, audits in alarm, compositions
whose parents left. No patch moves and nothing begins; the learning of the next night goes on from what is left.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lotus.manifest import WeaveDefaults
from lotus.priors.types import PriorsVersion, priors_version
from lotus.weave.algebra import check_parents
from lotus.weave.braid import Braid
from lotus.weave.night import BraidEvent, changes, followed
from lotus.weave.watchdog import BraidAlert, Evidence, judge


@dataclass(frozen=True, slots=True)
class Sweep:
    """What the watchdog did between two nights: the board after it, changes, alerts, the version that says so."""

    braids: tuple[Braid, ...]
    events: tuple[BraidEvent, ...]
    alerts: tuple[BraidAlert, ...]
    priors: PriorsVersion


def sweep(
    previous: PriorsVersion,
    board: Sequence[Braid],
    day: str,
    alarms: Mapping[str, str],
    from_ms: int,
    weave: WeaveDefaults,
) -> Sweep | None:
    """Return the acts of the watchdog for a version that takes effect at `from_ms`; None when nothing is to be done.

    `previous` is the version in force then, `day` the last learning day, `alarms` the detectors whose audits were in
    alarm on it.
    """
    braids, alerts = judge(followed(board, previous, day), Evidence(day, alarms=alarms), from_ms, weave)
    if not alerts:
        return None
    by_id = {b.braid_id: b for b in braids}
    active = tuple(check_parents(b, by_id).active() for b in braids if b.in_force)
    priors = priors_version(previous.branch, from_ms, active)
    return Sweep(tuple(braids), changes(board, braids, previous, priors), tuple(alerts), priors)
