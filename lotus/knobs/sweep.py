"""Between two nights: the watchdog over a module's board of knobs, at a moment of event time, as `lotus.weave.sweep`.

Compositions across modules have parents among another module's braids; those are judged beside, to see whether they
left, and nothing of them is changed.
"""

from collections.abc import Sequence

from lotus.manifest import WeaveDefaults
from lotus.priors.types import PriorsVersion, priors_version
from lotus.weave.algebra import check_parents
from lotus.weave.braid import Braid
from lotus.weave.night import changes, followed
from lotus.weave.sweep import Sweep
from lotus.weave.watchdog import Evidence, judge


def sweep_knobs(
    previous: PriorsVersion,
    board: Sequence[Braid],
    others: Sequence[Braid],
    day: str,
    from_ms: int,
    weave: WeaveDefaults,
) -> Sweep | None:
    """Return the acts of the watchdog for a version that takes effect at `from_ms`; None when nothing is to be done.

    `previous`: the version in force then; `others`: braids of another module; `day`: the last learning day.
    """
    own = {braid.braid_id for braid in board}
    judged, found = judge([*followed(board, previous, day), *others], Evidence(day), from_ms, weave)
    alerts = tuple(alert for alert in found if alert.braid_id in own)
    if not alerts:
        return None
    by_id = {b.braid_id: b for b in judged}
    braids = [by_id[braid.braid_id] for braid in board]
    active = tuple(check_parents(b, by_id).active() for b in braids if b.in_force)
    priors = priors_version(previous.branch, from_ms, active)
    return Sweep(tuple(braids), changes(board, braids, previous, priors), alerts, priors)
