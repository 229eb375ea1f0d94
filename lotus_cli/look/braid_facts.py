"""What every page says of a braid first: what it is, where it acts, and how it stands."""

from lotus.priors.trace import describe_braid
from lotus.weave.braid import Braid


def braid_facts(braid: Braid) -> dict[str, str]:
    """Return identity, rule, state and grade as plain values."""
    return {
        "braid_id": braid.braid_id,
        "type": braid.braid_type,
        "detector_id": braid.detector_id,
        "rule": describe_braid(braid.active()),
        "state": braid.state,
        "grade": braid.grade,
    }
